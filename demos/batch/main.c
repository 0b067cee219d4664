/* SPDX-License-Identifier: MIT */
/* main.c - options, the producer, the workers, and what they came to. */
#include "batch/batch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/books.h"
#include "common/options.h"
#include "common/queue.h"
#include "common/rng.h"
#include "common/stop.h"

#define MAX_WORKERS 64

static struct options opt = {
	.items = 16000,
	.workers = 4,
	.queue_cap = 32,
	.min_size = 1024,
	.max_size = 16384,
	.passes = 3,
	.leak_every = 50,
	.seed = 1,
	.variant = "naive",
};

struct run {
	const struct variant *variant;
	struct queue queue;
	struct tally all;
	uint64_t produced, broken;
	uint64_t wall_ns;
	int out_of_memory;
};

static const char about[] =
	"A batch processor: one producer, a bounded queue, a pool of workers that double, check and describe the\n"
	"bytes of each item.\n"
	"\n"
	"What to look for with --variant naive:\n"
	"  heap   note_item leaks; grow_result reallocates line by line; almost every block lives for one item only\n"
	"  block  workers wait in count_item for the metrics lock while rank_latencies runs under it\n"
	"  cpu    rank_latencies is work that nobody asked for\n"
	"--variant pooled does the same work without any of these (compare the digests, then the profiles).\n";

static const struct option_row rows[] = {
	{ "variant", OPTION_TEXT, &opt.variant, 0, 0, "naive or pooled" },
	{ "items", OPTION_NUMBER, &opt.items, 1, 100000000, "items to process" },
	{ "workers", OPTION_NUMBER, &opt.workers, 1, MAX_WORKERS, "worker threads" },
	{ "queue", OPTION_NUMBER, &opt.queue_cap, 1, 100000, "items that may wait" },
	{ "min-size", OPTION_NUMBER, &opt.min_size, 1, 1 << 26, "smallest item in bytes" },
	{ "max-size", OPTION_NUMBER, &opt.max_size, 1, 1 << 26, "largest item in bytes" },
	{ "passes", OPTION_NUMBER, &opt.passes, 1, 1000, "how often each item is doubled" },
	{ "fail-every", OPTION_NUMBER, &opt.fail_every, 0, UINT64_MAX, "every Nth item is broken, 0: none" },
	{ "leak-every", OPTION_NUMBER, &opt.leak_every, 0, UINT64_MAX,
	  "naive leaks a note for every Nth item, 0: none" },
	{ "seed", OPTION_NUMBER, &opt.seed, 0, UINT64_MAX, "which bytes" },
	{ "truth", OPTION_FLAG, &opt.has_truth, 0, 0, "print what a right profile must say, as JSON" },
	{ 0 },
};

/* Broken items are those whose sum is wrong; the worker that checks it finds out. */
static int produce_one(struct run *run, struct rng *rng)
{
	uint64_t id = run->produced + 1;
	struct item *item = run->variant->take(rng_between(rng, opt.min_size, opt.max_size));
	int is_broken = opt.fail_every && id % opt.fail_every == 0;

	if (!item)
		return -ENOMEM;
	item->id = id;
	book_cpu("fill_bytes", fill_bytes(item, opt.seed));
	item->sum += is_broken;
	item->born_ns = clock_now_ns();
	if (queue_push(&run->queue, item)) {
		run->variant->drop(item);
		return -EPIPE;
	}
	run->produced = id;
	run->broken += is_broken;
	return 0;
}

static void *producer_run(void *arg)
{
	struct run *run = arg;
	struct rng rng = { opt.seed };
	int err = 0;

	while (!err && run->produced < opt.items && !stop_requested())
		err = produce_one(run, &rng);
	if (err == -ENOMEM)
		run->out_of_memory = 1;
	queue_close(&run->queue);
	return NULL;
}

static void work_on(struct run *run, struct item *item, struct tally *mine)
{
	uint64_t digest = 0;
	size_t size = item->size;
	int err;

	if (stop_requested()) {
		mine->cancelled++;
		return;
	}
	err = run->variant->process(item, &digest);
	if (err)
		mine->failed++;
	else
		mine->p99_ns = run->variant->count(mine, size, digest, clock_now_ns() - item->born_ns);
}

