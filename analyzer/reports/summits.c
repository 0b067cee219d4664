/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "analyzer/reports/summits.h"

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/*
 * Take the two neighbouring turns out that are closest in height: a wave. The first and the last turn stay, for the
 * curve has to begin somewhere and goes on at its end.
 */
static void forget_smallest(struct summits *s)
{
	size_t best = 1;

	for (size_t i = 1; i + 2 < s->len; i++)
		if (distance(s->turns[i].value, s->turns[i + 1].value) <
		    distance(s->turns[best].value, s->turns[best + 1].value))
			best = i;
	memmove(&s->turns[best], &s->turns[best + 2], (s->len - best - 2) * sizeof(*s->turns));
	s->len -= 2;
}

void summits_add(struct summits *s, uint64_t value, uint64_t when, uint64_t ordinal)
{
	struct summit point = { .value = value, .when = when, .ordinal = ordinal };
	struct summit *last = s->len ? &s->turns[s->len - 1] : NULL;

	if (!last) {
		s->turns[s->len++] = point;
		return;
	}
	if (value == last->value)
		return;
	if (s->len > 1 && (value > last->value) == s->is_rising) {
		*last = point;
		return;
	}
	s->is_rising = value > last->value;
	s->turns[s->len++] = point;
	if (s->len > SUMMITS_TURNS)
		forget_smallest(s);
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
