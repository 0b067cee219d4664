/* SPDX-License-Identifier: MIT */
/*
 * memory.h - what the process holds of memory, now and then: for reports that show it over time.
 *
 * Read from /proc/self/statm by whoever has the time for it: the handler of a CPU sample, so a program that sleeps is
 * not looked at, and nothing changes there meanwhile. A descriptor is open for some microseconds. A child that is
 * forked at that moment would keep it, so forks and readings wait for or leave out each other.
 */
#ifndef RINGSIDE_PRELOAD_MEMORY_H
#define RINGSIDE_PRELOAD_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "format/record.h"

/* memory_begin - when recording begins, in a child too. */
void memory_begin(void);

/* memory_is_due - is it time for a reading? True for one of those who ask at one time. Cost: a load. */
bool memory_is_due(uint64_t now);

/*
 * memory_read - fill all but the head. false: a fork is going on, or it can't be known.
 * Safety: async-signal-safe, no lock; a few system calls, about 4 us.
 */
bool memory_read(struct rec_memory *record);

/* memory_pause - a fork begins: wait, not long, for readings of other threads. memory_resume - it is over, in the
 * parent. */
void memory_pause(void);
void memory_resume(void);

#endif
