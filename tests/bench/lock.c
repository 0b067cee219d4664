/* SPDX-License-Identifier: MIT */
/*
 * lock.c - lock and unlock of a mutex: with one thread nobody ever waits, with more all want the same one,
 * which is held for about 200 ns.
 */
#include "bench.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile long shared;
static int is_shared;

static void spend(long rounds)
{
	for (long i = 0; i < rounds; i++)
		shared = shared * 3 + 1;
}

static void take(long ops, long index)
{
	(void)index;
	for (long i = 0; i < ops; i++) {
		pthread_mutex_lock(&lock);
		if (is_shared)
			spend(50);
		pthread_mutex_unlock(&lock);
	}
}

int main(int argc, char **argv)
{
	struct bench bench = bench_args(argc, argv, 20000000);

	is_shared = bench.threads > 1;
	return bench_run(&bench, take, "lock+unlock");
}
