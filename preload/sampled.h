/* SPDX-License-Identifier: MIT */
/*
 * sampled.h - the set of sampled blocks that still live, so that only their frees are recorded.
 *
 * A byte filter answers almost every free with one load; behind it is a lock-free open-addressed set.
 * All functions are async-signal-safe and lock-free.
 */
#ifndef RINGSIDE_PRELOAD_SAMPLED_H
#define RINGSIDE_PRELOAD_SAMPLED_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/compiler.h"

#define SAMPLED_FILTER_BITS 16

/*
 * Per hash of an address, how many sampled blocks live there, sticking at 255. Another table may stand here: one of
 * zeros when no free is of interest, NULL when every free is.
 */
extern const uint8_t *sampled_filter HIDDEN;

static inline uint64_t sampled_hash(const void *block)
{
	return ((uint64_t)(uintptr_t)block >> 3) * UINT64_C(0x9e3779b97f4a7c15);
}

/* sampled_is_other - certainly no block whose free must be looked at. One load. */
static inline bool sampled_is_other(const void *block)
{
	const uint8_t *filter = sampled_filter;

	return filter && !__atomic_load_n(&filter[sampled_hash(block) >> (64 - SAMPLED_FILTER_BITS)], __ATOMIC_RELAXED);
}

/* sampled_begin - make the set (again, empty, in a child). false: no memory. */
bool sampled_begin(void);

/* sampled_switch - from now on sampled_filter is the set's; or, with `is_off`, nothing is looked at. */
void sampled_switch(bool is_off);

/*
 * sampled_add - keep a block, with a number of the caller's.
 * Returns false when the set has no room near the block's place: it must not be recorded then.
 */
bool sampled_add(void *block, uint32_t number);

/* sampled_remove - true and its number when the block was in the set. */
bool sampled_remove(void *block, uint32_t *number);

#endif
