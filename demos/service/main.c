/* SPDX-License-Identifier: MIT */
/* main.c - options, the clients of the self-test, and what came of it. */
#include "service/service.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/books.h"
#include "common/options.h"
#include "common/stop.h"

#define MAX_THREADS 64

static struct options opt = {
	.workers = 4,
	.slots = 2,
	.clients = 4,
	.requests = 8000,
	.min_size = 1024,
	.max_size = 32768,
	.timeout_ms = 2000,
	.abort_every = 97,
	.sync_every = 16,
	.disk_us = 3000,
	.seed = 1,
	.log = "sync",
};

static const char about[] =
	"A hashing service on the loopback interface: an acceptor, worker threads, at most --slots requests computing "
	"at\n"
	"a time, a metrics map behind a read-write lock and a log. Clients of its own drive it, then it ends; with "
	"--serve\n"
	"it runs until SIGINT or SIGTERM.\n"
	"\n"
	"What to look for:\n"
	"  block  with --log sync, requests wait in append_line for the log's lock, whose holder sleeps or syncs in\n"
	"         sync_log_to_disk; --log queued has the same log without the wait\n"
	"  cpu    hash_strong costs several times what hash_fast costs, for a quarter of the requests\n"
	"  heap   nothing is left at the end, although clients hang up in the middle of requests\n";

static const struct option_row rows[] = {
	{ "port", OPTION_NUMBER, &opt.port, 0, 65535, "TCP port on 127.0.0.1, 0: a free one" },
	{ "unix", OPTION_TEXT, &opt.unix_path, 0, 0, "path of a unix socket instead" },
	{ "serve", OPTION_FLAG, &opt.is_server, 0, 0, "no clients: serve until a signal" },
	{ "workers", OPTION_NUMBER, &opt.workers, 1, MAX_THREADS, "worker threads" },
	{ "slots", OPTION_NUMBER, &opt.slots, 1, MAX_THREADS, "requests that may compute at a time" },
	{ "clients", OPTION_NUMBER, &opt.clients, 1, MAX_THREADS, "client threads" },
	{ "requests", OPTION_NUMBER, &opt.requests, 1, 100000000, "requests of all clients together" },
	{ "min-size", OPTION_NUMBER, &opt.min_size, 1, PAYLOAD_MAX, "smallest payload in bytes" },
	{ "max-size", OPTION_NUMBER, &opt.max_size, 1, PAYLOAD_MAX, "largest payload in bytes" },
	{ "timeout-ms", OPTION_NUMBER, &opt.timeout_ms, 0, 3600000, "how long a request may wait for a slot" },
	{ "abort-every", OPTION_NUMBER, &opt.abort_every, 0, UINT64_MAX,
	  "clients hang up in every Nth request, 0: never" },
	{ "log", OPTION_TEXT, &opt.log, 0, 0, "sync (under the lock) or queued (by a thread)" },
	{ "sync-every", OPTION_NUMBER, &opt.sync_every, 1, UINT64_MAX, "log lines between two syncs" },
	{ "disk-us", OPTION_NUMBER, &opt.disk_us, 0, 10000000, "how long a sync takes on top, in us" },
	{ "nagle", OPTION_FLAG, &opt.has_nagle, 0, 0, "let TCP coalesce small writes: 40 ms a request" },
	{ "seed", OPTION_NUMBER, &opt.seed, 0, UINT64_MAX, "which requests" },
	{ "truth", OPTION_FLAG, &opt.has_truth, 0, 0, "print what a right profile must say, as JSON" },
	{ 0 },
};

struct outcome {
	struct client sum;
	uint64_t wall_ns;
	int err, was_interrupted;
};

static void add_client(struct client *sum, const struct client *client)
{
	sum->requests += client->requests;
	sum->answered += client->answered;
	sum->timed_out += client->timed_out;
	sum->aborted += client->aborted;
	sum->wrong += client->wrong;
	sum->latency_ns += client->latency_ns;
	if (client->max_latency_ns > sum->max_latency_ns)
		sum->max_latency_ns = client->max_latency_ns;
	sum->err = sum->err ? sum->err : client->err;
}

