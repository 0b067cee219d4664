/* SPDX-License-Identifier: MIT */
/*
 * spread.h - how values are spread: number, least, most, sum, and percentiles. For thousands of them at once: the first
 * few values are kept as they are, so percentiles are exact; more make it a histogram (histogram.h: right to 1.6 %).
 */
#ifndef RINGSIDE_UTIL_SPREAD_H
#define RINGSIDE_UTIL_SPREAD_H

#include <stdint.h>

#include "analyzer/util/histogram.h"

#define SPREAD_EXACT 32u

/* Ready when zeroed. Values may have weights; without memory for a histogram percentiles are those of what came first.
 */
struct spread {
	uint64_t count, min, max, sum; /* count and sum: weighted */
	uint32_t kept;
	uint64_t *values; /* SPREAD_EXACT pairs of value and weight; NULL: none yet, or a histogram */
	struct histogram *histogram;
};

void spread_release(struct spread *s);
void spread_add(struct spread *s, uint64_t value, uint64_t weight);
/* spread_percentile - the value that `percent` (0 to 100) of all do not exceed; 0 when empty. */
uint64_t spread_percentile(struct spread *s, double percent);

#endif
