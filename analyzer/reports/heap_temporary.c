/* SPDX-License-Identifier: MIT */
/*
 * heap_temporary.c - blocks that were hardly there, by the three definitions in use. They differ in what they find: the
 * first is a malloc and free around one call, the second also a buffer that grows, the third anything that is gone
 * soon.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"

/* Counts are WEIGHT_ONEths. */
struct row {
	uint64_t allocations, bytes, next, near, brief, brief_bytes;
};

struct temporary {
	const struct report_run *r;
	struct lives lives;
	struct row *rows; /* by group */
	size_t rows_len;
	struct row total;
};

static void count(struct temporary *t, struct row *row, const struct life *life, const struct life_end *end)
{
	struct weight w = lives_weight(&t->lives, life);
	bool has_ended = end->fate == LIFE_FREED || end->fate == LIFE_RESIZED;

	row->allocations += w.ones;
	row->bytes += w.bytes;
	if (!has_ended)
		return;
	/* What lies between two records of a sample was not recorded. */
	if (!life->is_sampled && !end->between)
		row->next += w.ones;
	if (!life->is_sampled && end->between <= t->r->options->within && end->thread == life->thread)
		row->near += w.ones;
	if (report_span_ns(t->r, life->born, end->tick) >= t->r->options->age_ns)
		return;
	row->brief += w.ones;
	row->brief_bytes += w.bytes;
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct temporary *t = self;
	struct row *row = list_reach((void **)&t->rows, &t->rows_len, life->group, sizeof(*row));

	if (!row) {
		t->lives.failed = true;
		return;
	}
	count(t, row, life, end);
	count(t, &t->total, life, end);
}

static int print(struct temporary *t, const struct groups *g, struct page *page)
{
	struct table *table = page_table(page, "By place of allocation", "sites");

	table_column(table, "allocations", "allocations", UNIT_COUNT);
	table_column(table, "bytes", "bytes", UNIT_BYTES);
	table_column(table, "freed next", "temporary", UNIT_COUNT);
	table_column(table, "freed near", "near", UNIT_COUNT);
	table_column(table, "brief", "brief", UNIT_COUNT);
	table_column(table, "brief bytes", "brief_bytes", UNIT_BYTES);
	groups_column(g, table, "allocated by", "stack");
	for (uint32_t i = 0; i < t->rows_len; i++) {
		const struct row *row = &t->rows[i];

		if (!row->next && !row->near && !row->brief)
			continue;
		table_row(table);
		table_number(table, (int64_t)weight_count(row->allocations));
		table_number(table, (int64_t)row->bytes);
		table_number(table, (int64_t)weight_count(row->next));
		table_number(table, (int64_t)weight_count(row->near));
		table_number(table, (int64_t)weight_count(row->brief));
		table_number(table, (int64_t)row->brief_bytes);
		groups_cell(g, table, i);
	}
	return report_order(t->r, table, t->lives.sampled ? 4 : 2);
}

static void print_whole(const struct temporary *t, struct page *page)
{
	char age[RENDER_NUMBER_MAX];

	page_fact(page, "allocations", "allocations", UNIT_COUNT, weight_count(t->total.allocations));
	page_fact(page, "freed next", "temporary", UNIT_COUNT, weight_count(t->total.next));
	page_fact(page, "freed near", "near", UNIT_COUNT, weight_count(t->total.near));
	page_fact(page, "brief", "brief", UNIT_COUNT, weight_count(t->total.brief));
	page_note(page,
		  "freed next: before the allocating thread's next allocation (what heaptrack calls temporary; it "
		  "looks at the next allocation of any thread)");
	page_note(page,
		  "freed near: by its own thread, with at most %" PRIu64 " allocations of that thread between (memray; "
		  "--within N)",
		  t->r->options->within);
	page_note(page, "brief: lived less than %s (bytehound; --age DURATION)",
		  render_duration(age, (int64_t)t->r->options->age_ns));
	if (t->lives.sampled)
		page_note(page, "a sample does not tell what is freed next or near: record with heap=exact");
}

int report_heap_temporary(struct report_run *r, struct page *page)
{
	struct temporary t = { .r = r };
	struct groups groups;
	int err;

	t.lives.watcher = (struct life_watcher){ .self = &t, .ended = ended };
	err = report_lives(r, BY_PLACE, &groups, &t.lives);
	print_whole(&t, page);
	err = err ? err : print(&t, &groups, page);
	report_sampled_note(r, &t.lives, page);
	free(t.rows);
	groups_release(&groups);
	return err;
}
