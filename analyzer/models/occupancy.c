/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "analyzer/models/occupancy.h"
#include "analyzer/util/list.h"

struct page_part {
	uint32_t group;
	uint64_t bytes;
};

void occupancy_release(struct occupancy *o)
{
	free(o->spots);
	free(o->groups);
	free(o->parts);
	*o = (struct occupancy){ 0 };
}

void occupancy_add(struct occupancy *o, uint64_t addr, uint64_t size, uint32_t group)
{
	if (list_grow((void **)&o->spots, &o->spots_cap, o->spots_len, sizeof(*o->spots))) {
		o->failed = true;
		return;
	}
	if (!size)
		size = 1;
	if (addr + size < addr)
		size = UINT64_MAX - addr;
	o->spots[o->spots_len++] = (struct spot){ addr, size, group };
}

static int by_addr(const void *a, const void *b)
{
	const struct spot *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* ---- pages ---------------------------------------------------------------------------------------------------- */

static void count_page(struct occupancy *o)
{
	uint64_t used = 0, bytes = 0;

	for (size_t i = 0; i < o->parts_len; i++)
		bytes += o->parts[i].bytes;
	if (!bytes)
		return;
	used = bytes < OCCUPANCY_PAGE ? bytes : OCCUPANCY_PAGE;
	o->pages++;
	o->bytes += (double)used;
	o->bins[used == OCCUPANCY_PAGE ? OCCUPANCY_BINS - 1 : used * OCCUPANCY_BINS / OCCUPANCY_PAGE]++;
	for (size_t i = 0; i < o->parts_len; i++) {
		struct group_pages *g = &o->groups[o->parts[i].group];
		double empty = (double)(OCCUPANCY_PAGE - used) * (double)o->parts[i].bytes / (double)bytes;

		g->pages++;
		g->alone += o->parts_len == 1;
		if (used >= OCCUPANCY_SPARSE)
			continue;
		g->sparse++;
		g->empty += empty;
		o->empty += empty;
	}
	o->sparse += used < OCCUPANCY_SPARSE;
}

static void add_part(struct occupancy *o, uint32_t group, uint64_t bytes)
{
	for (size_t i = o->parts_len; i-- > 0;)
		if (o->parts[i].group == group) {
			o->parts[i].bytes += bytes;
			return;
		}
	if (list_grow((void **)&o->parts, &o->parts_cap, o->parts_len, sizeof(*o->parts)))
		o->failed = true;
	else
		o->parts[o->parts_len++] = (struct page_part){ group, bytes };
}

static void turn_page(struct occupancy *o, uint64_t page)
{
	if (page == o->page)
		return;
	count_page(o);
	o->parts_len = 0;
	o->page = page;
}

/* Pages that one block has for itself: there may be millions of them. */
static void count_whole(struct occupancy *o, struct group_pages *g, uint64_t pages)
{
	o->pages += pages;
	o->bins[OCCUPANCY_BINS - 1] += pages;
	o->bytes += (double)pages * OCCUPANCY_PAGE;
	g->pages += pages;
	g->alone += pages;
}

static void count_spot(struct occupancy *o, const struct spot *s)
{
	struct group_pages *g = list_reach((void **)&o->groups, &o->groups_len, s->group, sizeof(*g));
	uint64_t first = s->addr / OCCUPANCY_PAGE, last = (s->addr + s->size - 1) / OCCUPANCY_PAGE;
	uint64_t in_first = OCCUPANCY_PAGE - s->addr % OCCUPANCY_PAGE;

	if (!g) {
		o->failed = true;
		return;
	}
	g->blocks++;
	g->bytes += s->size;
	if (first < o->page) /* an overlap, where a free was not recorded */
		first = last < o->page ? last : o->page;
	turn_page(o, first);
	add_part(o, s->group, s->size < in_first ? s->size : in_first);
	if (last == first)
		return;
	count_whole(o, g, last - first - 1);
	turn_page(o, last);
	add_part(o, s->group, (s->addr + s->size - 1) % OCCUPANCY_PAGE + 1);
}

void occupancy_count(struct occupancy *o)
{
	if (o->spots_len)
		qsort(o->spots, o->spots_len, sizeof(*o->spots), by_addr);
	for (size_t i = 0; i < o->spots_len && !o->failed; i++)
		count_spot(o, &o->spots[i]);
	turn_page(o, UINT64_MAX);
}

/* ---- the upper end -------------------------------------------------------------------------------------------- */

/* How many spots begin below `addr`. */
static size_t below(const struct occupancy *o, uint64_t addr)
{
	size_t low = 0, high = o->spots_len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (o->spots[middle].addr < addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_off(const struct top_step *steps, size_t len, uint32_t group)
{
	for (size_t i = 0; i < len; i++)
		if (steps[i].group == group)
			return true;
	return false;
}

size_t occupancy_top(const struct occupancy *o, uint64_t from, uint64_t to, struct top_step *steps, size_t max,
		     uint64_t *end)
{
	size_t first = below(o, from), at = below(o, to), len = 0;

	*end = at > first ? o->spots[at - 1].addr + o->spots[at - 1].size : 0;
	while (at > first) {
		const struct spot *s = &o->spots[at - 1];

		if (!is_off(steps, len, s->group)) {
			if (len)
				steps[len - 1].freed = *end - (s->addr + s->size);
			if (len == max)
				return len;
			steps[len++] = (struct top_step){ .group = s->group };
		}
		steps[len - 1].blocks++;
		steps[len - 1].bytes += s->size;
		at--;
	}
	if (len)
		steps[len - 1].freed = *end - o->spots[first].addr;
	return len;
}
