/* SPDX-License-Identifier: MIT */
/*
 * deep.c - wanders up and down a deep stack of unlike frames and allocates everywhere.
 *
 * Depths are around and far beyond the limit that a recorder has for stacks; frames have frame pointers or not, arrays
 * of variable size, and alignments that need more than a stack pointer to find their caller. Steps are taken from a
 * generator, so the sum is known.
 */
#include <alloca.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "common/rng.h"

#define KINDS 5

static struct rng rng = { 7 };
static uint64_t steps_left;

typedef uint64_t frame_fn(unsigned int depth);
static frame_fn plain, pointered, with_alloca, aligned, aligned_alloca;
static frame_fn *const kinds[KINDS] = { plain, pointered, with_alloca, aligned, aligned_alloca };

/* On the way down to `depth` more frames: sometimes up and down again, always an allocation. */
static uint64_t go_on(unsigned int depth)
{
	uint64_t sum = 0;
	char *volatile block;

	do {
		uint64_t choice = rng_next(&rng);

		block = malloc(16 + choice % 100);
		if (!block)
			exit(1);
		block[0] = (char)depth;
		if (depth && steps_left) {
			steps_left--;
			sum += kinds[choice % KINDS](depth - 1);
		}
		sum += (unsigned char)block[0];
		free(block);
	} while (steps_left && rng_next(&rng) % 50 == 0);
	return sum;
}

static uint64_t plain(unsigned int depth)
{
	volatile char pad[24] = { 0 };

	return go_on(depth) + (uint64_t)pad[3];
}

__attribute__((optimize("no-omit-frame-pointer"))) static uint64_t pointered(unsigned int depth)
{
	volatile char pad[120] = { 0 };

	return go_on(depth) + (uint64_t)pad[3];
}

static uint64_t with_alloca(unsigned int depth)
{
	volatile char *pad = alloca(depth % 64 + 8);

	pad[0] = 1;
	return go_on(depth) + (uint64_t)pad[0];
}

static uint64_t aligned(unsigned int depth)
{
	volatile char pad[64] __attribute__((aligned(64)));

	pad[0] = (uintptr_t)pad % 64 == 0;
	return go_on(depth) + (uint64_t)pad[0];
}

static uint64_t aligned_alloca(unsigned int depth)
{
	volatile char pad[64] __attribute__((aligned(64)));
	volatile char *more = alloca(depth % 64 + 8);

	pad[0] = (uintptr_t)pad % 64 == 0;
	more[0] = 1;
	return go_on(depth) + (uint64_t)(pad[0] + more[0]);
}

int main(int argc, char **argv)
{
	uint64_t steps = 20000, depth = 400, sum = 0;
	const struct option_row rows[] = {
		{ "steps", OPTION_NUMBER, &steps, 1, 1000000000, "calls to make" },
		{ "depth", OPTION_NUMBER, &depth, 1, 10000, "frames at most" },
		{ 0 },
	};

	options_parse(argc, argv, "deep", "Wanders up and down a deep stack and allocates everywhere.\n", rows);
	steps_left = steps;
	while (steps_left)
		sum += go_on((unsigned int)rng_between(&rng, 1, depth));
	printf("deep: %lu calls, sum %lu\n", steps, sum);
	return fflush(stdout) ? 1 : 0;
}
