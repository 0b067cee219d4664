/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "analyzer/read/clock.h"

/* Ticks slower than 1 MHz or faster than 100 GHz are no clock: the pair is damaged. */
#define MULT_MIN ((UINT64_C(1) << 32) / 100)
#define MULT_MAX ((UINT64_C(1) << 32) * 1000)

uint64_t clock_mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t clock_now_tick(const struct rsd_header *h)
{
	if (h->tick_kind == RSD_TICK_MONO_NS)
		return clock_mono_ns();
#if defined(__x86_64__)
	if (h->tick_kind == RSD_TICK_TSC)
		return __builtin_ia32_rdtsc();
#endif
	return 0;
}

static bool slope(const struct rsd_clock *from, const struct rsd_clock *to, uint64_t *mult)
{
	unsigned __int128 m;

	if (to->tick <= from->tick || to->mono_ns <= from->mono_ns)
		return false;
	m = ((unsigned __int128)(to->mono_ns - from->mono_ns) << 32) / (to->tick - from->tick);
	if (m < MULT_MIN || m > MULT_MAX)
		return false;
	*mult = (uint64_t)m;
	return true;
}

void clock_fit(struct clock *c, const struct reader *r, bool is_live)
{
	const struct rsd_clock *start = &r->header.start;
	struct rsd_clock best = { 0, 0 }, now = { clock_now_tick(&r->header), clock_mono_ns() };

	*c = (struct clock){ .start_tick = start->tick, .mult = UINT64_C(1) << 32 };
	if (r->header.tick_kind == RSD_TICK_MONO_NS)
		return;
	if (slope(start, &r->header.end, &c->mult))
		return;
	if (is_live && slope(start, &now, &c->mult))
		return;
	for (size_t i = 0; i < r->extents_len; i++) {
		uint64_t mult;

		if (r->extents[i].base.mono_ns > best.mono_ns && slope(start, &r->extents[i].base, &mult))
			best = r->extents[i].base;
	}
	c->is_guess = !slope(start, &best, &c->mult);
}
