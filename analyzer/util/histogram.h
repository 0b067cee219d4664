/* SPDX-License-Identifier: MIT */
/*
 * histogram.h - counts of durations by size, for percentiles. Log-linear: 32 steps per power of two, so a
 * percentile is right to 1.6 %. Fixed size, values up to UINT64_MAX.
 */
#ifndef RINGSIDE_UTIL_HISTOGRAM_H
#define RINGSIDE_UTIL_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEP_BITS 5
#define HISTOGRAM_BUCKETS ((65 - HISTOGRAM_STEP_BITS) << HISTOGRAM_STEP_BITS)

struct histogram {
	uint64_t count, max;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t value);
void histogram_add_many(struct histogram *h, uint64_t value, uint64_t times);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* histogram_percentile - the value that `percent` (0 to 100) of all values do not exceed; 0 when empty, at most max. */
uint64_t histogram_percentile(const struct histogram *h, double percent);

#endif
