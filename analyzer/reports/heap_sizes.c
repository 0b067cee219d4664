/* SPDX-License-Identifier: MIT */
/*
 * heap_sizes.c - which sizes are asked for. Classes have four steps per power of two, so that a class is at most a
 * quarter wider than its smallest size; exact sizes that are frequent stand in a table of their own, because they are
 * usually one struct. Memory is bounded: sizes below EXACT have a row each, of larger ones MANY distinct.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/models/crest.h"
#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "analyzer/util/map.h"
#include "analyzer/util/spread.h"

#define STEP_BITS 2u
#define STEPS (1u << STEP_BITS)
#define CLASSES 256u
#define EXACT 16384u /* bytes */
#define MANY 16384u
#define FREQUENT 100u /* one in so many, of the allocations or of the bytes at the peak */

struct row {
	uint64_t allocations, temporary; /* WEIGHT_ONEths */
	uint64_t bytes;
	struct crest_mark mark;
};

struct sizes {
	const struct report_run *r;
	struct lives lives;
	struct crest all;
	struct row classes[CLASSES];
	struct spread lived[CLASSES]; /* ns */
	struct row *exact;	      /* by size; from EXACT on in the order they are met */
	size_t exact_len;
	struct map large; /* size -> index in exact */
	bool has_more;	  /* distinct sizes than there are rows for */
};

/* The classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9-10, 11-12, 13-14, 15-16, 17-20, ... */
static unsigned class_of(uint64_t size)
{
	unsigned shift;

	if (size <= STEPS)
		return (unsigned)size;
	size--;
	shift = 63 - STEP_BITS - (unsigned)__builtin_clzll(size);
	return (shift + 1) * STEPS + (unsigned)(size >> shift & (STEPS - 1)) + 1;
}

/* The largest size of a class. */
static uint64_t class_max(unsigned class)
{
	unsigned shift = class > STEPS ? (class - 1) / STEPS - 1 : 0;

	if (class <= STEPS)
		return class;
	return shift == 61 && (class - 1) % STEPS == STEPS - 1 ? UINT64_MAX
							       : (uint64_t)(STEPS + 1 + (class - 1) % STEPS) << shift;
}

/* NULL: there are too many sizes, or no memory. */
static struct row *exact_row(struct sizes *s, uint64_t size)
{
	uint64_t index = size;

	if (size >= EXACT && !map_get(&s->large, size, &index)) {
		if (s->large.len == MANY) {
			s->has_more = true;
			return NULL;
		}
		index = EXACT + s->large.len;
		if (map_put(&s->large, size, index)) {
			s->lives.failed = true;
			return NULL;
		}
	}
	return list_reach((void **)&s->exact, &s->exact_len, index, sizeof(*s->exact));
}

static void rise(struct sizes *s, struct row *row, struct weight w)
{
	row->allocations += w.ones;
	row->bytes += w.bytes;
	crest_rise(&s->all, &row->mark, w);
}

static void born(void *self, struct life *life)
{
	struct sizes *s = self;
	struct weight w = lives_weight(&s->lives, life);
	struct row *exact = exact_row(s, life->size);

	rise(s, &s->classes[class_of(life->size)], w);
	life->tag = exact != NULL; /* whether its end is to be booked there too */
	if (exact)
		rise(s, exact, w);
	crest_rise_all(&s->all, w, life->born);
}

static void fall(struct sizes *s, struct row *row, struct weight w, bool is_temporary)
{
	crest_fall(&s->all, &row->mark, w);
	row->temporary += is_temporary ? w.ones : 0;
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct sizes *s = self;
	struct weight w = lives_weight(&s->lives, life);
	unsigned class = class_of(life->size);
	bool is_temporary = !end->between && end->fate != LIFE_LOST && !life->is_sampled;

	if (end->fate == LIFE_GOES_ON)
		return;
	fall(s, &s->classes[class], w, is_temporary);
	if (life->tag)
		fall(s, exact_row(s, life->size), w, is_temporary);
	crest_fall_all(&s->all, w);
	spread_add(&s->lived[class], report_span_ns(s->r, life->born, end->tick), w.ones);
}

static void put_columns(struct table *t)
{
	table_column(t, "blocks", "blocks", UNIT_COUNT);
	table_column(t, "bytes", "bytes", UNIT_BYTES);
	table_column(t, "at peak", "peak_blocks", UNIT_COUNT);
	table_column(t, "bytes at peak", "peak_bytes", UNIT_BYTES);
	table_column(t, "still alive", "alive", UNIT_COUNT);
	table_column(t, "bytes alive", "alive_bytes", UNIT_BYTES);
	table_column(t, "temporary", "temporary", UNIT_COUNT);
}

