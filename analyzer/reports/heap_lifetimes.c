/* SPDX-License-Identifier: MIT */
/*
 * heap_lifetimes.c - how long the blocks of each place live. A block that is alive at the end has lived at least so
 * long: such lives are counted apart and stand in no percentile.
 */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "analyzer/util/spread.h"

struct row {
	struct spread ended;   /* ns; weights are WEIGHT_ONEths */
	uint64_t alive, bytes; /* alive: WEIGHT_ONEths */
	uint64_t oldest_ns;    /* of those alive */
};

struct lifetimes {
	const struct report_run *r;
	struct lives lives;
	struct row *rows; /* by group */
	size_t rows_len;
};

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct lifetimes *t = self;
	struct row *row = list_reach((void **)&t->rows, &t->rows_len, life->group, sizeof(*row));
	struct weight w = lives_weight(&t->lives, life);
	uint64_t ns;

	if (!row) {
		t->lives.failed = true;
		return;
	}
	ns = report_span_ns(t->r, life->born, end->tick);
	row->bytes += w.bytes;
	if (end->fate != LIFE_GOES_ON) {
		spread_add(&row->ended, ns, w.ones);
		return;
	}
	row->alive += w.ones;
	if (ns > row->oldest_ns)
		row->oldest_ns = ns;
}

static int print(struct lifetimes *t, const struct groups *g, struct page *page)
{
	struct table *table = page_table(page, "By place of allocation", "sites");

	table_column(table, "blocks", "blocks", UNIT_COUNT);
	table_column(table, "bytes", "bytes", UNIT_BYTES);
	table_column(table, "shortest", "min_ns", UNIT_NS);
	table_column(table, "median", "median_ns", UNIT_NS);
	table_column(table, "p99", "p99_ns", UNIT_NS);
	table_column(table, "longest", "max_ns", UNIT_NS);
	table_column(table, "still alive", "alive", UNIT_COUNT);
	table_column(table, "oldest", "oldest_alive_ns", UNIT_NS);
	groups_column(g, table, "allocated by", "stack");
	for (uint32_t i = 0; i < t->rows_len; i++) {
		struct row *row = &t->rows[i];

		if (!row->ended.count && !row->alive)
			continue;
		table_row(table);
		table_number(table, (int64_t)weight_count(row->ended.count + row->alive));
		table_number(table, (int64_t)row->bytes);
		if (row->ended.count) {
			table_number(table, (int64_t)row->ended.min);
			table_number(table, (int64_t)spread_percentile(&row->ended, 50));
			table_number(table, (int64_t)spread_percentile(&row->ended, 99));
			table_number(table, (int64_t)row->ended.max);
		} else {
			for (int skip = 0; skip < 4; skip++)
				table_skip(table);
		}
		table_number(table, (int64_t)weight_count(row->alive));
		if (row->alive)
			table_number(table, (int64_t)row->oldest_ns);
		else
			table_skip(table);
		groups_cell(g, table, i);
	}
	page_note(page, "still alive: at the end of the recording; such blocks live at least as long as the oldest of "
			"them, and stand in no percentile. Median and p99 are exact up to 32 blocks, then to 1.6 %%.");
	return report_order(t->r, table, 1);
}

int report_heap_lifetimes(struct report_run *r, struct page *page)
{
	struct lifetimes t = { .r = r };
	struct groups groups;
	int err;

	t.lives.watcher = (struct life_watcher){ .self = &t, .ended = ended };
	err = report_lives(r, BY_PLACE, &groups, &t.lives);
	err = err ? err : print(&t, &groups, page);
	report_sampled_note(r, &t.lives, page);
	for (size_t i = 0; i < t.rows_len; i++)
		spread_release(&t.rows[i].ended);
	free(t.rows);
	groups_release(&groups);
	return err;
}
