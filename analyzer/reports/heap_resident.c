/* SPDX-License-Identifier: MIT */
/*
 * heap_resident.c - how much of what was allocated is in memory, by place: what was asked for and never touched, and
 * what was put into swap, takes no memory now. Pages are what the kernel counts; of a page that blocks share each
 * counts its own bytes.
 */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/reports/reach_report.h"
#include "analyzer/util/list.h"

struct row {
	uint64_t blocks, bytes, resident, swapped;
};

struct residents {
	struct reach_report x;
	struct row *rows; /* by group */
	size_t rows_len;
	struct row all;
};

static void add(struct row *row, uint64_t size, uint64_t resident, uint64_t swapped)
{
	row->blocks++;
	row->bytes += size;
	row->resident += resident;
	row->swapped += swapped;
}

static int count(struct residents *t)
{
	for (size_t i = 0; i < t->x.reach.blocks_len; i++) {
		const struct reach_block *b = &t->x.reach.blocks[i];
		uint32_t group = reach_report_group(&t->x, b);
		uint64_t resident, swapped;
		struct row *row;

		if (group == GROUP_NONE)
			continue;
		row = list_reach((void **)&t->rows, &t->rows_len, group, sizeof(*row));
		if (!row)
			return -ENOMEM;
		reach_resident(&t->x.reach, b, &resident, &swapped);
		add(row, b->size, resident, swapped);
		add(&t->all, b->size, resident, swapped);
	}
	return 0;
}

static uint64_t untouched(const struct row *row)
{
	return row->bytes - row->resident - row->swapped;
}

static int print(struct residents *t, struct page *page)
{
	struct table *table = page_table(page, "By place of allocation", "sites");

	reach_report_facts(&t->x, page);
	page_fact(page, "blocks", "live_blocks", UNIT_COUNT, t->all.blocks);
	page_fact(page, "bytes", "live_bytes", UNIT_BYTES, t->all.bytes);
	page_fact(page, "resident", "resident_bytes", UNIT_BYTES, t->all.resident);
	page_fact(page, "untouched", "untouched_bytes", UNIT_BYTES, untouched(&t->all));
	page_fact(page, "swapped", "swapped_bytes", UNIT_BYTES, t->all.swapped);
	table_column(table, "blocks", "blocks", UNIT_COUNT);
	table_column(table, "bytes", "bytes", UNIT_BYTES);
	table_column(table, "resident", "resident_bytes", UNIT_BYTES);
	table_column(table, "untouched", "untouched_bytes", UNIT_BYTES);
	table_column(table, "swapped", "swapped_bytes", UNIT_BYTES);
	groups_column(&t->x.groups, table, "allocated by", "stack");
	for (uint32_t i = 0; i < t->rows_len; i++) {
		const struct row *row = &t->rows[i];

		if (!row->blocks)
			continue;
		table_row(table);
		table_number(table, (int64_t)row->blocks);
		table_number(table, (int64_t)row->bytes);
		table_number(table, (int64_t)row->resident);
		table_number(table, (int64_t)untouched(row));
		table_number(table, (int64_t)row->swapped);
		groups_cell(&t->x.groups, table, i);
	}
	page_note(page,
		  "untouched: bytes in pages that the kernel has not had to provide: never written to, or given back "
		  "by the program.");
	reach_report_notes(&t->x, page);
	return report_order(t->x.r, table, 1);
}

int report_heap_resident(struct report_run *r, struct page *page)
{
	struct residents t = { .rows = NULL };
	int err = reach_report_open(&t.x, r);

	err = err ? err : count(&t);
	err = err ? err : print(&t, page);
	free(t.rows);
	reach_report_release(&t.x);
	return err;
}
