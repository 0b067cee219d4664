/* SPDX-License-Identifier: MIT */
/* tails.c - 600 tasks of half a millisecond of work; every fiftieth sleeps 8 ms in a place of its own. */
#include "ringside.h"
#include <time.h>

#include "common/clock.h"

static void work(void)
{
	uint64_t until = clock_thread_cpu_ns() + 500000;

	while (clock_thread_cpu_ns() < until)
		for (volatile int i = 0; i < 1000; i++)
			;
}

__attribute__((noinline)) static void rare_sleep(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 8000000 }, NULL);
	__asm__ volatile("");
}

static void request(int number)
{
	ringside_task task = ringside_task_begin("request");
	ringside_region region = ringside_region_begin(task, "serve");

	work();
	if (number % 50 == 49)
		rare_sleep();
	ringside_region_end(region);
	ringside_task_end(task);
}

int main(void)
{
	for (int i = 0; i < 600; i++)
		request(i);
	return 0;
}
