/* SPDX-License-Identifier: MIT */
/*
 * heap_reallocs.c - blocks that were grown step by step: how often, by what factor, how many bytes were copied for it,
 * and the size that would have saved all of that.
 *
 * A chain is a block with all that realloc made of it. It belongs to the place of its last realloc.
 */
#include <math.h>
#include <stdlib.h>

#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "analyzer/util/spread.h"

/*
 * glibc maps large blocks one by one, 16 bytes into their first page, and mremap moves those without a copy. Where
 * another allocator does otherwise the bytes count as copied.
 */
#define MAPPED_OFFSET 16u
#define MAPPED_MIN (128u << 10)
#define PAGE 4096u

struct chain {
	uint64_t reallocs, in_place, remapped, copied_bytes;
	uint64_t first_size;
	double growth; /* sum of log2(new / old) of those that grew */
	uint64_t grown;
	uint32_t next_spare;
};

struct row {
	uint64_t chains, reallocs, in_place, remapped, copied_bytes, alive, grown, longest;
	double growth;
	struct spread sizes; /* at the end of a chain */
};

struct reallocs {
	const struct report_run *r;
	struct lives lives;
	struct chain *chains; /* by tag - 1 */
	size_t chains_len, chains_cap;
	uint32_t spare; /* tag of an unused one, 0: none */
	struct row *rows;
	size_t rows_len;
	struct row total;
};

static struct chain *chain_of(struct reallocs *t, struct life *life, uint64_t first_size)
{
	struct chain *c;

	if (life->tag)
		return &t->chains[life->tag - 1];
	if (t->spare) {
		life->tag = t->spare;
		t->spare = t->chains[life->tag - 1].next_spare;
	} else if (list_grow((void **)&t->chains, &t->chains_cap, t->chains_len, sizeof(*t->chains))) {
		t->lives.failed = true;
		return NULL;
	} else {
		life->tag = ++t->chains_len;
	}
	c = &t->chains[life->tag - 1];
	*c = (struct chain){ .first_size = first_size };
	return c;
}

static bool is_mapped(const struct life *life)
{
	return life->size >= MAPPED_MIN && life->addr % PAGE == MAPPED_OFFSET;
}

static void resized(void *self, const struct life *old, const struct life_end *end, struct life *now)
{
	struct reallocs *t = self;
	struct chain *c = chain_of(t, now, old->size);

	(void)end;
	if (!c)
		return;
	c->reallocs++;
	if (now->size > old->size && old->size) {
		c->grown++;
		c->growth += log2((double)now->size / (double)old->size);
	}
	if (now->addr == old->addr)
		c->in_place++;
	else if (is_mapped(old) && is_mapped(now))
		c->remapped++;
	else
		c->copied_bytes += now->size < old->size ? now->size : old->size;
}

static void add(struct row *row, const struct chain *c, uint64_t size, bool is_alive)
{
	row->chains++;
	row->reallocs += c->reallocs;
	row->in_place += c->in_place;
	row->remapped += c->remapped;
	row->copied_bytes += c->copied_bytes;
	row->grown += c->grown;
	row->growth += c->growth;
	row->alive += is_alive;
	if (c->reallocs > row->longest)
		row->longest = c->reallocs;
	spread_add(&row->sizes, size, 1);
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct reallocs *t = self;
	struct row *row;
	struct chain *c;

	if (!life->tag)
		return;
	row = list_reach((void **)&t->rows, &t->rows_len, life->group, sizeof(*row));
	if (!row) {
		t->lives.failed = true;
		return;
	}
	c = &t->chains[life->tag - 1];
	add(row, c, life->size, end->fate == LIFE_GOES_ON);
	add(&t->total, c, life->size, end->fate == LIFE_GOES_ON);
	c->next_spare = t->spare;
	t->spare = (uint32_t)life->tag;
}

static void columns(struct table *table, const struct groups *g)
{
	table_column(table, "chains", "chains", UNIT_COUNT);
	table_column(table, "reallocs", "reallocs", UNIT_COUNT);
	table_column(table, "longest", "longest_chain", UNIT_COUNT);
	table_column(table, "in place", "in_place", UNIT_COUNT);
	table_column(table, "remapped", "remapped", UNIT_COUNT);
	table_column(table, "copied", "copied_bytes", UNIT_BYTES);
	table_column(table, "factor", "growth_factor", UNIT_NUMBER);
	table_column(table, "median end", "median_final_bytes", UNIT_BYTES);
	table_column(table, "largest", "max_final_bytes", UNIT_BYTES);
	table_column(table, "reserve", "reserve_bytes", UNIT_BYTES);
	groups_column(g, table, "grown by", "stack");
}

/* Two decimals say it all. */
static double factor_of(const struct row *row)
{
	return row->grown ? round(exp2(row->growth / (double)row->grown) * 100) / 100 : 1;
}

static int print(struct reallocs *t, const struct groups *g, struct page *page)
{
	struct table *table = page_table(page, "By place of the last realloc", "sites");

	columns(table, g);
	for (uint32_t i = 0; i < t->rows_len; i++) {
		struct row *row = &t->rows[i];

		if (!row->chains)
			continue;
		table_row(table);
		table_number(table, (int64_t)row->chains);
		table_number(table, (int64_t)row->reallocs);
		table_number(table, (int64_t)row->longest);
		table_number(table, (int64_t)row->in_place);
		table_number(table, (int64_t)row->remapped);
		table_number(table, (int64_t)row->copied_bytes);
		table_real(table, factor_of(row));
		table_number(table, (int64_t)spread_percentile(&row->sizes, 50));
		table_number(table, (int64_t)row->sizes.max);
		table_number(table, (int64_t)spread_percentile(&row->sizes, 90));
		groups_cell(g, table, i);
	}
	return report_order(t->r, table, 5);
}

static void print_whole(struct reallocs *t, struct page *page)
{
	page_fact(page, "chains", "chains", UNIT_COUNT, t->total.chains);
	page_fact(page, "reallocs", "reallocs", UNIT_COUNT, t->total.reallocs);
	page_fact(page, "in place", "in_place", UNIT_COUNT, t->total.in_place);
	page_fact(page, "remapped", "remapped", UNIT_COUNT, t->total.remapped);
	page_fact(page, "bytes copied", "copied_bytes", UNIT_BYTES, t->total.copied_bytes);
	page_note(page, "chain: a block with all that realloc made of it; it counts where the last realloc was");
	page_note(page,
		  "in place: the block kept its address. remapped: a large block of glibc's that the kernel moved "
		  "page by page, without a copy. copied: min(old, new) bytes of every other realloc");
	page_note(page,
		  "factor: by which a growing realloc grew the block, geometric mean; near 1 means many small steps");
	page_note(page, "reserve: a first size that would have saved nine chains in ten every realloc");
}

int report_heap_reallocs(struct report_run *r, struct page *page)
{
	struct reallocs t = { .r = r };
	struct groups groups;
	int err;

	t.lives.watcher = (struct life_watcher){ .self = &t, .resized = resized, .ended = ended };
	err = report_lives(r, BY_PLACE, &groups, &t.lives);
	if (!err && t.lives.sampled)
		page_note(page, "reallocs are not followed in a sample: record with heap=exact");
	print_whole(&t, page);
	err = err ? err : print(&t, &groups, page);
	for (size_t i = 0; i < t.rows_len; i++)
		spread_release(&t.rows[i].sizes);
	spread_release(&t.total.sizes);
	free(t.rows);
	free(t.chains);
	groups_release(&groups);
	return err;
}