static void run_clients(const struct server *server, struct client *sum)
{
	static struct client clients[MAX_THREADS];
	uint64_t count = 0;
	int err = 0;

	for (; count < opt.clients && !err; count += !err) {
		struct client *client = &clients[count];

		*client = (struct client){ .server = server, .opt = &opt, .number = count + 1 };
		client->requests = opt.requests / opt.clients + (count < opt.requests % opt.clients);
		err = book_thread(&client->thread, "client", (unsigned int)count + 1, client_run, client);
	}
	for (uint64_t i = 0; i < count; i++) {
		book_wait("join", NULL, pthread_join(clients[i].thread, NULL));
		add_client(sum, &clients[i]);
	}
	sum->err = sum->err ? sum->err : -err;
}

static void serve_until_stopped(const struct server *server)
{
	struct pollfd stop = { .fd = stop_fd(), .events = POLLIN };

	if (opt.unix_path)
		printf("listening on %s\n", opt.unix_path);
	else
		printf("listening on 127.0.0.1:%u\n", ntohs(server->address.in.sin_port));
	fflush(stdout);
	while (!stop_requested())
		book_wait("poll", NULL, poll(&stop, 1, -1));
}

static int run_service(struct server *server, struct outcome *out)
{
	uint64_t start_ns = clock_now_ns();
	int err = server_start(server, &opt);

	if (err)
		return err;
	if (opt.is_server)
		serve_until_stopped(server);
	else
		run_clients(server, &out->sum);
	out->was_interrupted = stop_requested();
	stop_request();
	server_join(server);
	out->wall_ns = clock_now_ns() - start_ns;
	return out->sum.err;
}

/* Every request was answered, timed out or given up, none wrongly, and no block is left. */
static int is_sound(const struct server *server, const struct outcome *out)
{
	const struct client *sum = &out->sum;
	struct books_totals totals = books_totals();

	if (sum->wrong || totals.allocations != totals.frees || totals.live_bytes)
		return 0;
	if (out->was_interrupted || opt.is_server)
		return 1;
	return sum->answered + sum->timed_out + sum->aborted == sum->requests && server->tally.done == sum->answered &&
	       server->tally.aborted == sum->aborted && server->tally.timed_out == sum->timed_out;
}

static void print_summary(const struct server *server, const struct outcome *out)
{
	const struct tally *tally = &server->tally;
	double seconds = (double)out->wall_ns / 1e9;

	printf("service, log %s: %lu requests, %.1f MiB in %.2f s (%.0f requests/s)\n", opt.log, tally->done,
	       (double)tally->bytes / (1 << 20), seconds, (double)tally->done / seconds);
	printf("hung up %lu, timed out %lu, refused %lu, statistics %lu, log lines %lu, syncs %lu\n", tally->aborted,
	       tally->timed_out, tally->refused, tally->stats, server->log.lines, server->log.syncs);
	if (out->sum.answered)
		printf("latency: mean %.2f ms, worst %.2f ms\n",
		       (double)out->sum.latency_ns / (double)out->sum.answered / 1e6,
		       (double)out->sum.max_latency_ns / 1e6);
}

static void print_truth(const struct server *server, const struct outcome *out)
{
	const struct tally *tally = &server->tally;

	printf("{\"program\":\"service\",\"log\":\"%s\",\"requests\":%lu,\"aborted\":%lu,\"timed_out\":%lu,"
	       "\"bytes\":%lu,\"log_lines\":%lu,\"syncs\":%lu,\"wall_ns\":%lu,\"interrupted\":%s,",
	       opt.log, tally->done, tally->aborted, tally->timed_out, tally->bytes, server->log.lines,
	       server->log.syncs, out->wall_ns, out->was_interrupted ? "true" : "false");
	books_print(stdout);
	printf("}\n");
}

int main(int argc, char **argv)
{
	static struct server server;
	struct outcome out = { 0 };
	int err, sound;

	books_stdout();
	options_parse(argc, argv, "service", about, rows);
	if (opt.min_size > opt.max_size || (strcmp(opt.log, "sync") && strcmp(opt.log, "queued"))) {
		fprintf(stderr, "service: %s\n",
			opt.min_size > opt.max_size ? "--min-size is above --max-size" : "--log is sync or queued");
		return 2;
	}
	err = stop_install();
	if (!err)
		err = run_service(&server, &out);
	sound = is_sound(&server, &out);
	if (err)
		fprintf(stderr, "service: %s\n", strerror(-err));
	else if (!sound)
		fprintf(stderr, "service: the books don't balance\n");
	(opt.has_truth ? print_truth : print_summary)(&server, &out);
	stop_release();
	return err || !sound || fflush(stdout) ? 1 : 0;
}
