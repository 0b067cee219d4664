/* SPDX-License-Identifier: MIT */
/*
 * whole.h - real numbers cut to whole ones. C leaves undefined what becomes of a number outside the range, and a dump
 * may hold any: here it becomes the end of the range, and what is no number 0.
 */
#ifndef RINGSIDE_UTIL_WHOLE_H
#define RINGSIDE_UTIL_WHOLE_H

#include <stdint.h>

static inline uint64_t whole_u64(double x)
{
	return x >= 0x1p64 ? UINT64_MAX : x > 0 ? (uint64_t)x : 0;
}

static inline int64_t whole_i64(double x)
{
	return x >= 0x1p63 ? INT64_MAX : x <= -0x1p63 ? INT64_MIN : x < 0 || x > 0 ? (int64_t)x : 0;
}

/* whole_add - a sum that stops at the ends of the range. */
static inline int64_t whole_add(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? (a < 0 ? INT64_MIN : INT64_MAX) : sum;
}

#endif
