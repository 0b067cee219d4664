/* SPDX-License-Identifier: MIT */
/*
 * batch.h - a batch processor: a producer feeds a bounded queue, workers double and check the bytes of each item.
 *
 * The same work exists twice. `naive` allocates for every step of every item and keeps its metrics under one hot
 * lock; `pooled` takes buffers from a pool and merges the metrics of the workers at the end. Both give the same
 * digest, so that what differs is only what a profiler is asked to find.
 */
#ifndef DEMOS_BATCH_BATCH_H
#define DEMOS_BATCH_BATCH_H

#include <stddef.h>
#include <stdint.h>

struct options {
	uint64_t items, workers, queue_cap;
	uint64_t min_size, max_size; /* bytes of an item */
	uint64_t passes;	     /* how often each item is doubled */
	uint64_t fail_every;	     /* every so many items arrive broken; 0: none */
	uint64_t leak_every;	     /* naive drops the note of every so many items; 0: none */
	uint64_t seed;
	const char *variant;
	int has_truth;
};

struct item {
	uint64_t id;
	uint64_t born_ns;
	size_t size;
	uint8_t sum; /* of the bytes, as the producer says */
	uint8_t *bytes;
	uint8_t *work; /* pooled: room for the doubled bytes, max_size */
	char *result;  /* pooled: room for the result, result_size(max_size) */
};

/* What a worker, or all of them, did. */
struct tally {
	uint64_t done, failed, cancelled;
	uint64_t bytes;
	uint64_t digest; /* sum over the items, so that their order doesn't matter */
	uint64_t latency_ns, max_latency_ns;
	uint64_t p99_ns; /* newest one that the variant knows, or 0 */
};

/* How one variant gets memory and keeps its metrics; `self` is what init made. */
struct variant {
	const char *name;
	int (*init)(const struct options *opt); /* 0 or -errno */
	void (*release)(void);
	struct item *(*take)(size_t size); /* an item with room for `size` bytes; NULL: no memory */
	void (*drop)(struct item *item);
	/* 0 and the digest, -EBADMSG when the item is broken, -ENOMEM. The item stays the caller's. */
	int (*process)(struct item *item, uint64_t *digest);
	/* Returns the 99th percentile of the latest latencies, 0 if the variant doesn't keep it. */
	uint64_t (*count)(struct tally *worker, uint64_t bytes, uint64_t digest, uint64_t latency_ns);
	/* Called once per worker at its end. */
	void (*merge)(const struct tally *worker, struct tally *all);
};
extern const struct variant variant_naive, variant_pooled;

/* The steps both variants share, all without memory of their own. */
void fill_bytes(struct item *item, uint64_t seed);
void double_bytes(uint8_t *out, const uint8_t *in, size_t size, uint64_t passes);
uint8_t sum_bytes(const uint8_t *bytes, size_t size);
uint32_t checksum_bytes(const uint8_t *bytes, size_t size);
/* Writes the result line of one chunk (RESULT_LINE bytes, not NUL terminated). */
void format_chunk(char *line, const uint8_t *bytes, size_t size);
uint64_t digest_result(const char *result, size_t size);

#define CHUNK 256u	/* bytes of an item that make one line of its result */
#define RESULT_LINE 32u /* bytes of such a line */

static inline size_t result_size(size_t bytes)
{
	return (bytes + CHUNK - 1) / CHUNK * RESULT_LINE;
}

#endif
