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

/* sampled_begin - make the set (again, empty, in a child). false: no memory. */
bool sampled_begin(void);

/* sampled_add - false when the set has no room near the block's place: it must not be recorded then. */
bool sampled_add(void *block);

/* sampled_remove - true when the block was in the set. */
bool sampled_remove(void *block);

#endif
