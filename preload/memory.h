/* SPDX-License-Identifier: MIT */
/*
 * memory.h - what the process holds of memory, now and then: for reports that show it over time.
 *
 * Read by whoever has the time for it: the handler of a CPU sample, so a program that sleeps is not looked at, and
 * nothing changes there meanwhile. Resident memory as it is now stands in /proc/self/statm only, so a descriptor is
 * open for some microseconds. That must not be seen: a program that closes a descriptor and opens another one expects
 * to get the same number. The only thread of a process can't do that meanwhile. While there are several, getrusage
 * tells what the most was so far; unless rss=1 says that it does not matter. A child that is forked at that moment
 * would keep the descriptor, so forks and readings wait for or leave out each other.
 */
#ifndef RINGSIDE_PRELOAD_MEMORY_H
#define RINGSIDE_PRELOAD_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "format/record.h"

/* memory_begin - when recording begins, in a child too. memory_threads - one more, or one less. */
void memory_begin(void);
void memory_threads(int by);

/* memory_is_due - is it time for a reading? True for one of those who ask at one time. Cost: a load. */
bool memory_is_due(uint64_t now);

/*
 * memory_read - fill all but the head. false: a fork is going on, or it can't be known.
 * Safety: async-signal-safe, no lock; two to four system calls, 1 to 4 us.
 */
bool memory_read(struct rec_memory *record);

/* memory_pause - a fork begins: wait, not long, for readings of other threads. memory_resume - it is over, in the
 * parent. */
void memory_pause(void);
void memory_resume(void);

#endif
