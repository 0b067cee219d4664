/* SPDX-License-Identifier: MIT */
/* clock.h - the two clocks the workloads measure themselves with, and a sleep that keeps its length. */
#ifndef DEMOS_COMMON_CLOCK_H
#define DEMOS_COMMON_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC in ns. About 25 ns. */
uint64_t clock_now_ns(void);

/* CPU time of the calling thread, user and system, in ns. A system call: about 200 ns. */
uint64_t clock_thread_cpu_ns(void);

/* CPU time of the whole process, user and system, in ns. */
uint64_t clock_process_cpu_ns(void);

/* Sleeps dur_ns in full: an interrupting signal doesn't shorten it. */
void clock_sleep_ns(uint64_t dur_ns);

#endif
