/* SPDX-License-Identifier: MIT */
/* clock.h - recorded ticks to nanoseconds since the recording began. */
#ifndef RINGSIDE_ANALYZER_CLOCK_H
#define RINGSIDE_ANALYZER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/read/reader.h"

/* ns = ticks * mult / 2^32, from the straight line through two clock pairs of the dump. */
struct clock {
	uint64_t start_tick;
	uint64_t mult;
	bool is_guess; /* no second pair was found: one tick counts as one ns */
};

/*
 * clock_fit - the line through header.start and the latest good pair after it: the end, else the extents'
 * bases, else (is_live) one taken now on this machine.
 */
void clock_fit(struct clock *c, const struct reader *r, bool is_live);

/* clock_now_tick - the tick of this moment, for the end of a live recording. 0 when it can't be told here. */
uint64_t clock_now_tick(const struct rsd_header *h);
uint64_t clock_mono_ns(void);

/* A duration; saturates. Moments before the start are 0. */
static inline uint64_t clock_dur_ns(const struct clock *c, uint64_t ticks)
{
	unsigned __int128 ns = (unsigned __int128)ticks * c->mult >> 32;

	return ns > INT64_MAX ? INT64_MAX : (uint64_t)ns;
}

static inline uint64_t clock_ns(const struct clock *c, uint64_t tick)
{
	return tick > c->start_tick ? clock_dur_ns(c, tick - c->start_tick) : 0;
}

/* clock_tick - the first tick at or after `ns`, the inverse of clock_ns. */
static inline uint64_t clock_tick(const struct clock *c, uint64_t ns)
{
	unsigned __int128 ticks = (((unsigned __int128)ns << 32) + c->mult - 1) / c->mult + c->start_tick;

	return ticks > UINT64_MAX ? UINT64_MAX : (uint64_t)ticks;
}

#endif
