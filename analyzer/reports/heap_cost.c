/* SPDX-License-Identifier: MIT */
/*
 * heap_cost.c - the time that goes into malloc, realloc and free. The recorder times a random part of the calls; each
 * of them stands for as many as there were in all, by the number of those that were timed. For some of these the
 * thread's CPU clock was read too, and a call that took longer than its thread ran has waited: for the allocator's
 * lock, for the kernel, or for a processor.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "analyzer/util/map.h"
#include "analyzer/util/spread.h"
#include "format/kinds.h"
#include "analyzer/util/whole.h"

struct row {
	uint32_t group;
	uint16_t api;
	uint64_t timed, dur_ns, watched, wait_ns, waits;
	uint64_t short_ns, run_ns; /* of short calls; of long ones that were watched, as far as their thread ran */
	struct spread spread;
};

struct cost {
	const struct report_run *r;
	struct groups groups;
	struct map by_key;
	struct row *rows;
	size_t len, cap;
	struct row all;
	uint64_t calls, timed, watched; /* of the process, whatever the groups' filter leaves of it */
	bool failed;
};

static bool is_of_chosen_thread(const struct cost *c, uint32_t thread)
{
	const bool *threads = c->r->a->filter.threads;

	return !threads || (thread != PASS_NO_THREAD && threads[thread]);
}

/* A realloc is one call: its first half isn't counted. */
static void on_blocks(void *self, const struct pass_event *e, size_t len, size_t ahead)
{
	struct cost *c = self;

	(void)ahead;
	for (size_t i = 0; i < len; i++)
		c->calls += e[i].kind != EV_REALLOC_FREE && is_of_chosen_thread(c, e[i].thread);
}

static struct row *row_of(struct cost *c, uint32_t group, uint16_t api)
{
	bool is_new;
	uint64_t *at = map_at(&c->by_key, (uint64_t)group << 16 | api, &is_new);

	if (!at || (is_new && list_grow((void **)&c->rows, &c->cap, c->len, sizeof(*c->rows)))) {
		c->failed = true;
		return NULL;
	}
	if (is_new) {
		c->rows[c->len] = (struct row){ .group = group, .api = api };
		*at = c->len++;
	}
	return &c->rows[*at];
}

/* What of a call's time its thread did not run; see rec_span. */
static uint64_t wait_of(const struct cost *c, const struct rec_timed *call, uint64_t dur_ns)
{
	uint64_t since_ns = clock_dur_ns(&c->r->a->rec.clock, call->since_ticks);
	uint64_t off_ns = since_ns > call->cpu_ns ? since_ns - call->cpu_ns : 0;

	return off_ns < dur_ns ? off_ns : dur_ns;
}

static void add(struct row *row, uint64_t dur_ns, bool is_watched, uint64_t wait_ns)
{
	row->timed++;
	row->dur_ns += dur_ns;
	row->watched += is_watched;
	row->wait_ns += wait_ns;
	row->waits += wait_ns != 0;
	if (dur_ns <= RSD_TIMED_LONG_NS)
		row->short_ns += dur_ns;
	else if (is_watched)
		row->run_ns += dur_ns - wait_ns;
	spread_add(&row->spread, dur_ns, 1);
}

static bool is_wanted(const struct cost *c, const struct rec_timed *call)
{
	const struct analysis *a = c->r->a;

	return call->size >= a->size_min && (!a->size_max || call->size <= a->size_max);
}

static void on_timed(void *self, const struct pass_event *e)
{
	struct cost *c = self;
	const struct rec_timed *call = &e->ev->timed;
	uint64_t dur_ns = clock_dur_ns(&c->r->a->rec.clock, call->dur_ticks);
	bool is_watched = call->flags & RSD_TIMED_WATCHED;
	uint64_t wait_ns = is_watched ? wait_of(c, call, dur_ns) : 0;
	uint32_t group;
	struct row *row;

	c->timed++;
	c->watched += is_watched;
	group = is_wanted(c, call) ? groups_of(&c->groups, recording_stack(&c->r->a->rec, call->stack)) : GROUP_NONE;
	row = group == GROUP_NONE ? NULL : row_of(c, group, call->api);
	if (!row)
		return;
	add(row, dur_ns, is_watched, wait_ns);
	add(&c->all, dur_ns, is_watched, wait_ns);
}

/* A sum over calls that were timed, or watched, as that of all calls. */
static uint64_t of_all(const struct cost *c, uint64_t sum, uint64_t chosen)
{
	return chosen ? whole_u64((double)sum * (double)c->calls / (double)chosen) : 0;
}

