/* SPDX-License-Identifier: MIT */
/*
 * staircase.c - memory in steps that a timeline must show: five blocks of 8 MiB one after the other, a mapping of
 * 32 MiB for a while, then all is given back. Every page is touched, and each step burns CPU time, so that samples see it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/clock.h"

#define STEPS 5
#define BLOCK_BYTES ((size_t)8 << 20)
#define MAPPED_BYTES ((size_t)32 << 20)
#define STEP_NS 50000000u

/* Of CPU time: on a busy machine a step takes longer, not fewer samples. */
static void burn(void)
{
	uint64_t until = clock_thread_cpu_ns() + STEP_NS;

	while (clock_thread_cpu_ns() < until)
		;
}

int main(void)
{
	char *blocks[STEPS], *mapped;

	burn();
	for (int i = 0; i < STEPS; i++) {
		blocks[i] = malloc(BLOCK_BYTES);
		if (!blocks[i])
			return 1;
		memset(blocks[i], i + 1, BLOCK_BYTES);
		burn();
	}
	mapped = mmap(NULL, MAPPED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mapped == MAP_FAILED)
		return 1;
	memset(mapped, 1, MAPPED_BYTES);
	burn();
	munmap(mapped, MAPPED_BYTES);
	for (int i = 0; i < STEPS; i++)
		free(blocks[i]);
	burn();
	return 0;
}
