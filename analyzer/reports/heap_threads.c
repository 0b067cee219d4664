/* SPDX-License-Identifier: MIT */
/* heap_threads.c - which threads allocate, how much of the peak is theirs, and who frees what they made. */
#include <stdlib.h>

#include "analyzer/models/crest.h"
#include "analyzer/reports/report.h"
#include "analyzer/reports/thread_names.h"
#include "analyzer/util/list.h"

/* Counts in WEIGHT_ONEths. */
struct row {
	uint64_t allocations, bytes;
	uint64_t freed_here, freed_elsewhere; /* blocks it made, by who freed them */
	uint64_t freed_for_others;	      /* blocks it freed that others made */
	struct crest_mark mark;
};

struct threads_of_heap {
	struct lives lives;
	struct crest all;
	struct row *rows; /* by thread index + 1 */
	size_t rows_len;
};

static struct row *row_of(struct threads_of_heap *t, uint32_t thread)
{
	size_t index = thread == PASS_NO_THREAD ? 0 : (size_t)thread + 1;
	struct row *row = list_reach((void **)&t->rows, &t->rows_len, index, sizeof(*row));

	t->lives.failed |= !row;
	return row;
}

static void born(void *self, struct life *life)
{
	struct threads_of_heap *t = self;
	struct weight w = lives_weight(&t->lives, life);
	struct row *row = row_of(t, life->thread);

	if (!row)
		return;
	row->allocations += w.ones;
	row->bytes += w.bytes;
	crest_rise(&t->all, &row->mark, w);
	crest_rise_all(&t->all, w, life->born);
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct threads_of_heap *t = self;
	struct weight w = lives_weight(&t->lives, life);
	struct row *row = row_of(t, life->thread), *other;

	if (!row || end->fate == LIFE_GOES_ON)
		return;
	crest_fall(&t->all, &row->mark, w);
	crest_fall_all(&t->all, w);
	if (end->fate == LIFE_LOST)
		return;
	if (end->thread == life->thread) {
		row->freed_here += w.ones;
		return;
	}
	row->freed_elsewhere += w.ones;
	other = row_of(t, end->thread);
	if (other)
		other->freed_for_others += w.ones;
}

static int print(const struct report_run *r, struct threads_of_heap *t, struct page *page)
{
	struct table *table = page_table(page, "By allocating thread", "threads");

	table_column(table, "blocks", "blocks", UNIT_COUNT);
	table_column(table, "bytes", "bytes", UNIT_BYTES);
	table_column(table, "bytes at peak", "peak_bytes", UNIT_BYTES);
	table_column(table, "of peak", "peak_share", UNIT_PERCENT);
	table_column(table, "still alive", "alive", UNIT_COUNT);
	table_column(table, "bytes alive", "alive_bytes", UNIT_BYTES);
	table_column(table, "freed here", "freed_here", UNIT_COUNT);
	table_column(table, "by others", "freed_elsewhere", UNIT_COUNT);
	table_column(table, "for others", "freed_for_others", UNIT_COUNT);
	table_column(table, "tid", "tid", UNIT_COUNT);
	table_column(table, "thread", "thread", UNIT_TEXT);
	for (size_t i = 0; i < t->rows_len; i++) {
		struct row *row = &t->rows[i];

		if (!row->allocations && !row->freed_for_others)
			continue;
		crest_settle(&t->all, &row->mark);
		table_row(table);
		table_number(table, (int64_t)weight_count(row->allocations));
		table_number(table, (int64_t)row->bytes);
		table_number(table, (int64_t)row->mark.peak_bytes);
		table_real(table, t->all.peak_bytes ? (double)row->mark.peak_bytes / (double)t->all.peak_bytes : 0);
		table_number(table, (int64_t)weight_count(row->mark.live_blocks));
		table_number(table, (int64_t)row->mark.live_bytes);
		table_number(table, (int64_t)weight_count(row->freed_here));
		table_number(table, (int64_t)weight_count(row->freed_elsewhere));
		table_number(table, (int64_t)weight_count(row->freed_for_others));
		thread_cells(table, &r->a->rec, i ? (uint32_t)i - 1 : PASS_NO_THREAD);
	}
	page_note(page, "freed here, by others: blocks of this thread, by who freed them; for others: blocks that this "
			"thread freed and another one made. Who made them and who freed them: ringside heap flow.");
	return report_order(r, table, 1);
}

int report_heap_threads(struct report_run *r, struct page *page)
{
	struct threads_of_heap t = { .rows = NULL };
	struct groups groups;
	int err;

	t.lives.watcher = (struct life_watcher){ .self = &t, .born = born, .ended = ended };
	err = report_lives(r, BY_PLACE, &groups, &t.lives);
	if (!err) {
		page_fact(page, "bytes at the peak", "peak_bytes", UNIT_BYTES, t.all.peak_bytes);
		page_fact(page, "peak after", "peak_ns", UNIT_NS, report_ns(r, t.all.peak_tick));
		err = print(r, &t, page);
		report_sampled_note(r, &t.lives, page);
	}
	free(t.rows);
	groups_release(&groups);
	return err;
}
