/* SPDX-License-Identifier: MIT */
/*
 * handoff.c - one thread allocates, another frees: each block ends where it was not made. The two work in turns of
 * 16384 blocks, so that waiting for each other doesn't count and it isn't chance how they meet in the allocator.
 */
#include "bench.h"

#define BATCH 16384

static void *blocks[BATCH];
static pthread_barrier_t turn;

static void produce(void)
{
	for (long k = 0; k < BATCH; k++)
		blocks[k] = malloc(16 + (size_t)(k * 37 % 200));
}

static void consume(void)
{
	for (long k = 0; k < BATCH; k++)
		free(blocks[k]);
}

/* `ops` is this thread's half, and a block passes both threads. */
static void work(long ops, long index)
{
	for (long done = 0; done < 2 * ops; done += BATCH) {
		if (!index)
			produce();
		pthread_barrier_wait(&turn);
		if (index)
			consume();
		pthread_barrier_wait(&turn);
	}
}

int main(int argc, char **argv)
{
	struct bench bench = bench_args(argc, argv, 4000000);

	bench.threads = 2;
	bench.is_serial = 1;
	if (pthread_barrier_init(&turn, NULL, 2))
		return 1;
	return bench_run(&bench, work, "block");
}
