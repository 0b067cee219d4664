/* SPDX-License-Identifier: MIT */
/* burn.c - arithmetic and nothing else: only CPU sampling can slow it down. */
#include "bench.h"

static volatile uint64_t result;

static void burn(long ops, long index)
{
	uint64_t value = (uint64_t)index;

	for (long i = 0; i < ops; i++) {
		value = value * 6364136223846793005ull + 1442695040888963407ull;
		value ^= value >> 29;
	}
	result = value;
}

int main(int argc, char **argv)
{
	struct bench bench = bench_args(argc, argv, 400000000);

	return bench_run(&bench, burn, "step");
}
