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
 * related:  how much each value is like the one before it, see trend_related; 0: not at all.
 * sign:     pairs that rise minus pairs that fall.
 * Returns:  the probability of at least such an excess when there is no trend, two-sided, by the normal approximation
 *           with ties accounted for; 1 for fewer than 3 values.
 */
double trend_test(const double *values, size_t len, double related, long *sign);

/*
 * trend_related - the correlation of what a straight line of this slope leaves of neighbours, 0 to 0.99: such values
 * wander, and a test that takes them for independent finds trends in that. Corrected for what few values make too low.
 */
double trend_related(const double *values, size_t len, double slope);

#endif
