/* SPDX-License-Identifier: MIT */
/*
 * bushy.c - PAIRS of malloc and free, spread over four threads and 8^6 different stacks, with a wait of 1 ms now and
 * then: a recording that is large in every way.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define THREADS 4
#define DEPTH 6

static long pairs;

typedef void branch(uint64_t path, int depth);
static branch *const branches[8];

static void leaf(uint64_t path)
{
	void *block = malloc(16 + path % 200);

	__asm__ volatile("" : : "r"(block) : "memory");
	free(block);
}

/* Eight functions that differ in name only; the next three bits of the path say which one comes next. */
#define BRANCH(n)                                                                                                      \
	__attribute__((noinline)) static void branch_##n(uint64_t path, int depth)                                     \
	{                                                                                                              \
		if (depth)                                                                                             \
			branches[path & 7](path >> 3, depth - 1);                                                      \
		else                                                                                                   \
			leaf(path);                                                                                    \
		__asm__ volatile("" : : "i"(n));                                                                       \
	}
BRANCH(0) BRANCH(1) BRANCH(2) BRANCH(3) BRANCH(4) BRANCH(5) BRANCH(6) BRANCH(7)
static branch *const branches[8] = { branch_0, branch_1, branch_2, branch_3, branch_4, branch_5, branch_6, branch_7 };

static void *run(void *arg)
{
	uint64_t state = (uint64_t)(uintptr_t)arg * 0x9e3779b97f4a7c15u + 1;

	for (long i = 0; i < pairs / THREADS; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		branches[state >> 61](state >> 34, DEPTH - 1);
		if (i % (pairs / THREADS / 50) == 0)
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	pairs = argc > 1 ? atol(argv[1]) : 400000;
	if (pairs < 400)
		return 2;
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, run, (void *)(i + 1));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
