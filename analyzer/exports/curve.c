/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "analyzer/exports/curve.h"

static struct curve_point both(const struct curve_point *a, const struct curve_point *b)
{
	struct curve_point p = b->is_set ? *b : *a;

	if (a->is_set && a->top_bytes >= p.top_bytes) {
		p.top_bytes = a->top_bytes;
		p.top_ns = a->top_ns;
	}
	return p;
}

static void halve(struct curve *c)
{
	for (size_t i = 0; i < CURVE_POINTS / 2; i++)
		c->points[i] = both(&c->points[2 * i], &c->points[2 * i + 1]);
	memset(c->points + CURVE_POINTS / 2, 0, CURVE_POINTS / 2 * sizeof(c->points[0]));
	c->len = (c->len + 1) / 2;
	c->width_ns *= 2;
}

void curve_add(struct curve *c, uint64_t ns, uint64_t bytes)
{
	struct curve_point *p;

	if (!c->width_ns)
		c->width_ns = CURVE_FIRST_NS;
	while (ns / c->width_ns >= CURVE_POINTS)
		halve(c);
	p = &c->points[ns / c->width_ns];
	if (ns / c->width_ns >= c->len)
		c->len = ns / c->width_ns + 1;
	if (!p->is_set || bytes > p->top_bytes) {
		p->top_ns = ns;
		p->top_bytes = bytes;
	}
	p->is_set = true;
	p->last_ns = ns;
	p->last_bytes = bytes;
}
