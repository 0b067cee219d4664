/* SPDX-License-Identifier: MIT */
/* clock.c - choice of the tick and its calibration. */
#include "preload/clock.h"

#include <time.h>

#include "preload/raw.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

bool clock_is_tsc;
static uint64_t ticks_per_1024_ns = 1024;

static uint64_t clock_read(clockid_t id)
{
	struct timespec ts;

	raw2(SYS_clock_gettime, id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

uint64_t clock_thread_cpu_ns(void)
{
	return clock_read(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t clock_process_cpu_ns(void)
{
	return clock_read(CLOCK_PROCESS_CPUTIME_ID);
}

/* CPUID 0x80000007 EDX bit 8: the TSC runs at one rate in all power states. */
static bool tsc_is_invariant(void)
{
#if defined(__x86_64__)
	unsigned a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && d & 1u << 8;
#else
	return false;
#endif
}

struct rsd_clock clock_pair(void)
{
	struct rsd_clock best = { 0, 0 };
	uint64_t best_width = UINT64_MAX;

	/* The narrowest of three brackets: an interrupt between the readings would skew the pair. */
	for (int i = 0; i < 3; i++) {
		uint64_t before = clock_now();
		uint64_t mono = clock_mono_ns();
		uint64_t after = clock_now();

		if (after - before < best_width) {
			best_width = after - before;
			best = (struct rsd_clock){ before + (after - before) / 2, mono };
		}
	}
	return best;
}

void clock_begin(void)
{
	struct rsd_clock from, to;

	clock_is_tsc = tsc_is_invariant();
	if (!clock_is_tsc)
		return;
	from = clock_pair();
	do
		to = clock_pair();
	while (to.mono_ns - from.mono_ns < 40000);
	ticks_per_1024_ns = (to.tick - from.tick) * 1024 / (to.mono_ns - from.mono_ns);
	if (!ticks_per_1024_ns)
		ticks_per_1024_ns = 1;
}

uint64_t clock_ticks(uint64_t ns)
{
	if (ns == UINT64_MAX)
		return UINT64_MAX;
	return (uint64_t)((unsigned __int128)ns * ticks_per_1024_ns / 1024);
}

uint64_t clock_ns(uint64_t ticks)
{
	return (uint64_t)((unsigned __int128)ticks * 1024 / ticks_per_1024_ns);
}
