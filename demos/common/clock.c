/* SPDX-License-Identifier: MIT */
/* clock.c - reading clocks. */
#include "common/clock.h"

#include <errno.h>
#include <time.h>

#define NS_PER_S 1000000000ull

static uint64_t read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_now_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_thread_cpu_ns(void)
{
	return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t clock_process_cpu_ns(void)
{
	return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void clock_sleep_ns(uint64_t dur_ns)
{
	struct timespec left = { (time_t)(dur_ns / NS_PER_S), (long)(dur_ns % NS_PER_S) };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}
