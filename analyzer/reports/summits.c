/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "analyzer/reports/summits.h"

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* How high the smaller half of the waves is; 0 without memory. */
static uint64_t median_wave(const struct summits *s)
{
	uint64_t *heights = malloc(s->len * sizeof(*heights)), median = 0;

	for (size_t i = 0; heights && i + 1 < s->len; i++)
		heights[i] = distance(s->turns[i].value, s->turns[i + 1].value);
	if (heights) {
		qsort(heights, s->len - 1, sizeof(*heights), by_size);
		median = heights[(s->len - 1) / 2];
	}
	free(heights);
	return median;
}

static void add(struct summits *s, const struct summit *point)
{
	struct summit *last = s->len ? &s->turns[s->len - 1] : NULL;

	if (!last) {
		s->turns[s->len++] = *point;
		return;
	}
	if (point->value == last->value)
		return;
	if (s->len > 1 && (point->value > last->value) == s->is_rising) {
		*last = *point;
		return;
	}
	if (distance(point->value, last->value) <= s->wave)
		return;
	s->is_rising = point->value > last->value;
	s->turns[s->len++] = *point;
}

/* The same curve without its smaller waves. */
static void smooth(struct summits *s)
{
	size_t len = s->len;
	uint64_t wave = median_wave(s);

	/* It grows each time, so that this comes to an end. */
	s->wave = wave > s->wave ? wave : 2 * s->wave + 1;
	s->len = 0;
	for (size_t i = 0; i < len; i++)
		add(s, &s->turns[i]);
}

void summits_add(struct summits *s, uint64_t value, uint64_t when, uint64_t ordinal)
{
	struct summit point = { .value = value, .when = when, .ordinal = ordinal };

	add(s, &point);
	while (s->len > SUMMITS_TURNS)
		smooth(s);
}

static bool is_top(const struct summits *s, size_t i)
{
	return (!i || s->turns[i - 1].value < s->turns[i].value) &&
	       (i + 1 == s->len || s->turns[i + 1].value < s->turns[i].value);
}

/* The lowest point on the way from a top to a higher one, in one direction; to the end of the curve: 0. */
static uint64_t saddle(const struct summits *s, size_t top, bool is_left)
{
	uint64_t low = s->turns[top].value;

	for (size_t i = top; is_left ? i-- > 0 : ++i < s->len;) {
		if (s->turns[i].value < low)
			low = s->turns[i].value;
		/* Of equals the first counts as the higher one. */
		if (s->turns[i].value > s->turns[top].value || (is_left && s->turns[i].value == s->turns[top].value))
			return low;
	}
	return 0;
}

static int by_prominence(const void *a, const void *b)
{
	const struct summit *x = a, *y = b;

	if (x->prominence != y->prominence)
		return x->prominence > y->prominence ? -1 : 1;
	return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

size_t summits_highest(const struct summits *s, struct summit *out, size_t max)
{
	struct summit *tops = malloc((s->len + 1) * sizeof(*tops));
	size_t len = 0;

	for (size_t i = 0; tops && i < s->len; i++) {
		uint64_t left, right;

		if (!is_top(s, i))
			continue;
		left = saddle(s, i, true);
		right = saddle(s, i, false);
		tops[len] = s->turns[i];
		tops[len++].prominence = s->turns[i].value - (left > right ? left : right);
	}
	if (len > 1)
		qsort(tops, len, sizeof(*tops), by_prominence);
	if (len > max)
		len = max;
	if (len)
		memcpy(out, tops, len * sizeof(*tops));
	free(tops);
	return len;
}
