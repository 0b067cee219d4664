/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "analyzer/util/trend.h"

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

double trend_slope(const double *values, size_t len)
{
	double slopes[TREND_MAX * (TREND_MAX - 1) / 2];
	size_t n = 0;

	if (len > TREND_MAX)
		len = TREND_MAX;
	for (size_t j = 1; j < len; j++)
		for (size_t i = 0; i < j; i++)
			slopes[n++] = (values[j] - values[i]) / (double)(j - i);
	if (!n)
		return 0;
	qsort(slopes, n, sizeof(slopes[0]), compare);
	return n % 2 ? slopes[n / 2] : (slopes[n / 2 - 1] + slopes[n / 2]) / 2;
}

static double pairs_term(double n)
{
	return n * (n - 1) * (2 * n + 5);
}

/* What equal values take from the variance. */
static double ties(const double *values, size_t len)
{
	double sorted[TREND_MAX], sum = 0;
	size_t same = 1;

	for (size_t i = 0; i < len; i++)
		sorted[i] = values[i];
	qsort(sorted, len, sizeof(sorted[0]), compare);
	for (size_t i = 1; i <= len; i++) {
		if (i < len && sorted[i] == sorted[i - 1]) {
			same++;
			continue;
		}
		sum += pairs_term((double)same);
		same = 1;
	}
	return sum;
}

double trend_test(const double *values, size_t len, long *sign)
{
	double variance, z;

	*sign = 0;
	if (len > TREND_MAX)
		len = TREND_MAX;
	for (size_t j = 1; j < len; j++)
		for (size_t i = 0; i < j; i++)
			*sign += (values[j] > values[i]) - (values[j] < values[i]);
	if (len < 3 || !*sign)
		return 1;
	variance = (pairs_term((double)len) - ties(values, len)) / 18;
	z = ((double)labs(*sign) - 1) / sqrt(variance);
	return erfc(z / sqrt(2));
}
