/* SPDX-License-Identifier: MIT */
/*
 * clock.h - the tick every record is stamped with.
 *
 * The invariant TSC where the processor has one (10 ns a reading, no call), else CLOCK_MONOTONIC by a raw
 * system call. Ticks become ns in the analyzer, which fits them to the clock pairs of the dump; in here only
 * thresholds are converted, with a rate calibrated at start (good to about 1 %).
 */
#ifndef RINGSIDE_PRELOAD_CLOCK_H
#define RINGSIDE_PRELOAD_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "format/record.h"
#include "preload/compiler.h"

extern bool clock_is_tsc HIDDEN;

/* clock_begin - choose the source and calibrate; about 50 us, once. */
void clock_begin(void);

/* clock_mono_ns - CLOCK_MONOTONIC; clock_thread_cpu_ns - CPU time of the calling thread (0.5 us). */
uint64_t clock_mono_ns(void);
uint64_t clock_thread_cpu_ns(void);
uint64_t clock_process_cpu_ns(void);

/* clock_ticks - a duration in ticks; UINT64_MAX stays. */
uint64_t clock_ticks(uint64_t ns);

/* clock_ns - a duration in ns, to about 1 %. */
uint64_t clock_ns(uint64_t ticks);

/* clock_pair - both clocks at one moment. */
struct rsd_clock clock_pair(void);

/* clock_tsc - clock_now when clock_is_tsc is known to be true. */
static inline uint64_t clock_tsc(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	return clock_mono_ns();
#endif
}

static inline uint64_t clock_now(void)
{
	return likely(clock_is_tsc) ? clock_tsc() : clock_mono_ns();
}

#endif
