/* SPDX-License-Identifier: MIT */
/* churn.c - malloc and free in turn, 1024 blocks alive in each thread: the cost of recording a pair. */
#include "bench.h"

#define WINDOW 1024

static void churn(long ops, long index)
{
	uint32_t random = 2463534242u + (uint32_t)index;
	void *window[WINDOW] = { NULL };

	for (long i = 0; i < ops; i++) {
		void **slot = &window[i % WINDOW];

		free(*slot);
		*slot = malloc(16 + bench_random(&random) % 240);
		*(char *)*slot = 1;
	}
	for (long i = 0; i < WINDOW; i++)
		free(window[i]);
}

int main(int argc, char **argv)
{
	struct bench bench = bench_args(argc, argv, 5000000);

	return bench_run(&bench, churn, "pair");
}
