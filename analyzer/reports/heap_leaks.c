/* SPDX-License-Identifier: MIT */
/*
 * heap_leaks.c - which blocks are alive at the end, by place, and whether they became more all along. What is alive is
 * not leaked for that: the report says "alive", and leaves out what suppressions name, telling how much.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/reports/leak_rules.h"
#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"

#define QUARTERS 4u
#define EDGE_PERCENT 10u /* of the recording: what counts as its start, and as its end */

struct row {
	uint64_t allocated, alive; /* WEIGHT_ONEths */
	uint64_t bytes;		   /* of those alive */
	uint64_t least, most;	   /* their sizes */
	uint64_t oldest, newest;   /* their births, ticks */
	uint32_t quarters;	   /* a bit for each quarter of the recording in which one was born */
};

struct leaks {
	const struct report_run *r;
	struct lives lives;
	struct leak_rules rules;
	struct row *rows; /* by group */
	size_t rows_len;
	struct row sum;
	uint64_t suppressed, suppressed_bytes; /* WEIGHT_ONEths; bytes */
	uint64_t begin, length;		       /* of the recording, ticks */
};

static void find_span(struct leaks *l)
{
	const struct recording *rec = &l->r->a->rec;

	l->begin = rec->reader.header.start.tick;
	l->length = rec->end_tick > l->begin ? rec->end_tick - l->begin : 1;
}

/* How much of the recording is over at `tick`, of `parts` parts. */
static unsigned part_of(const struct leaks *l, uint64_t tick, unsigned parts)
{
	uint64_t since = tick > l->begin ? tick - l->begin : 0;

	return since >= l->length ? parts - 1 : (unsigned)((unsigned __int128)since * parts / l->length);
}

static void add_alive(struct leaks *l, struct row *row, const struct life *life, struct weight w)
{
	if (!row->alive || life->size < row->least)
		row->least = life->size;
	if (life->size > row->most)
		row->most = life->size;
	if (!row->alive || life->born < row->oldest)
		row->oldest = life->born;
	if (life->born > row->newest)
		row->newest = life->born;
	row->quarters |= 1u << part_of(l, life->born, QUARTERS);
	row->alive += w.ones;
	row->bytes += w.bytes;
}

static void count_suppressed(struct leaks *l, struct suppression *s, struct weight w)
{
	s->blocks += weight_count(w.ones);
	s->bytes += w.bytes;
	l->suppressed += w.ones;
	l->suppressed_bytes += w.bytes;
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct leaks *l = self;
	struct row *row = list_reach((void **)&l->rows, &l->rows_len, life->group, sizeof(*row));
	struct weight w = lives_weight(&l->lives, life);
	struct suppression *s;

	if (!row) {
		l->lives.failed = true;
		return;
	}
	row->allocated += w.ones;
	if (end->fate != LIFE_GOES_ON)
		return;
	if (!l->length)
		find_span(l);
	s = leak_rules_find(&l->rules, life->stack);
	if (s) {
		count_suppressed(l, s, w);
		return;
	}
	add_alive(l, row, life, w);
	add_alive(l, &l->sum, life, w);
}

/* What the births of those that stayed look like. */
static const char *growth(const struct leaks *l, const struct row *row)
{
	unsigned first = part_of(l, row->oldest, 100), last = part_of(l, row->newest, 100);

	if (last < EDGE_PERCENT)
		return "at the start";
	if (first >= 100 - EDGE_PERCENT)
		return "at the end";
	return row->quarters == (1u << QUARTERS) - 1 ? "all along" : "now and then";
}

static void print_row(const struct leaks *l, const struct row *row, struct table *table)
{
	table_row(table);
	table_number(table, (int64_t)weight_count(row->alive));
	table_number(table, (int64_t)row->bytes);
	table_number(table, (int64_t)weight_count(row->allocated));
	table_number(table, (int64_t)row->least);
	table_number(table, (int64_t)row->most);
	table_number(table, (int64_t)report_ns(l->r, row->oldest));
	table_number(table, (int64_t)report_ns(l->r, row->newest));
	table_text(table, growth(l, row));
}

static int print_places(const struct leaks *l, const struct groups *g, struct page *page)
{
	struct table *table = page_table(page, "Alive, by place of allocation", "sites");

	table_column(table, "alive", "blocks", UNIT_COUNT);
	table_column(table, "bytes", "bytes", UNIT_BYTES);
	table_column(table, "of", "allocations", UNIT_COUNT);
	table_column(table, "smallest", "min_bytes", UNIT_BYTES);
	table_column(table, "largest", "max_bytes", UNIT_BYTES);
	table_column(table, "oldest", "oldest_ns", UNIT_NS);
	table_column(table, "newest", "newest_ns", UNIT_NS);
	table_column(table, "born", "born", UNIT_TEXT);
	groups_column(g, table, "allocated by", "stack");
	for (uint32_t i = 0; i < l->rows_len; i++) {
		if (!l->rows[i].alive)
			continue;
		print_row(l, &l->rows[i], table);
		groups_cell(g, table, i);
	}
	return report_order(l->r, table, 1);
}

static int print(struct leaks *l, const struct groups *g, struct page *page)
{
	const struct rsd_header *h = &l->r->a->rec.reader.header;
	int err;

	page_fact(page, "alive", "live_blocks", UNIT_COUNT, weight_count(l->sum.alive));
	page_fact(page, "bytes", "live_bytes", UNIT_BYTES, l->sum.bytes);
	page_fact(page, "left out", "suppressed_blocks", UNIT_COUNT, weight_count(l->suppressed));
	page_fact(page, "bytes left out", "suppressed_bytes", UNIT_BYTES, l->suppressed_bytes);
	err = print_places(l, g, page);
	leak_rules_print(&l->rules, page);
	if (h->end_kind != RSD_END_EXIT)
		page_note(page, "the process did not end by exit: these are the blocks it was using when the recording "
				"ended.");
	page_note(page, "alive is not leaked: a program may keep what it needs until it exits. "
			"`ringside heap reach` tells what nothing points to any more, of a recording made with "
			"-t reach=exit.");
	page_note(page, "born: those that stayed were allocated in the first tenth of the recording (at the start), in "
			"the last (at the end), in each quarter of it (all along: it grows), or else (now and then).");
	return err;
}

int report_heap_leaks(struct report_run *r, struct page *page)
{
	struct leaks l = { .r = r };
	struct groups groups;
	int err = leak_groups(r, &groups);

	err = err ? err : leak_rules_init(&l.rules, r);
	l.lives.watcher = (struct life_watcher){ .self = &l, .ended = ended };
	l.lives.groups = &groups;
	err = err ? err : lives_run(&l.lives, r->a);
	if (!err) {
		err = print(&l, &groups, page);
		report_sampled_note(r, &l.lives, page);
		report_threshold(r, l.sum.bytes, page, "alive");
	}
	free(l.rows);
	leak_rules_release(&l.rules);
	groups_release(&groups);
	return err;
}
