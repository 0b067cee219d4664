/* SPDX-License-Identifier: MIT */
/*
 * trend.h - whether evenly spaced values rise or fall, and how fast, without a guess at their distribution.
 *
 * Both look at all pairs: a few outliers change neither.
 */
#ifndef RINGSIDE_UTIL_TREND_H
#define RINGSIDE_UTIL_TREND_H

#include <stddef.h>

#define TREND_MAX 128u /* values */

/* trend_slope - Theil and Sen: the median of the slopes of all pairs, per step. 0 for fewer than 2 values. */
double trend_slope(const double *values, size_t len);

/*
 * trend_test - Mann and Kendall.
 *
 * sign:     pairs that rise minus pairs that fall.
 * Returns:  the probability of at least such an excess when there is no trend, two-sided, by the normal approximation
 *           with ties accounted for; 1 for fewer than 3 values.
 */
double trend_test(const double *values, size_t len, long *sign);

#endif
