/* SPDX-License-Identifier: MIT */
/* pipe.c - one byte into a pipe and out again, by one thread: two system calls that never wait. */
#include "bench.h"

static int ends[2];

static void pass(long ops, long index)
{
	char byte = 0;

	(void)index;
	for (long i = 0; i < ops; i++)
		if (write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1)
			abort();
}

int main(int argc, char **argv)
{
	struct bench bench = bench_args(argc, argv, 500000);

	if (pipe(ends))
		return 1;
	return bench_run(&bench, pass, "write+read");
}
