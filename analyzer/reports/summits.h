/* SPDX-License-Identifier: MIT */
/*
 * summits.h - the highest moments of a curve, each a mountain of its own: a summit counts by its prominence, how far
 * one must go down from it before one can go up to a higher one.
 *
 * The curve is given point by point. Only turns are kept; when there are more than SUMMITS_TURNS of them the smaller
 * half of the waves is forgotten, and so are waves of that size from then on. Memory is bounded, a point costs a
 * comparison or two, and what stands out stays exact.
 */
#ifndef RINGSIDE_SUMMITS_H
#define RINGSIDE_SUMMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUMMITS_TURNS 4096u

struct summit {
	uint64_t value, when, ordinal; /* as given */
	uint64_t prominence;
};

/* Ready when zeroed. Turns are a bottom, a top, a bottom, ... */
struct summits {
	struct summit turns[SUMMITS_TURNS + 2];
	size_t len;
	bool is_rising;
	uint64_t wave; /* changes of direction by no more than this are none */
};

/* summits_add - the next point: its value, when it was, and a number that the caller knows it by. */
void summits_add(struct summits *s, uint64_t value, uint64_t when, uint64_t ordinal);

/* summits_highest - up to `max` tops by prominence, the global one first. Returns how many. */
size_t summits_highest(const struct summits *s, struct summit *out, size_t max);

#endif
