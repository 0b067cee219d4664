/* SPDX-License-Identifier: MIT */
/*
 * naive.c - the variant written without a thought for memory or locks.
 *
 * What a profile must find here: an item costs five blocks and a result that grows line by line (grow_result), all
 * freed again at once; note_item leaks the note of every leak_every-th item; rank_latencies sorts under the one
 * metrics lock while every other worker waits in count_item.
 */
#include "batch/batch.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/books.h"

#define LATENCIES 768 /* newest ones, ranked after each item */
#define NOTE_SIZE 80

static const struct options *options;
static struct {
	pthread_mutex_t lock;
	uint64_t latencies[LATENCIES];
	uint64_t ranked[LATENCIES];
	uint64_t seen;
} metrics = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int naive_init(const struct options *opt)
{
	options = opt;
	return 0;
}

static void naive_release(void)
{
}

__attribute__((noinline)) static struct item *make_item(size_t size)
{
	struct item *item = book_calloc(1, sizeof(*item));

	if (!item)
		return NULL;
	item->size = size;
	item->bytes = book_malloc(size);
	if (!item->bytes) {
		book_free(item, sizeof(*item));
		return NULL;
	}
	return item;
}

static void drop_item(struct item *item)
{
	book_free(item->bytes, item->size);
	book_free(item, sizeof(*item));
}

/* A copy nobody needs. */
__attribute__((noinline)) static uint8_t *copy_bytes(const struct item *item)
{
	uint8_t *copy = book_malloc(item->size);

	return copy ? memcpy(copy, item->bytes, item->size) : NULL;
}

__attribute__((noinline)) static uint8_t *doubled_bytes(const uint8_t *bytes, size_t size)
{
	uint8_t *out = book_malloc(size);

	if (out)
		book_cpu("double_bytes", double_bytes(out, bytes, size, options->passes));
	return out;
}

/* Room for one more line, and only for that one. Returns 0 or -ENOMEM. */
__attribute__((noinline)) static int grow_result(char **result, size_t *size)
{
	char *grown = book_realloc(*result, *size, *size + RESULT_LINE);

	if (!grown)
		return -ENOMEM;
	*result = grown;
	*size += RESULT_LINE;
	return 0;
}

/* The result stays the caller's, also after an error. */
static int build_result(const uint8_t *bytes, size_t size, char **result, size_t *result_len)
{
	for (size_t i = 0; i < size; i += CHUNK) {
		int err = grow_result(result, result_len);

		if (err)
			return err;
		format_chunk(*result + *result_len - RESULT_LINE, bytes + i, size - i < CHUNK ? size - i : CHUNK);
	}
	return 0;
}

__attribute__((noinline)) static char *note_item(const struct item *item, uint32_t checksum)
{
	char *note = book_malloc(NOTE_SIZE);

	if (note)
		snprintf(note, NOTE_SIZE, "item %lu: %zu bytes, checksum %08x", item->id, item->size, checksum);
	return note;
}

static void drop_note(char *note, uint64_t id)
{
	if (options->leak_every && id % options->leak_every == 0) {
		book_leak("note_item", NOTE_SIZE);
		return;
	}
	book_free(note, NOTE_SIZE);
}

static int naive_process(struct item *item, uint64_t *digest)
{
	uint8_t *copy = copy_bytes(item), *out = NULL;
	char *result = NULL, *note = NULL;
	size_t result_len = 0;
	uint32_t checksum = 0;
	int err = copy ? 0 : -ENOMEM;

	if (!err && sum_bytes(copy, item->size) != item->sum)
		err = -EBADMSG;
	if (!err && !(out = doubled_bytes(copy, item->size)))
		err = -ENOMEM;
	if (!err) {
		book_cpu("checksum_bytes", checksum = checksum_bytes(out, item->size));
		note = note_item(item, checksum);
		book_cpu("build_result", err = build_result(out, item->size, &result, &result_len));
	}
	if (!err)
		*digest = digest_result(result, result_len) ^ checksum;
	if (note)
		drop_note(note, item->id);
	book_free(result, result_len);
	book_free(out, item->size);
	book_free(copy, item->size);
	return err;
}

/* Sorts a copy of all latencies to know one of them: insertion sort, with the lock held. */
__attribute__((noinline)) static uint64_t rank_latencies(uint64_t count)
{
	memcpy(metrics.ranked, metrics.latencies, count * sizeof(*metrics.ranked));
	for (uint64_t i = 1; i < count; i++) {
		uint64_t value = metrics.ranked[i], at = i;

		for (; at > 0 && metrics.ranked[at - 1] > value; at--)
			metrics.ranked[at] = metrics.ranked[at - 1];
		metrics.ranked[at] = value;
	}
	return metrics.ranked[count * 99 / 100];
}

__attribute__((noinline)) static uint64_t count_item(struct tally *worker, uint64_t bytes, uint64_t digest,
						     uint64_t latency_ns)
{
	uint64_t count, p99_ns;

	book_wait_while("mutex", "count_item", "rank_latencies", pthread_mutex_lock(&metrics.lock));
	metrics.latencies[metrics.seen++ % LATENCIES] = latency_ns;
	count = metrics.seen < LATENCIES ? metrics.seen : LATENCIES;
	book_cpu("rank_latencies", p99_ns = rank_latencies(count));
	worker->done++;
	worker->bytes += bytes;
	worker->digest += digest;
	worker->latency_ns += latency_ns;
	if (latency_ns > worker->max_latency_ns)
		worker->max_latency_ns = latency_ns;
	pthread_mutex_unlock(&metrics.lock);
	return p99_ns;
}

static void merge_tally(const struct tally *worker, struct tally *all)
{
	pthread_mutex_lock(&metrics.lock);
	all->done += worker->done;
	all->failed += worker->failed;
	all->cancelled += worker->cancelled;
	all->bytes += worker->bytes;
	all->digest += worker->digest;
	all->latency_ns += worker->latency_ns;
	if (worker->max_latency_ns > all->max_latency_ns)
		all->max_latency_ns = worker->max_latency_ns;
	all->p99_ns = worker->p99_ns ? worker->p99_ns : all->p99_ns;
	pthread_mutex_unlock(&metrics.lock);
}

const struct variant variant_naive = {
	.name = "naive",
	.init = naive_init,
	.release = naive_release,
	.take = make_item,
	.drop = drop_item,
	.process = naive_process,
	.count = count_item,
	.merge = merge_tally,
};
