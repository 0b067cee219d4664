/* SPDX-License-Identifier: MIT */
/*
 * pingpong.c - two threads take turns by a mutex and a condition: each operation is a wait and a wake.
 *
 * Both stay on one core. Else it is chance whether a turn crosses cores, and waking an idle core of a virtual machine
 * takes longer than all that is measured here.
 */
#include <sched.h>

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

static void stay_here(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((unsigned)sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		perror("pingpong: sched_setaffinity");
}

int main(int argc, char **argv)
{
	struct bench bench = bench_args(argc, argv, 100000);

	bench.threads = 2;
	bench.is_serial = 1;
	stay_here();
	return bench_run(&bench, play, "turn");
}
