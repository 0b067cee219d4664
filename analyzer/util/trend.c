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

double trend_related(const double *values, size_t len, double slope)
{
	double rest[TREND_MAX], mean = 0, all = 0, pairs = 0, related;

	if (len > TREND_MAX)
		len = TREND_MAX;
	if (len < 6)
		return 0;
	for (size_t i = 0; i < len; i++) {
		rest[i] = values[i] - slope * (double)i;
		mean += rest[i] / (double)len;
	}
	for (size_t i = 0; i < len; i++) {
		all += (rest[i] - mean) * (rest[i] - mean);
		pairs += i ? (rest[i] - mean) * (rest[i - 1] - mean) : 0;
	}
	related = all > 0 ? ((double)len * pairs / all + 1) / (double)(len - 4) : 0;
	return related < 0 ? 0 : related > 0.99 ? 0.99 : related;
}

double trend_test(const double *values, size_t len, double related, long *sign)
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
	z = ((double)labs(*sign) - 1) / sqrt(variance * (1 + related) / (1 - related));
	return erfc(z / sqrt(2));
}
