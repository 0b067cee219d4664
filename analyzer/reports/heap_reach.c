/* SPDX-License-Identifier: MIT */
/* heap_reach.c - which blocks nothing points to any more, at the moment of a snapshot, by place of allocation. */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/reports/reach_report.h"
#include "analyzer/util/list.h"

struct sum {
	uint64_t blocks, bytes;
};

struct row {
	struct sum state[REACH_STATES];
	struct sum mapped; /* of what is reachable or possibly lost */
};

struct reach_rows {
	struct reach_report x;
	struct row *rows; /* by group */
	size_t rows_len;
	struct row all;
};

/* In the order of the page. */
static const struct {
	enum reach_state state;
	const char *blocks_title, *blocks_key, *bytes_title, *bytes_key;
} columns[] = {
	{ REACH_LOST, "lost", "lost_blocks", "bytes lost", "lost_bytes" },
	{ REACH_INDIRECT, "indirectly", "indirect_blocks", "bytes", "indirect_bytes" },
	{ REACH_POSSIBLE, "possibly", "possible_blocks", "bytes", "possible_bytes" },
	{ REACH_REACHABLE, "reachable", "reachable_blocks", "bytes", "reachable_bytes" },
	{ REACH_FREED_LATER, "freed later", "freed_later_blocks", "bytes", "freed_later_bytes" },
	{ REACH_UNKNOWN_STATE, "unknown", "unknown_blocks", "bytes", "unknown_bytes" },
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void add(struct row *row, const struct reach_block *b)
{
	row->state[b->state].blocks++;
	row->state[b->state].bytes += b->size;
	if (b->is_mapped) {
		row->mapped.blocks++;
		row->mapped.bytes += b->size;
	}
}

static int count(struct reach_rows *t)
{
	for (size_t i = 0; i < t->x.reach.blocks_len; i++) {
		const struct reach_block *b = &t->x.reach.blocks[i];
		uint32_t group = reach_report_group(&t->x, b);
		struct suppression *rule;
		struct row *row;

		if (group == GROUP_NONE)
			continue;
		row = list_reach((void **)&t->rows, &t->rows_len, group, sizeof(*row));
		if (!row)
			return -1;
		add(row, b);
		add(&t->all, b);
		rule = b->state == REACH_SUPPRESSED ? leak_rules_find(&t->x.rules, b->stack) : NULL;
		if (rule) {
			rule->blocks++;
			rule->bytes += b->size;
		}
	}
	return 0;
}

static struct sum sum_of(const struct row *row)
{
	struct sum sum = { 0 };

	for (unsigned i = 0; i < REACH_STATES; i++) {
		sum.blocks += row->state[i].blocks;
		sum.bytes += row->state[i].bytes;
	}
	return sum;
}

static int print_rows(struct reach_rows *t, struct page *page)
{
	struct table *table = page_table(page, "By place of allocation", "sites");

	for (size_t i = 0; i < COLUMNS; i++) {
		table_column(table, columns[i].blocks_title, columns[i].blocks_key, UNIT_COUNT);
		table_column(table, columns[i].bytes_title, columns[i].bytes_key, UNIT_BYTES);
	}
	table_column(table, "by mappings", "mapped_blocks", UNIT_COUNT);
	table_column(table, "bytes", "mapped_bytes", UNIT_BYTES);
	groups_column(&t->x.groups, table, "allocated by", "stack");
	for (uint32_t i = 0; i < t->rows_len; i++) {
		const struct row *row = &t->rows[i];

		if (!sum_of(row).blocks)
			continue;
		table_row(table);
		for (size_t c = 0; c < COLUMNS; c++) {
			table_number(table, (int64_t)row->state[columns[c].state].blocks);
			table_number(table, (int64_t)row->state[columns[c].state].bytes);
		}
		table_number(table, (int64_t)row->mapped.blocks);
		table_number(table, (int64_t)row->mapped.bytes);
		groups_cell(&t->x.groups, table, i);
	}
	/* Sorting keeps the order of what is equal. */
	for (size_t c = COLUMNS - 1; c > 0; c--)
		table_sort(table, 2 * c + 1, true);
	return report_order(t->x.r, table, 1);
}

static void print_facts(struct reach_rows *t, struct page *page)
{
	const struct row *all = &t->all;

	reach_report_facts(&t->x, page);
	page_fact(page, "blocks alive", "live_blocks", UNIT_COUNT, sum_of(all).blocks);
	page_fact(page, "  bytes", "live_bytes", UNIT_BYTES, sum_of(all).bytes);
	page_fact(page, "lost", "lost_blocks", UNIT_COUNT, all->state[REACH_LOST].blocks);
	page_fact(page, "  bytes", "lost_bytes", UNIT_BYTES, all->state[REACH_LOST].bytes);
	page_fact(page, "indirectly lost", "indirect_blocks", UNIT_COUNT, all->state[REACH_INDIRECT].blocks);
	page_fact(page, "  bytes", "indirect_bytes", UNIT_BYTES, all->state[REACH_INDIRECT].bytes);
	page_fact(page, "possibly lost", "possible_blocks", UNIT_COUNT, all->state[REACH_POSSIBLE].blocks);
	page_fact(page, "  bytes", "possible_bytes", UNIT_BYTES, all->state[REACH_POSSIBLE].bytes);
	page_fact(page, "reachable", "reachable_blocks", UNIT_COUNT, all->state[REACH_REACHABLE].blocks);
	page_fact(page, "  bytes", "reachable_bytes", UNIT_BYTES, all->state[REACH_REACHABLE].bytes);
	page_fact(page, "by mappings only", "mapped_blocks", UNIT_COUNT, all->mapped.blocks);
	page_fact(page, "  bytes", "mapped_bytes", UNIT_BYTES, all->mapped.bytes);
	page_fact(page, "freed later", "freed_later_blocks", UNIT_COUNT, all->state[REACH_FREED_LATER].blocks);
	page_fact(page, "  bytes", "freed_later_bytes", UNIT_BYTES, all->state[REACH_FREED_LATER].bytes);
	page_fact(page, "unknown", "unknown_blocks", UNIT_COUNT, all->state[REACH_UNKNOWN_STATE].blocks);
	page_fact(page, "  bytes", "unknown_bytes", UNIT_BYTES, all->state[REACH_UNKNOWN_STATE].bytes);
	page_fact(page, "left out", "suppressed_blocks", UNIT_COUNT, all->state[REACH_SUPPRESSED].blocks);
	page_fact(page, "  bytes", "suppressed_bytes", UNIT_BYTES, all->state[REACH_SUPPRESSED].bytes);
}

static int print(struct reach_rows *t, struct page *page)
{
	int err;

	print_facts(t, page);
	err = print_rows(t, page);
	leak_rules_print(&t->x.rules, page);
	page_note(page, "lost: no pointer leads to it any more; indirectly: only lost blocks point to it; possibly: "
			"only pointers into the middle of a block lead to it, as of arrays of C++ objects.");
	if (t->all.mapped.blocks)
		page_note(page, "by mappings: reached only from memory that the program mapped itself, which "
				"LeakSanitizer does not look at and memcheck does.");
	if (t->all.state[REACH_FREED_LATER].blocks)
		page_note(page,
			  "freed later: no pointer was seen, but the block was freed afterwards, so something had "
			  "it: a register, or memory that is not looked at.");
	reach_report_notes(&t->x, page);
	return err;
}

/* What can't be told passes no check. */
static uint64_t bytes_lost(const struct row *row)
{
	return row->state[REACH_LOST].bytes + row->state[REACH_INDIRECT].bytes + row->state[REACH_UNKNOWN_STATE].bytes;
}

int report_heap_reach(struct report_run *r, struct page *page)
{
	struct reach_rows t = { .rows = NULL };
	int err = reach_report_open(&t.x, r);

	if (!err)
		err = count(&t) ? -ENOMEM : print(&t, page);
	if (!err)
		report_threshold(r, bytes_lost(&t.all), page,
				 t.all.state[REACH_UNKNOWN_STATE].blocks ? "unknown" : "lost");
	free(t.rows);
	reach_report_release(&t.x);
	return err;
}
