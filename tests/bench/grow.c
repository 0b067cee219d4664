/* SPDX-License-Identifier: MIT */
/* grow.c - a buffer that realloc grows by 48 bytes up to 48 KiB, again and again. */
#include "bench.h"

#define STEP 48
#define STEPS 1024

static void grow(long ops, long index)
{
	char *buffer = NULL;

	(void)index;
	for (long i = 0; i < ops; i++) {
		if (i % STEPS == 0) {
			free(buffer);
			buffer = NULL;
		}
		buffer = realloc(buffer, (size_t)(i % STEPS + 1) * STEP);
		buffer[i % STEPS] = 1;
	}
	free(buffer);
}

int main(int argc, char **argv)
{
	struct bench bench = bench_args(argc, argv, 3000000);

	return bench_run(&bench, grow, "realloc");
}
