/* SPDX-License-Identifier: MIT */
/*
 * handoff.c - one thread allocates, another frees. Blocks change hands in batches of 4096, so that the two
 * semaphore calls of a batch don't count.
 */
#include <semaphore.h>

#include "bench.h"

#define BATCH 4096
#define BATCHES 8

static void *batches[BATCHES][BATCH];
static sem_t filled, empty;

static void produce(long rounds)
{
	for (long i = 0; i < rounds; i++) {
		sem_wait(&empty);
		for (long k = 0; k < BATCH; k++)
			batches[i % BATCHES][k] = malloc(16 + (size_t)(k * 37 % 200));
		sem_post(&filled);
	}
}

static void consume(long rounds)
{
	for (long i = 0; i < rounds; i++) {
		sem_wait(&filled);
		for (long k = 0; k < BATCH; k++)
			free(batches[i % BATCHES][k]);
		sem_post(&empty);
	}
}

/* A block passes both threads, so that each of them handles all, not its half. */
static void work(long ops, long index)
{
	if (index)
		consume(2 * ops / BATCH);
	else
		produce(2 * ops / BATCH);
}

int main(int argc, char **argv)
{
	struct bench bench = bench_args(argc, argv, 4000000);

	bench.threads = 2;
	if (sem_init(&filled, 0, 0) || sem_init(&empty, 0, BATCHES))
		return 1;
	return bench_run(&bench, work, "block");
}
