/* SPDX-License-Identifier: MIT */
/*
 * heap_waste.c - what rounding costs: bytes that blocks have and nobody asked for, by place in the allocator the
 * program has, and as a whole in others (allocators.h). What lies between blocks is another matter: heap pages.
 */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/models/allocators.h"
#include "analyzer/models/crest.h"
#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "analyzer/util/whole.h"

/* In one allocator. */
struct rounded {
	uint64_t usable, head;	       /* of all allocations */
	struct crest_mark usable_mark; /* its bytes are usable ones */
	uint64_t live_head, peak_head, epoch;
};

struct row {
	uint64_t allocations, bytes, usable; /* allocations: WEIGHT_ONEths */
	struct crest_mark mark, usable_mark;
};

struct waste {
	struct lives lives;
	struct allocators rules;
	enum allocator own;
	struct crest all;
	uint64_t bytes; /* of all allocations */
	struct rounded rounded[ALLOCATORS];
	struct row *rows; /* by group */
	size_t rows_len;
};

/* ---- counting ------------------------------------------------------------------------------------------------- */

/* Addresses say which blocks glibc has mapped, when it is glibc that gave them. */
static bool is_mapped(const struct waste *x, const struct life *life)
{
	return allocators_is_mapped(life->size, x->own == ALLOCATOR_GLIBC ? life->addr : 0);
}

static struct weight usable_weight(const struct waste *x, enum allocator which, const struct life *life,
				   struct weight w, bool mapped)
{
	uint64_t usable = allocators_usable(&x->rules, which, life->size, which == ALLOCATOR_GLIBC && mapped);

	return (struct weight){ w.ones,
				life->is_sampled ? whole_u64((double)usable * (double)w.ones / WEIGHT_ONE) : usable };
}

static void settle_head(const struct crest *all, struct rounded *r)
{
	if (r->epoch == all->epoch)
		return;
	r->epoch = all->epoch;
	r->peak_head = r->live_head;
}

static uint64_t head_of(enum allocator which, struct weight w, bool mapped)
{
	return allocators_head(which, mapped) * weight_count(w.ones);
}

static void born(void *self, struct life *life)
{
	struct waste *x = self;
	struct weight w = lives_weight(&x->lives, life);
	struct row *row = list_reach((void **)&x->rows, &x->rows_len, life->group, sizeof(*row));
	bool mapped = is_mapped(x, life);

	if (!row) {
		x->lives.failed = true;
		return;
	}
	x->bytes += w.bytes;
	row->allocations += w.ones;
	row->bytes += w.bytes;
	crest_rise(&x->all, &row->mark, w);
	for (unsigned i = 0; i < ALLOCATORS; i++) {
		struct rounded *r = &x->rounded[i];
		struct weight u = usable_weight(x, i, life, w, mapped);
		uint64_t head = head_of(i, w, mapped);

		settle_head(&x->all, r);
		r->usable += u.bytes;
		r->head += head;
		r->live_head += head;
		crest_rise(&x->all, &r->usable_mark, u);
		if (i == x->own) {
			row->usable += u.bytes;
			crest_rise(&x->all, &row->usable_mark, u);
		}
	}
	crest_rise_all(&x->all, w, life->born);
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct waste *x = self;
	struct weight w = lives_weight(&x->lives, life);
	bool mapped = is_mapped(x, life);
	struct row *row;

	if (end->fate == LIFE_GOES_ON || life->group >= x->rows_len)
		return;
	row = &x->rows[life->group];
	crest_fall(&x->all, &row->mark, w);
	for (unsigned i = 0; i < ALLOCATORS; i++) {
		struct weight u = usable_weight(x, i, life, w, mapped);

		settle_head(&x->all, &x->rounded[i]);
		x->rounded[i].live_head -= head_of(i, w, mapped);
		crest_fall(&x->all, &x->rounded[i].usable_mark, u);
		if (i == x->own)
			crest_fall(&x->all, &row->usable_mark, u);
	}
	crest_fall_all(&x->all, w);
}

/* ---- the page ------------------------------------------------------------------------------------------------- */

static double share(uint64_t of, uint64_t all)
{
	return all ? (double)of / (double)all : 0;
}

