// SPDX-License-Identifier: MIT
/*
 * reach.c - how long a snapshot of reach=mark holds a program up: reach MEGABYTES BLOCK_SIZE. All blocks point to two
 * others. Prints as JSON the length of the pause and the CPU time in it, and how much slower writing is while the copy
 * works.
 */
#include <ringside.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WRITE_MS 50

struct node {
	struct node *next, *other;
	volatile char rest[];
};

static double ms_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double now_ms(void)
{
	return ms_of(CLOCK_MONOTONIC);
}

/* Touches pages all over the heap, a bit of each; how many in the time. */
static size_t write_for(struct node **all, size_t len, double ms)
{
	double end = now_ms() + ms;
	size_t writes = 0;

	for (size_t at = 0; now_ms() < end; writes++) {
		all[at]->rest[0]++;
		at = (at + 7919) % len;
	}
	return writes;
}

int main(int argc, char **argv)
{
	size_t size = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000, len, before, during;
	struct node **all;
	double pause, cpu;

	len = (argc > 1 ? strtoul(argv[1], NULL, 10) : 100) * 1000000 / size;
	all = malloc(len * sizeof(*all));
	for (size_t i = 0; i < len; i++) {
		all[i] = malloc(size);
		memset(all[i], 1, size);
		all[i]->next = i ? all[i - 1] : NULL;
		all[i]->other = i ? all[i * 7919 % i] : NULL;
	}
	before = write_for(all, len, WRITE_MS);
	pause = now_ms();
	cpu = ms_of(CLOCK_THREAD_CPUTIME_ID);
	ringside_mark("bench");
	cpu = ms_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
	pause = now_ms() - pause;
	during = write_for(all, len, WRITE_MS);
	printf("{\"blocks\": %zu, \"pause_ms\": %.3f, \"pause_cpu_ms\": %.3f, \"writes\": %zu, \"writes_during\": "
	       "%zu}\n",
	       len, pause, cpu, before, during);
	return 0;
}
