/* SPDX-License-Identifier: MIT */
/*
 * curve.h - live bytes of the heap over time in a bounded number of points, with the highest one kept exactly.
 *
 * Nobody knows how long a recording is before it was read to its end: points begin with a short time each, and when
 * there are too many, each two become one.
 */
#ifndef RINGSIDE_CURVE_H
#define RINGSIDE_CURVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CURVE_POINTS 256u
#define CURVE_FIRST_NS 1000u

/* Part of the time: the highest moment and the last one. */
struct curve_point {
	bool is_set;
	uint64_t top_ns, top_bytes;
	uint64_t last_ns, last_bytes;
};

/* Ready when zeroed. */
struct curve {
	struct curve_point points[CURVE_POINTS];
	size_t len;
	uint64_t width_ns;
};

/* curve_add - so many bytes are live from `ns` on; moments ascend. */
void curve_add(struct curve *c, uint64_t ns, uint64_t bytes);

#endif
