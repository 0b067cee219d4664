/* SPDX-License-Identifier: MIT */
/* rng.h - a small generator (splitmix64), so that a seed gives the same work on every machine. */
#ifndef DEMOS_COMMON_RNG_H
#define DEMOS_COMMON_RNG_H

#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* Uniform in [low, high]; the bias of the modulo is below 2^-32 for the ranges used here. */
static inline uint64_t rng_between(struct rng *rng, uint64_t low, uint64_t high)
{
	return low + rng_next(rng) % (high - low + 1);
}

#endif
