/* SPDX-License-Identifier: MIT */
/*
 * trace_tasks.c - tasks and regions of include/ringside.h: how long they took, what their threads did meanwhile, and
 * the bill of each: CPU, waits, memory.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/models/working.h"
#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"

#define SLOWEST 10u

/* What was done in a task or region, or in all of one type. */
struct bill {
	uint64_t ns[DOINGS];
	uint64_t allocations, allocated_bytes, live_bytes;
};

/* By index: of a task, a type of task, a type of region. */
struct bills {
	struct bill *list;
	size_t len, cap;
};

struct tasks {
	struct report_run *r;
	struct lives lives;
	struct working working;
	struct bills of_tasks, of_regions;
	bool *in_pool;
	bool failed;
};

static struct bill *bill_at(struct tasks *t, struct bills *bills, size_t index)
{
	while (bills->len <= index) {
		if (list_grow((void **)&bills->list, &bills->cap, bills->len, sizeof(*bills->list))) {
			t->failed = true;
			return NULL;
		}
		bills->list[bills->len++] = (struct bill){ 0 };
	}
	return &bills->list[index];
}

/* Who pays for what is done in a region: all of its type, and its task. Missing ones are NULL. */
static void payers(struct tasks *t, uint32_t type, uint32_t task, struct bill *payer[2])
{
	payer[0] = bill_at(t, &t->of_regions, type);
	payer[1] = task ? bill_at(t, &t->of_tasks, task - 1) : NULL;
}

static void piece(void *self, const struct work_region *in, const struct stretch *s, uint64_t from, uint64_t to)
{
	struct tasks *t = self;
	bool is_idle = !t->r->options->shows_idle && activity_is_idle(s->wait, t->in_pool[s->thread]);
	uint64_t ns[DOINGS] = { 0 };
	struct bill *payer[2];

	stretch_share(s, &t->r->a->rec.clock, from, to, is_idle, ns);
	payers(t, in->type, in->task, payer);
	for (unsigned p = 0; p < 2; p++)
		for (unsigned i = 0; payer[p] && i < DOINGS; i++)
			payer[p]->ns[i] += ns[i];
}

/* ---- memory --------------------------------------------------------------------------------------------------- */

static void born(void *self, struct life *life)
{
	struct tasks *t = self;
	const struct work_region *in = working_region(&t->working, life->thread);
	struct weight w = lives_weight(&t->lives, life);
	struct bill *payer[2];

	if (!in || life->born < t->working.from || life->born >= t->working.to)
		return;
	/* The tag is the region's type and the task. */
	life->tag = (uint64_t)(in->type + 1) << 32 | in->task;
	payers(t, in->type, in->task, payer);
	for (unsigned p = 0; p < 2; p++) {
		if (!payer[p])
			continue;
		payer[p]->allocations += w.ones;
		payer[p]->allocated_bytes += w.bytes;
	}
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct tasks *t = self;
	uint32_t type = (uint32_t)(life->tag >> 32);
	struct bill *payer[2];

	if (end->fate != LIFE_GOES_ON || !type)
		return;
	payers(t, type - 1, (uint32_t)life->tag, payer);
	for (unsigned p = 0; p < 2; p++)
		if (payer[p])
			payer[p]->live_bytes += lives_weight(&t->lives, life).bytes;
}

/* ---- the page ------------------------------------------------------------------------------------------------- */

static const struct bill nothing;

static void bill_columns(struct table *t)
{
	report_doing_columns(t);
	table_column_quiet(t, "allocations", "allocations", UNIT_COUNT);
	table_column_quiet(t, "allocated", "allocated_bytes", UNIT_BYTES);
	table_column_quiet(t, "still live", "live_bytes", UNIT_BYTES);
}

static void bill_cells(struct table *t, const struct bill *bill)
{
	report_doing_cells(t, bill->ns);
	table_number(t, (int64_t)weight_count(bill->allocations));
	table_number(t, (int64_t)bill->allocated_bytes);
	table_number(t, (int64_t)bill->live_bytes);
}

static int print_types(struct tasks *t, struct page *page, const char *title, const char *key, struct work_type *types,
		       size_t len, struct bills *bills)
{
	static const struct {
		const char *title, *key;
		double percent;
	} percentiles[] = {
		{ "p50", "p50_ns", 50 }, { "p90", "p90_ns", 90 }, { "p99", "p99_ns", 99 }, { "p99.9", "p99_9_ns", 99.9 }
	};
	struct table *table = page_table(page, title, key);

	table_column(table, "type", "type", UNIT_TEXT);
	table_column(table, "ended", "count", UNIT_COUNT);
	table_column_quiet(table, "going on", "unfinished", UNIT_COUNT);
	table_column(table, "time", "total_ns", UNIT_NS);
	table_column(table, "mean", "mean_ns", UNIT_NS);
	for (size_t i = 0; i < 4; i++)
		table_column(table, percentiles[i].title, percentiles[i].key, UNIT_NS);
	table_column(table, "longest", "max_ns", UNIT_NS);
	bill_columns(table);
	for (size_t i = 0; i < len; i++) {
		struct spread *d = &types[i].durations;
		struct buf name = { 0 };

		table_row(table);
		recording_string(&t->r->a->rec, types[i].name, &name);
		table_text(table, buf_string(&name));
		buf_release(&name);
		table_number(table, (int64_t)types[i].ended);
		table_number(table, (int64_t)(types[i].begun > types[i].ended ? types[i].begun - types[i].ended : 0));
		table_number(table, (int64_t)d->sum);
		table_number(table, (int64_t)(d->count ? d->sum / d->count : 0));
		for (size_t p = 0; p < 4; p++)
			table_number(table, (int64_t)spread_percentile(d, percentiles[p].percent));
		table_number(table, (int64_t)d->max);
		bill_cells(table, bills->len > i ? &bills->list[i] : &nothing);
	}
	return report_order(t->r, table, 3);
}