/* Of a long call that was not watched nobody knows whether its thread ran. */
static double share_of_cpu(const struct cost *c, const struct row *row)
{
	uint64_t run_ns = of_all(c, row->short_ns, c->timed) + of_all(c, row->run_ns, c->watched);
	uint64_t cpu_ns = cpu_process_ns(&c->r->a->rec);

	return cpu_ns ? (double)run_ns / (double)cpu_ns : 0;
}

static bool is_whole(const struct cost *c)
{
	const struct pass_filter *f = &c->r->a->filter;

	return !f->from_ns && !f->to_ns && !f->threads;
}

static int print_rows(struct cost *c, struct page *page)
{
	struct table *table = page_table(page, "By place of the call", "sites");

	table_column(table, "time", "time_ns", UNIT_NS);
	table_column(table, "calls", "calls", UNIT_COUNT);
	table_column(table, "median", "median_ns", UNIT_NS);
	table_column(table, "p99", "p99_ns", UNIT_NS);
	table_column(table, "longest", "max_ns", UNIT_NS);
	table_column(table, "waited", "wait_ns", UNIT_NS);
	table_column(table, "timed", "timed", UNIT_COUNT);
	table_column(table, "call", "call", UNIT_TEXT);
	groups_column(&c->groups, table, "called by", "stack");
	for (size_t i = 0; i < c->len; i++) {
		struct row *row = &c->rows[i];

		table_row(table);
		table_number(table, (int64_t)of_all(c, row->dur_ns, c->timed));
		table_number(table, (int64_t)of_all(c, row->timed, c->timed));
		table_number(table, (int64_t)spread_percentile(&row->spread, 50));
		table_number(table, (int64_t)spread_percentile(&row->spread, 99));
		table_number(table, (int64_t)row->spread.max);
		if (row->watched)
			table_number(table, (int64_t)of_all(c, row->wait_ns, c->watched));
		else
			table_skip(table);
		table_number(table, (int64_t)row->timed);
		table_text(table, api_name(row->api));
		groups_cell(&c->groups, table, row->group);
	}
	return report_order(c->r, table, 0);
}

static int print(struct cost *c, struct page *page)
{
	uint32_t every = c->r->a->rec.reader.header.time_every;
	int err;

	page_fact(page, "calls", "calls", UNIT_COUNT, c->calls);
	page_fact(page, "of these timed", "timed", UNIT_COUNT, c->timed);
	if (!c->timed) {
		page_note(page, every ? "too few calls to have timed one"
				      : "the recording timed no calls: they are with heap=exact and -t alloctime=1024");
		return 0;
	}
	page_fact(page, "time in all calls", "time_ns", UNIT_NS, of_all(c, c->all.dur_ns, c->timed));
	if (is_whole(c))
		page_fact_real(page, "share of the CPU time", "cpu_share", UNIT_PERCENT, share_of_cpu(c, &c->all));
	page_fact(page, "median", "median_ns", UNIT_NS, spread_percentile(&c->all.spread, 50));
	page_fact(page, "p99", "p99_ns", UNIT_NS, spread_percentile(&c->all.spread, 99));
	page_fact(page, "waited in all calls", "wait_ns", UNIT_NS, of_all(c, c->all.wait_ns, c->watched));
	page_fact(page, "calls watched for waits", "watched", UNIT_COUNT, c->all.watched);
	page_fact(page, "of these waited", "waits", UNIT_COUNT, c->all.waits);
	err = print_rows(c, page);
	if (every > 1)
		page_note(page,
			  "one call in %" PRIu32
			  " was timed, chosen at random; times and calls are scaled up from these. "
			  "-t alloctime=N times one in N.",
			  every);
	page_note(page, "a single time is good to some 10 ns. waited: off the processor during a call, for the "
			"allocator's lock, the kernel or a processor; from the calls that were watched for it.");
	return err;
}

int report_heap_cost(struct report_run *r, struct page *page)
{
	struct cost c = { .r = r };
	const struct pass_sink sink = { .self = &c, .on_blocks = on_blocks, .on = { [EV_TIMED] = on_timed } };
	const struct pass_sink *sinks[] = { &sink };
	int err;

	map_init(&c.by_key);
	err = report_groups(r, BY_PLACE, &c.groups);
	err = err ? err : analysis_pass(r->a, sinks, 1);
	err = err ? err : c.failed || c.groups.failed ? -ENOMEM : 0;
	if (!err)
		err = print(&c, page);
	for (size_t i = 0; i < c.len; i++)
		spread_release(&c.rows[i].spread);
	spread_release(&c.all.spread);
	free(c.rows);
	map_release(&c.by_key);
	groups_release(&c.groups);
	return err;
}
