/* SPDX-License-Identifier: MIT */
/* memory.c - see memory.h. */
#include "preload/memory.h"

#include <sys/resource.h>

#include "preload/clock.h"
#include "preload/config.h"
#include "preload/proc.h"
#include "preload/raw.h"

#define EVERY_NS 10000000u
#define PAUSE_SPINS 20000u /* of about 50 ns: a reader that was preempted is not waited for */

static uint64_t every_ticks, due_tick;
static uint32_t readers, forks, threads;

void memory_begin(void)
{
	every_ticks = clock_ticks(EVERY_NS);
	due_tick = 0;
	readers = forks = threads = 0;
}

void memory_threads(int by)
{
	__atomic_add_fetch(&threads, (uint32_t)by, __ATOMIC_SEQ_CST);
}

bool memory_is_due(uint64_t now)
{
	uint64_t due = __atomic_load_n(&due_tick, __ATOMIC_RELAXED);

	return now >= due && __atomic_compare_exchange_n(&due_tick, &due, now + every_ticks, false, __ATOMIC_RELAXED,
							 __ATOMIC_RELAXED);
}

static bool fill_most(struct rec_memory *record)
{
	struct rusage usage;

	if (raw2(SYS_getrusage, RUSAGE_SELF, &usage) != 0)
		return false;
	record->rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
	record->flags = RSD_MEMORY_MOST;
	return true;
}

static bool fill_now(struct rec_memory *record)
{
	uint64_t rss_bytes, file_bytes;

	if (!proc_memory(&rss_bytes, &file_bytes))
		return false;
	record->rss_bytes = rss_bytes;
	record->file_bytes = file_bytes;
	return true;
}

static bool fill(struct rec_memory *record)
{
	bool may_open = config.rss || __atomic_load_n(&threads, __ATOMIC_SEQ_CST) == 1;

	*record = (struct rec_memory){ .brk = (uint64_t)raw1(SYS_brk, 0) };
	return (may_open && fill_now(record)) || fill_most(record);
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