static uint64_t task_ns(const struct tasks *t, const struct work_task *task)
{
	return report_span_ns(t->r, task->begin, task->end ? task->end : t->r->a->rec.end_tick);
}

/* The indices of the tasks that took longest, longest first. Returns how many. */
static size_t find_slowest(const struct tasks *t, size_t slowest[SLOWEST])
{
	const struct work_task *tasks = t->working.tasks;
	size_t len = 0;

	for (size_t i = 0; i < t->working.tasks_len; i++) {
		size_t at = len;

		if (len == SLOWEST && task_ns(t, &tasks[i]) <= task_ns(t, &tasks[slowest[len - 1]]))
			continue;
		if (len == SLOWEST)
			at--;
		else
			len++;
		for (; at && task_ns(t, &tasks[slowest[at - 1]]) < task_ns(t, &tasks[i]); at--)
			slowest[at] = slowest[at - 1];
		slowest[at] = i;
	}
	return len;
}

static void print_slowest(struct tasks *t, struct page *page)
{
	struct table *table = page_table(page, "The slowest tasks", "slowest");
	size_t slowest[SLOWEST], len = find_slowest(t, slowest);

	table_column(table, "task", "id", UNIT_COUNT);
	table_column(table, "type", "type", UNIT_TEXT);
	table_column(table, "start", "start_ns", UNIT_NS);
	table_column(table, "time", "duration_ns", UNIT_NS);
	bill_columns(table);
	for (size_t i = 0; i < len; i++) {
		const struct work_task *task = &t->working.tasks[slowest[i]];
		struct buf name = { 0 };

		table_row(table);
		table_number(table, (int64_t)task->id);
		recording_string(&t->r->a->rec, t->working.task_types[task->type].name, &name);
		table_text(table, buf_string(&name));
		buf_release(&name);
		table_number(table, (int64_t)report_ns(t->r, task->begin));
		table_number(table, (int64_t)task_ns(t, task));
		bill_cells(table, t->of_tasks.len > slowest[i] ? &t->of_tasks.list[slowest[i]] : &nothing);
	}
}

static void sum_types(struct tasks *t, struct bills *types)
{
	for (size_t i = 0; i < t->working.tasks_len && i < t->of_tasks.len; i++) {
		struct bill *to = bill_at(t, types, t->working.tasks[i].type);
		const struct bill *from = &t->of_tasks.list[i];

		if (!to)
			return;
		for (unsigned d = 0; d < DOINGS; d++)
			to->ns[d] += from->ns[d];
		to->allocations += from->allocations;
		to->allocated_bytes += from->allocated_bytes;
		to->live_bytes += from->live_bytes;
	}
}

static int print(struct tasks *t, struct page *page)
{
	struct working *w = &t->working;
	struct bills types = { 0 };
	int err;

	sum_types(t, &types);
	page_fact(page, "tasks", "tasks", UNIT_COUNT, w->tasks_len);
	page_fact(page, "logs", "logs", UNIT_COUNT, w->logs);
	err = print_types(t, page, "Tasks by type", "tasks", w->task_types, w->task_types_len, &types);
	err = err ? err
		  : print_types(t, page, "Regions by type", "regions", w->region_types, w->region_types_len,
				&t->of_regions);
	print_slowest(t, page);
	free(types.list);
	if (!w->tasks_len && !w->region_types_len)
		page_note(page, "the program announces no tasks or regions; include/ringside.h has the calls for it");
	else
		page_note(page,
			  "time: from begin to end. What stands behind it is what threads did in the innermost regions "
			  "of the task: several at once add up to more, and what was done outside of regions is "
			  "nobody's");
	return !err && t->failed ? -ENOMEM : err;
}

int report_trace_tasks(struct report_run *r, struct page *page)
{
	struct report_window window = report_window(r);
	struct tasks t = { .r = r };
	struct pass_sink sinks[2];
	int err;

	t.working = (struct working){ .self = &t, .piece = piece, .from = window.from, .to = window.to };
	t.in_pool = threads_in_pools(&r->a->rec);
	err = t.in_pool ? working_init(&t.working, &r->a->rec) : -ENOMEM;
	if (!err) {
		working_sinks(&t.working, sinks);
		t.lives = (struct lives){ .watcher = { .self = &t, .born = born, .ended = ended },
					  .also = { &sinks[0], &sinks[1] } };
		err = lives_run(&t.lives, r->a);
	}
	err = err ? err : working_finish(&t.working);
	err = err ? err : print(&t, page);
	if (t.working.rec)
		working_release(&t.working);
	free(t.of_tasks.list);
	free(t.of_regions.list);
	free(t.in_pool);
	return err;
}