static void put_row(const struct sizes *s, struct table *t, struct row *row)
{
	crest_settle(&s->all, &row->mark);
	table_number(t, (int64_t)weight_count(row->allocations));
	table_number(t, (int64_t)row->bytes);
	table_number(t, (int64_t)weight_count(row->mark.peak_blocks));
	table_number(t, (int64_t)row->mark.peak_bytes);
	table_number(t, (int64_t)weight_count(row->mark.live_blocks));
	table_number(t, (int64_t)row->mark.live_bytes);
	table_number(t, (int64_t)weight_count(row->temporary));
}

static int print_classes(struct sizes *s, struct page *page)
{
	struct table *t = page_table(page, "By class: four steps per power of two", "classes");

	table_column(t, "from", "min_bytes", UNIT_COUNT);
	table_column(t, "to", "max_bytes", UNIT_COUNT);
	put_columns(t);
	table_column(t, "median life", "median_ns", UNIT_NS);
	for (unsigned class = 0; class < CLASSES; class ++) {
		struct row *row = &s->classes[class];

		if (!row->allocations)
			continue;
		table_row(t);
		table_number(t, class ? (int64_t)(class_max(class - 1) + 1) : 0);
		table_number(t, (int64_t)class_max(class));
		put_row(s, t, row);
		if (s->lived[class].count)
			table_number(t, (int64_t)spread_percentile(&s->lived[class], 50));
	}
	return report_order(s->r, t, 3);
}

static void put_exact(const struct sizes *s, struct table *t, uint64_t size, struct row *row, uint64_t allocations)
{
	crest_settle(&s->all, &row->mark);
	if (!row->allocations ||
	    (row->allocations < allocations / FREQUENT && row->mark.peak_bytes < s->all.peak_bytes / FREQUENT))
		return;
	table_row(t);
	table_number(t, (int64_t)size);
	put_row(s, t, row);
}

static void print_exact(struct sizes *s, struct page *page)
{
	struct table *t = page_table(page, "Sizes that are frequent", "sizes");
	struct map_iter it = { 0 };
	uint64_t allocations = 0;

	table_column(t, "size", "size_bytes", UNIT_COUNT);
	put_columns(t);
	for (unsigned class = 0; class < CLASSES; class ++)
		allocations += s->classes[class].allocations;
	for (uint64_t size = 0; size < s->exact_len && size < EXACT; size++)
		put_exact(s, t, size, &s->exact[size], allocations);
	while (map_next(&s->large, &it))
		if (it.value < s->exact_len)
			put_exact(s, t, it.key, &s->exact[it.value], allocations);
	table_sort(t, 0, false);
	report_rank(s->r, t, 1);
	page_note(page,
		  "frequent: at least 1 in %u of the allocations or of the bytes at the peak. temporary: freed before "
		  "its thread's next allocation. Medians are of the blocks that ended.",
		  FREQUENT);
	if (s->has_more)
		page_note(page,
			  "there are more than %u distinct sizes of %u bytes or more: later ones are in the "
			  "classes only",
			  MANY, EXACT);
}

static void release(struct sizes *s)
{
	for (unsigned class = 0; class < CLASSES; class ++)
		spread_release(&s->lived[class]);
	map_release(&s->large);
	free(s->exact);
	free(s);
}

int report_heap_sizes(struct report_run *r, struct page *page)
{
	struct sizes *s = calloc(1, sizeof(*s));
	struct groups groups;
	int err;

	if (!s)
		return -ENOMEM;
	s->r = r;
	map_init(&s->large);
	s->lives.watcher = (struct life_watcher){ .self = s, .born = born, .ended = ended };
	err = report_lives(r, BY_PLACE, &groups, &s->lives);
	if (!err) {
		page_fact(page, "allocations", "allocations", UNIT_COUNT, s->lives.allocations);
		page_fact(page, "bytes at the peak", "peak_bytes", UNIT_BYTES, s->all.peak_bytes);
		page_fact(page, "peak after", "peak_ns", UNIT_NS, report_ns(r, s->all.peak_tick));
		err = print_classes(s, page);
		print_exact(s, page);
		report_sampled_note(r, &s->lives, page);
	}
	release(s);
	groups_release(&groups);
	return err;
}
