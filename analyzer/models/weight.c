/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "analyzer/models/weight.h"

struct weight weight_of_sample(double mean, uint64_t size)
{
	double weight = mean > 0 && size ? 1 / -expm1(-(double)size / mean) : 1;

	return (struct weight){ (uint64_t)llround(weight * WEIGHT_ONE), (uint64_t)llround(weight * (double)size) };
}

double weight_variance(double mean, uint64_t size)
{
	double kept = mean > 0 && size ? -expm1(-(double)size / mean) : 1;

	return (1 - kept) / (kept * kept);
}
