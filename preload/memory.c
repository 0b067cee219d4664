/* SPDX-License-Identifier: MIT */
/* memory.c - see memory.h. */
#include "preload/memory.h"

#include "preload/clock.h"
#include "preload/proc.h"
#include "preload/raw.h"

#define EVERY_NS 10000000u
#define PAUSE_SPINS 20000u /* of about 50 ns: a reader that was preempted is not waited for */

static uint64_t every_ticks, due_tick;
static uint32_t readers, forks;

void memory_begin(void)
{
	every_ticks = clock_ticks(EVERY_NS);
	due_tick = 0;
	readers = forks = 0;
}

bool memory_is_due(uint64_t now)
{
	uint64_t due = __atomic_load_n(&due_tick, __ATOMIC_RELAXED);

	return now >= due && __atomic_compare_exchange_n(&due_tick, &due, now + every_ticks, false, __ATOMIC_RELAXED,
							 __ATOMIC_RELAXED);
}

/* Where there is no /proc there will be none later. */
static bool fill(struct rec_memory *record)
{
	uint64_t rss_bytes, file_bytes;

	if (!proc_memory(&rss_bytes, &file_bytes)) {
		__atomic_store_n(&due_tick, UINT64_MAX, __ATOMIC_RELAXED);
		return false;
	}
	record->rss_bytes = rss_bytes;
	record->file_bytes = file_bytes;
	record->brk = (uint64_t)raw1(SYS_brk, 0);
	return true;
}

bool memory_read(struct rec_memory *record)
{
	bool is_read = false;

	__atomic_add_fetch(&readers, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&forks, __ATOMIC_SEQ_CST))
		is_read = fill(record);
	__atomic_sub_fetch(&readers, 1, __ATOMIC_SEQ_CST);
	return is_read;
}

void memory_pause(void)
{
	__atomic_add_fetch(&forks, 1, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < PAUSE_SPINS && __atomic_load_n(&readers, __ATOMIC_SEQ_CST); i++)
#if defined(__x86_64__)
		__builtin_ia32_pause();
#else
		;
#endif
}

void memory_resume(void)
{
	__atomic_sub_fetch(&forks, 1, __ATOMIC_SEQ_CST);
}
