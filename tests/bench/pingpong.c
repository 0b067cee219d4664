/* SPDX-License-Identifier: MIT */
/* pingpong.c - two threads take turns by a mutex and a condition: each operation is a wait and a wake. */
#include "bench.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long turn;

static void play(long ops, long index)
{
	for (long i = 0; i < ops; i++) {
		pthread_mutex_lock(&lock);
		while (turn != index)
			pthread_cond_wait(&changed, &lock);
		turn = !index;
		pthread_cond_signal(&changed);
		pthread_mutex_unlock(&lock);
	}
}

int main(int argc, char **argv)
{
	struct bench bench = bench_args(argc, argv, 100000);

	bench.threads = 2;
	bench.is_serial = 1;
	bench_stay_here();
	return bench_run(&bench, play, "turn");
}
