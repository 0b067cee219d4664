/* SPDX-License-Identifier: MIT */
/*
 * weight.h - how much a recorded block stands for.
 *
 * A block of an exact recording is one block. A sampled one was kept with the probability 1 - exp(-size/mean) and
 * stands for the inverse, which makes all sums unbiased for blocks of any size. Counts are in WEIGHT_ONEths so that
 * such weights add up; bytes are whole.
 */
#ifndef RINGSIDE_WEIGHT_H
#define RINGSIDE_WEIGHT_H

#include <stdbool.h>
#include <stdint.h>

#define WEIGHT_ONE 65536u

struct weight {
	uint64_t ones, bytes;
};

/* weight_of_sample - of a sampled block of `size` bytes; mean: bytes between samples, 0: the block stands for itself.
 */
struct weight weight_of_sample(double mean, uint64_t size);

/*
 * weight_variance - of the number of blocks that one sampled block stands for; times size squared: of the bytes. The
 * sum over all samples estimates the variance of a total, and 1.96 times its root the half of a 95 % interval.
 */
double weight_variance(double mean, uint64_t size);

static inline struct weight weight_of(double mean, uint64_t size, bool is_sampled)
{
	return is_sampled ? weight_of_sample(mean, size) : (struct weight){ WEIGHT_ONE, size };
}

/* weight_count - a count in whole blocks. */
static inline uint64_t weight_count(uint64_t ones)
{
	return (ones + WEIGHT_ONE / 2) / WEIGHT_ONE;
}

#endif
