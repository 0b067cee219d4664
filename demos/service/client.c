/* SPDX-License-Identifier: MIT */
/* client.c - a client that knows what the answers must be, and that sometimes hangs up. */
#include "service/service.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/books.h"
#include "common/rng.h"
#include "common/stop.h"

#define CHECK_EVERY 8  /* answers between two that are computed again here */
#define STATS_EVERY 16 /* requests between two for statistics */

/* Returns a descriptor or -errno. */
static int dial(const struct server *server)
{
	int fd = socket(server->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (!server->opt->has_nagle)
		send_at_once(fd);
	if (!book_wait("connect", NULL, connect(fd, &server->address.any, server->address_len)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

__attribute__((noinline)) static uint8_t *make_payload(struct rng *rng, size_t size)
{
	uint8_t *payload = book_malloc(size);

	if (!payload)
		return NULL;
	for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
		uint64_t word = rng_next(rng);

		memcpy(payload + i, &word, size - i < sizeof(word) ? size - i : sizeof(word));
	}
	return payload;
}

/* Hangs up after half of the payload: what the server must survive without a lost block. */
static int abort_request(int fd, const struct request_head *head, const uint8_t *payload)
{
	int err = send_all(fd, head, sizeof(*head));

	return err ? err : send_all(fd, payload, head->size / 2);
}

static int ask_hash(struct client *client, int fd, const struct request_head *head, const uint8_t *payload)
{
	struct reply_head reply;
	uint64_t start_ns = clock_now_ns(), latency_ns;
	int err = send_all(fd, head, sizeof(*head));

	if (!err)
		err = send_all(fd, payload, head->size);
	if (!err)
		err = recv_all(fd, &reply, sizeof(reply));
	if (err)
		return err;
	latency_ns = clock_now_ns() - start_ns;
	client->latency_ns += latency_ns;
	if (latency_ns > client->max_latency_ns)
		client->max_latency_ns = latency_ns;
	client->answered += !reply.status;
	client->timed_out += reply.status == -ETIMEDOUT;
	if (reply.id != head->id || (reply.status && reply.status != -ETIMEDOUT))
		client->wrong++;
	else if (!reply.status && head->id % CHECK_EVERY == 0)
		client->wrong += reply.hash != hash_payload(head->kind, payload, head->size);
	return 0;
}

static int ask_stats(struct client *client, int fd, uint64_t id)
{
	struct request_head head = { .kind = REQUEST_STATS, .id = id };
	struct reply_head reply;
	char *text;
	int err = send_all(fd, &head, sizeof(head));

	if (!err)
		err = recv_all(fd, &reply, sizeof(reply));
	if (err || !reply.size)
		return err;
	text = book_malloc(reply.size);
	err = text ? recv_all(fd, text, reply.size) : -ENOMEM;
	client->wrong += !err && text[reply.size - 1] != '\n';
	book_free(text, reply.size);
	return err;
}

/* *fd is a new connection after a hang-up. Returns 0 or -errno. */
static int one_request(struct client *client, struct rng *rng, uint64_t index, int *fd)
{
	const struct options *opt = client->opt;
	struct request_head head = { .id = client->number << 32 | index };
	uint8_t *payload;
	int err;

	head.kind = rng_next(rng) % 4 ? REQUEST_FAST : REQUEST_STRONG;
	head.size = (uint32_t)rng_between(rng, opt->min_size, opt->max_size);
	payload = make_payload(rng, head.size);
	if (!payload)
		return -ENOMEM;
	if (opt->abort_every && index % opt->abort_every == 0) {
		err = abort_request(*fd, &head, payload);
		close(*fd);
		client->aborted += !err;
		*fd = dial(client->server);
		err = err ? err : (*fd < 0 ? *fd : 0);
	} else {
		err = ask_hash(client, *fd, &head, payload);
	}
	book_free(payload, head.size);
	if (!err && index % STATS_EVERY == 0)
		err = ask_stats(client, *fd, head.id);
	return err;
}

void *client_run(void *arg)
{
	struct client *client = arg;
	struct rng rng = { client->opt->seed * 1000 + client->number };
	int fd = dial(client->server);
	int err = fd < 0 ? fd : 0;

	for (uint64_t i = 1; i <= client->requests && !err && !stop_requested(); i++)
		err = one_request(client, &rng, i, &fd);
	if (fd >= 0)
		close(fd);
	client->err = stop_requested() ? 0 : err;
	return NULL;
}