static int print_places(struct waste *x, const struct report_run *r, const struct groups *g, struct page *page)
{
	struct table *t = page_table(page, "By place, in the program's allocator", "places");

	table_column(t, "at peak", "peak_blocks", UNIT_COUNT);
	table_column(t, "asked for", "peak_bytes", UNIT_BYTES);
	table_column(t, "usable", "peak_usable", UNIT_BYTES);
	table_column(t, "waste", "peak_waste", UNIT_BYTES);
	table_column(t, "of it", "peak_waste_share", UNIT_PERCENT);
	table_column(t, "asked, all", "bytes", UNIT_BYTES);
	table_column(t, "waste, all", "waste", UNIT_BYTES);
	groups_column(g, t, "allocated by", "stack");
	for (uint32_t i = 0; i < x->rows_len && i < g->len; i++) {
		struct row *row = &x->rows[i];
		uint64_t waste;

		if (!row->allocations)
			continue;
		crest_settle(&x->all, &row->mark);
		crest_settle(&x->all, &row->usable_mark);
		waste = row->usable_mark.peak_bytes - row->mark.peak_bytes;
		table_row(t);
		table_number(t, (int64_t)weight_count(row->mark.peak_blocks));
		table_number(t, (int64_t)row->mark.peak_bytes);
		table_number(t, (int64_t)row->usable_mark.peak_bytes);
		table_number(t, (int64_t)waste);
		table_real(t, share(waste, row->usable_mark.peak_bytes));
		table_number(t, (int64_t)row->bytes);
		table_number(t, (int64_t)(row->usable - row->bytes));
		groups_cell(g, t, i);
	}
	table_sort(t, 6, true);
	return report_order(r, t, 3);
}

static void print_allocators(struct waste *x, struct page *page)
{
	struct table *t = page_table(page, "The same blocks in other allocators", "allocators");

	table_column(t, "usable", "peak_usable", UNIT_BYTES);
	table_column(t, "waste", "peak_waste", UNIT_BYTES);
	table_column(t, "heads", "peak_heads", UNIT_BYTES);
	table_column(t, "of all", "peak_share", UNIT_PERCENT);
	table_column(t, "usable, all", "usable", UNIT_BYTES);
	table_column(t, "waste, all", "waste", UNIT_BYTES);
	table_column(t, "allocator", "allocator", UNIT_TEXT);
	table_column(t, "", "is_own", UNIT_TEXT);
	for (unsigned i = 0; i < ALLOCATORS; i++) {
		struct rounded *r = &x->rounded[i];
		uint64_t waste;

		settle_head(&x->all, r);
		crest_settle(&x->all, &r->usable_mark);
		waste = r->usable_mark.peak_bytes - x->all.peak_bytes;
		table_row(t);
		table_number(t, (int64_t)r->usable_mark.peak_bytes);
		table_number(t, (int64_t)waste);
		table_number(t, (int64_t)r->peak_head);
		table_real(t, share(waste + r->peak_head, r->usable_mark.peak_bytes + r->peak_head));
		table_number(t, (int64_t)r->usable);
		table_number(t, (int64_t)(r->usable - x->bytes));
		table_text(t, allocator_name(i));
		table_text(t, i == x->own ? "this one" : "");
	}
}

static int print(struct waste *x, const struct report_run *r, const struct groups *g, struct page *page)
{
	int err;

	page_fact_text(page, "allocator", "allocator", allocator_name(x->own));
	page_fact(page, "asked for at the peak", "peak_bytes", UNIT_BYTES, x->all.peak_bytes);
	page_fact(page, "peak after", "peak_ns", UNIT_NS, report_ns(r, x->all.peak_tick));
	page_fact(page, "asked for in all", "bytes", UNIT_BYTES, x->bytes);
	page_fact(page, "asked for at the end", "alive_bytes", UNIT_BYTES, x->all.live_bytes);
	page_fact(page, "usable then", "alive_usable", UNIT_BYTES, x->rounded[x->own].usable_mark.live_bytes);
	err = print_places(x, r, g, page);
	print_allocators(x, page);
	page_note(
		page,
		"waste: usable bytes that nobody asked for, by the allocators' rules of rounding; heads: what glibc "
		"keeps before each block, of all: waste and heads. The allocator is told by the libraries loaded: one "
		"that is linked into the program is taken for glibc.");
	report_sampled_note(r, &x->lives, page);
	return err;
}

int report_heap_waste(struct report_run *r, struct page *page)
{
	struct waste *x = calloc(1, sizeof(*x));
	struct groups groups = { 0 };
	int err;

	if (!x)
		return -ENOMEM;
	allocators_init(&x->rules);
	x->own = allocators_of(&r->a->rec.modules);
	x->lives.watcher = (struct life_watcher){ .self = x, .born = born, .ended = ended };
	err = report_lives(r, BY_PLACE, &groups, &x->lives);
	if (!err)
		err = print(x, r, &groups, page);
	free(x->rows);
	free(x);
	groups_release(&groups);
	return err;
}
