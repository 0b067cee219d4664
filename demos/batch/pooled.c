/* SPDX-License-Identifier: MIT */
/*
 * pooled.c - the same work after a look at the profile.
 *
 * All buffers are made at the start and go round between producer and workers: one more than can be in use at once,
 * so that taking one waits only as long as the queue would. Results have their final size from the beginning, and
 * each worker counts for itself.
 */
#include "batch/batch.h"

#include <errno.h>
#include <pthread.h>

#include "common/books.h"
#include "common/queue.h"

static const struct options *options;
static struct queue spares; /* items with their buffers, ready for use */
static pthread_mutex_t merge_lock = PTHREAD_MUTEX_INITIALIZER;

static void free_buffers(struct item *item)
{
	book_free(item->result, result_size(options->max_size));
	book_free(item->work, options->max_size);
	book_free(item->bytes, options->max_size);
	book_free(item, sizeof(*item));
}

__attribute__((noinline)) static struct item *make_buffers(void)
{
	struct item *item = book_calloc(1, sizeof(*item));

	if (!item)
		return NULL;
	item->bytes = book_malloc(options->max_size);
	item->work = book_malloc(options->max_size);
	item->result = book_malloc(result_size(options->max_size));
	if (item->bytes && item->work && item->result)
		return item;
	free_buffers(item);
	return NULL;
}

static void pooled_release(void)
{
	void *item;

	queue_close(&spares);
	while (!queue_pop(&spares, &item))
		free_buffers(item);
	queue_release(&spares);
}

static int pooled_init(const struct options *opt)
{
	/* Queued ones, one in the hands of each worker, one in the producer's, one to spare. */
	uint64_t count = opt->queue_cap + opt->workers + 2;
	int err;

	options = opt;
	err = queue_init(&spares, count);
	if (err)
		return err;
	for (uint64_t i = 0; i < count; i++) {
		struct item *item = make_buffers();

		if (!item) {
			pooled_release();
			return -ENOMEM;
		}
		queue_push(&spares, item);
	}
	return 0;
}

static struct item *take_spare(size_t size)
{
	void *item = NULL;

	if (queue_pop(&spares, &item))
		return NULL;
	((struct item *)item)->size = size;
	return item;
}

static void give_back(struct item *item)
{
	queue_push(&spares, item);
}

static int pooled_process(struct item *item, uint64_t *digest)
{
	size_t result_len = result_size(item->size);
	char *line = item->result;
	uint32_t checksum;

	if (sum_bytes(item->bytes, item->size) != item->sum)
		return -EBADMSG;
	book_cpu("double_bytes", double_bytes(item->work, item->bytes, item->size, options->passes));
	book_cpu("checksum_bytes", checksum = checksum_bytes(item->work, item->size));
	for (size_t i = 0; i < item->size; i += CHUNK, line += RESULT_LINE)
		format_chunk(line, item->work + i, item->size - i < CHUNK ? item->size - i : CHUNK);
	*digest = digest_result(item->result, result_len) ^ checksum;
	return 0;
}

/* The worker's own tally: no lock, nothing shared. */
static uint64_t count_alone(struct tally *worker, uint64_t bytes, uint64_t digest, uint64_t latency_ns)
{
	worker->done++;
	worker->bytes += bytes;
	worker->digest += digest;
	worker->latency_ns += latency_ns;
	if (latency_ns > worker->max_latency_ns)
		worker->max_latency_ns = latency_ns;
	return 0;
}

static void merge_tally(const struct tally *worker, struct tally *all)
{
	book_wait("mutex", NULL, pthread_mutex_lock(&merge_lock));
	all->done += worker->done;
	all->failed += worker->failed;
	all->cancelled += worker->cancelled;
	all->bytes += worker->bytes;
	all->digest += worker->digest;
	all->latency_ns += worker->latency_ns;
	if (worker->max_latency_ns > all->max_latency_ns)
		all->max_latency_ns = worker->max_latency_ns;
	pthread_mutex_unlock(&merge_lock);
}

const struct variant variant_pooled = {
	.name = "pooled",
	.init = pooled_init,
	.release = pooled_release,
	.take = take_spare,
	.drop = give_back,
	.process = pooled_process,
	.count = count_alone,
	.merge = merge_tally,
};