static void *worker_run(void *arg)
{
	struct run *run = arg;
	struct tally mine = { 0 };
	void *item;

	while (!queue_pop(&run->queue, &item)) {
		work_on(run, item, &mine);
		run->variant->drop(item);
	}
	run->variant->merge(&mine, &run->all);
	return NULL;
}

/*
 * Without any worker nobody would empty the queue, so closing it is what ends the producer then. With some workers
 * fewer than asked for, the work goes on and the error is told at the end.
 */
static int run_threads(struct run *run)
{
	pthread_t producer, workers[MAX_WORKERS];
	uint64_t count = 0;
	int err;

	for (; count < opt.workers; count++) {
		err = book_thread(&workers[count], "worker", (unsigned int)count + 1, worker_run, run);
		if (err)
			break;
	}
	err = count ? book_thread(&producer, "producer", 0, producer_run, run) : EAGAIN;
	if (err)
		queue_close(&run->queue);
	else
		book_wait("join", NULL, pthread_join(producer, NULL));
	for (uint64_t i = 0; i < count; i++)
		book_wait("join", NULL, pthread_join(workers[i], NULL));
	return err || count < opt.workers ? -EAGAIN : 0;
}

static int run_batch(struct run *run)
{
	uint64_t start_ns = clock_now_ns();
	int err = queue_init(&run->queue, opt.queue_cap);

	if (err)
		return err;
	err = run->variant->init(&opt);
	if (!err) {
		err = run_threads(run);
		run->variant->release();
	}
	queue_release(&run->queue);
	run->wall_ns = clock_now_ns() - start_ns;
	return err;
}

/* Every item is accounted for, and none failed that wasn't broken. */
static int is_sound(const struct run *run)
{
	const struct tally *all = &run->all;

	if (all->done + all->failed + all->cancelled != run->produced || run->out_of_memory)
		return 0;
	return stop_requested() ? all->failed <= run->broken : all->failed == run->broken;
}

static void print_summary(const struct run *run)
{
	const struct tally *all = &run->all;
	double seconds = (double)run->wall_ns / 1e9;

	printf("batch %s: %lu items, %.1f MiB in %.2f s (%.0f items/s), %lu failed, %lu cancelled\n",
	       run->variant->name, all->done, (double)all->bytes / (1 << 20), seconds, (double)all->done / seconds,
	       all->failed, all->cancelled);
	printf("latency: mean %.2f ms, worst %.2f ms; queue: at most %zu of %lu\n",
	       all->done ? (double)all->latency_ns / (double)all->done / 1e6 : 0, (double)all->max_latency_ns / 1e6,
	       run->queue.max_len, opt.queue_cap);
	if (all->p99_ns)
		printf("latency of the newest ones: 99 %% below %.2f ms\n", (double)all->p99_ns / 1e6);
	printf("digest: %016lx\n", all->digest);
}

static void print_truth(const struct run *run)
{
	printf("{\"program\":\"batch\",\"variant\":\"%s\",\"items\":%lu,\"failed\":%lu,\"cancelled\":%lu,"
	       "\"bytes\":%lu,\"digest\":\"%016lx\",\"wall_ns\":%lu,\"interrupted\":%s,",
	       run->variant->name, run->all.done, run->all.failed, run->all.cancelled, run->all.bytes, run->all.digest,
	       run->wall_ns, stop_requested() ? "true" : "false");
	books_print(stdout);
	printf("}\n");
}

static const struct variant *find_variant(const char *name)
{
	static const struct variant *const all[] = { &variant_naive, &variant_pooled };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (!strcmp(all[i]->name, name))
			return all[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static struct run run;
	int err;

	books_stdout();
	options_parse(argc, argv, "batch", about, rows);
	run.variant = find_variant(opt.variant);
	if (!run.variant || opt.min_size > opt.max_size) {
		fprintf(stderr, "batch: %s\n",
			run.variant ? "--min-size is above --max-size" : "--variant is naive or pooled");
		return 2;
	}
	err = stop_install();
	if (!err)
		err = run_batch(&run);
	if (err)
		fprintf(stderr, "batch: %s\n", strerror(-err));
	else if (!is_sound(&run))
		fprintf(stderr, "batch: the books don't balance\n");
	(opt.has_truth ? print_truth : print_summary)(&run);
	stop_release();
	return err || !is_sound(&run) || fflush(stdout) ? 1 : 0;
}
