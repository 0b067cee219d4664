/* SPDX-License-Identifier: MIT */
/* storm.c - threads that live for nothing, eight at a time: what it costs to get known and to be forgotten. */
#include "bench.h"

#define AT_ONCE 8

static void *live(void *arg)
{
	free(malloc(64));
	return arg;
}

static void storm(long ops, long index)
{
	pthread_t threads[AT_ONCE];

	(void)index;
	for (long i = 0; i < ops; i += AT_ONCE) {
		for (long k = 0; k < AT_ONCE; k++)
			if (pthread_create(&threads[k], NULL, live, NULL))
				abort();
		for (long k = 0; k < AT_ONCE; k++)
			pthread_join(threads[k], NULL);
	}
}

int main(int argc, char **argv)
{
	struct bench bench = bench_args(argc, argv, 20000);

	bench.ops = (bench.ops + AT_ONCE - 1) / AT_ONCE * AT_ONCE;
	bench_stay_here();
	return bench_run(&bench, storm, "thread");
}
