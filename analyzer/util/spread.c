/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "analyzer/util/spread.h"
#include "analyzer/util/whole.h"

void spread_release(struct spread *s)
{
	free(s->values);
	free(s->histogram);
	*s = (struct spread){ 0 };
}

static void become_histogram(struct spread *s)
{
	s->histogram = calloc(1, sizeof(*s->histogram));
	if (!s->histogram)
		return;
	for (uint32_t i = 0; i < s->kept; i++)
		histogram_add_many(s->histogram, s->values[2 * i], s->values[2 * i + 1]);
	free(s->values);
	s->values = NULL;
	s->kept = 0;
}

static void keep(struct spread *s, uint64_t value, uint64_t weight)
{
	if (!s->values)
		s->values = malloc(2 * SPREAD_EXACT * sizeof(*s->values));
	if (!s->values)
		return;
	s->values[2 * s->kept] = value;
	s->values[2 * s->kept + 1] = weight;
	s->kept++;
}

void spread_add(struct spread *s, uint64_t value, uint64_t weight)
{
	if (!s->count || value < s->min)
		s->min = value;
	if (value > s->max)
		s->max = value;
	s->count += weight;
	s->sum += value * weight;
	if (s->kept == SPREAD_EXACT)
		become_histogram(s);
	if (s->histogram)
		histogram_add_many(s->histogram, value, weight);
	else if (s->kept < SPREAD_EXACT)
		keep(s, value, weight);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

uint64_t spread_percentile(struct spread *s, double percent)
{
	uint64_t wanted, seen = 0, kept = 0;

	if (s->histogram) {
		uint64_t value = histogram_percentile(s->histogram, percent);

		return value < s->min ? s->min : value > s->max ? s->max : value;
	}
	for (uint32_t i = 0; i < s->kept; i++)
		kept += s->values[2 * i + 1];
	wanted = whole_u64((double)kept * percent / 100 + 0.999999);
	if (!s->kept)
		return s->max;
	qsort(s->values, s->kept, 2 * sizeof(*s->values), by_value);
	for (uint32_t i = 0; i < s->kept; i++) {
		seen += s->values[2 * i + 1];
		if (seen >= wanted)
			return s->values[2 * i];
	}
	return s->max;
}
