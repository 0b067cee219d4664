/* SPDX-License-Identifier: MIT */
/*
 * trace_tasks.c - tasks and regions of include/ringside.h: how long they took, what their threads did meanwhile, and
 * the bill of each: CPU, waits, memory.
 *
 * A thread works for the task of its innermost region. What it did is known a stretch at a time, after the regions
 * inside have begun and ended: boundaries wait in a queue until the stretch they lie in is told.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "analyzer/util/spread.h"

#define SLOWEST 10u
#define NEST_MAX 64u

/* What was done in a task or region, or in all of one type. */
struct bill {
	uint64_t ns[DOINGS];
	uint64_t allocations, allocated_bytes, live_bytes;
};

struct type {
	uint32_t name; /* string id */
	struct spread durations;
	uint64_t begun, ended;
	struct bill bill;
};

struct task {
	uint64_t id, parent, begin, end; /* ticks; end 0: goes on */
	uint32_t type;			 /* index in task_types */
	struct bill bill;
};

struct region {
	uint64_t id, begin;
	uint32_t type, task; /* indices; task: + 1, 0: none */
};

struct boundary {
	uint64_t tick;
	bool is_begin;
	struct region region; /* of an end only the id counts */
};

struct nest {
	struct region list[NEST_MAX];
	size_t len;
};

/* One thread: what it is in now, and what it was in at the end of its last told stretch. */
struct worker {
	struct nest now, told;
	struct boundary *queue;
	size_t queue_len, queue_cap, queue_at;
};

struct tasks {
	struct report_run *r;
	struct report_window window;
	struct lives lives;
	struct type *task_types, *region_types;
	size_t task_types_len, task_types_cap, region_types_len, region_types_cap;
	struct map task_type_of, region_type_of, task_of; /* string id; string id; task id -> index */
	struct task *tasks;
	size_t tasks_len, tasks_cap;
	struct worker *workers; /* by thread index */
	bool *in_pool;
	uint64_t logs;
	bool failed;
};

/* ---- tables --------------------------------------------------------------------------------------------------- */

static uint32_t type_at(struct tasks *t, struct map *map, struct type **types, size_t *len, size_t *cap, uint32_t name)
{
	bool is_new;
	uint64_t *at = map_at(map, name, &is_new);

	if (!at || (is_new && list_grow((void **)types, cap, *len, sizeof(**types)))) {
		t->failed = true;
		return 0;
	}
	if (is_new) {
		(*types)[*len] = (struct type){ .name = name };
		*at = (*len)++;
	}
	return (uint32_t)*at;
}

static uint32_t task_index(const struct tasks *t, uint64_t id)
{
	uint64_t at;

	return id && map_get(&t->task_of, id, &at) ? (uint32_t)at + 1 : 0;
}

static bool is_inside(const struct tasks *t, uint64_t tick)
{
	return tick >= t->window.from && tick < t->window.to;
}

/* ---- notes ---------------------------------------------------------------------------------------------------- */

static void on_task_begin(void *self, const struct pass_event *e)
{
	struct tasks *t = self;
	const struct rec_note *note = &e->ev->note;
	struct task task = { .id = note->id, .parent = note->parent, .begin = e->tick };

	task.type = type_at(t, &t->task_type_of, &t->task_types, &t->task_types_len, &t->task_types_cap, note->name);
	if (t->failed || list_grow((void **)&t->tasks, &t->tasks_cap, t->tasks_len, sizeof(*t->tasks)) ||
	    map_put(&t->task_of, note->id, t->tasks_len)) {
		t->failed = true;
		return;
	}
	t->tasks[t->tasks_len++] = task;
	t->task_types[task.type].begun++;
}

static void on_task_end(void *self, const struct pass_event *e)
{
	struct tasks *t = self;
	uint32_t index = task_index(t, e->ev->note.id);
	struct task *task = index ? &t->tasks[index - 1] : NULL;

	if (!task || task->end)
		return;
	task->end = e->tick;
	if (!is_inside(t, e->tick))
		return;
	t->task_types[task->type].ended++;
	spread_add(&t->task_types[task->type].durations, report_span_ns(t->r, task->begin, task->end), 1);
}

static void queue(struct tasks *t, uint32_t thread, const struct boundary *b)
{
	struct worker *w = &t->workers[thread];

	if (w->queue_at && w->queue_at == w->queue_len)
		w->queue_at = w->queue_len = 0;
	if (list_grow((void **)&w->queue, &w->queue_cap, w->queue_len, sizeof(*w->queue)))
		t->failed = true;
	else
		w->queue[w->queue_len++] = *b;
}

static void nest_push(struct nest *n, const struct region *region)
{
	if (n->len < NEST_MAX)
		n->list[n->len++] = *region;
}

/* Regions end in the reverse order of their beginnings; one that does not is taken out of the middle. */
static bool nest_take(struct nest *n, uint64_t id, struct region *region)
{
	for (size_t i = n->len; i-- > 0;) {
		if (n->list[i].id != id)
			continue;
		*region = n->list[i];
		for (n->len--; i < n->len; i++)
			n->list[i] = n->list[i + 1];
		return true;
	}
	return false;
}

static void on_region_begin(void *self, const struct pass_event *e)
{
	struct tasks *t = self;
	const struct rec_note *note = &e->ev->note;
	struct boundary b = { .tick = e->tick, .is_begin = true, .region = { .id = note->id, .begin = e->tick } };

	if (e->thread >= t->r->a->rec.threads_len)
		return;
	b.region.type = type_at(t, &t->region_type_of, &t->region_types, &t->region_types_len, &t->region_types_cap,
				note->name);
	b.region.task = task_index(t, note->parent);
	if (t->failed)
		return;
	t->region_types[b.region.type].begun++;
	nest_push(&t->workers[e->thread].now, &b.region);
	queue(t, e->thread, &b);
}

static void on_region_end(void *self, const struct pass_event *e)
{
	struct tasks *t = self;
	struct boundary b = { .tick = e->tick, .region.id = e->ev->note.id };
	struct region region;

	if (e->thread >= t->r->a->rec.threads_len || !nest_take(&t->workers[e->thread].now, b.region.id, &region))
		return;
	queue(t, e->thread, &b);
	if (!is_inside(t, e->tick))
		return;
	t->region_types[region.type].ended++;
	spread_add(&t->region_types[region.type].durations, report_span_ns(t->r, region.begin, e->tick), 1);
}

static void on_log(void *self, const struct pass_event *e)
{
	struct tasks *t = self;

	t->logs += is_inside(t, e->tick);
}

/* ---- what threads did ----------------------------------------------------------------------------------------- */

static void charge(struct tasks *t, const struct worker *w, const struct stretch *s, uint64_t from, uint64_t to)
{
	bool is_idle = !t->r->options->shows_idle && activity_is_idle(s->wait, t->in_pool[s->thread]);
	const struct region *in = w->told.len ? &w->told.list[w->told.len - 1] : NULL;
	uint64_t ns[DOINGS] = { 0 };

	if (!in)
		return;
	if (from < t->window.from)
		from = t->window.from;
	stretch_share(s, &t->r->a->rec.clock, from, to < t->window.to ? to : t->window.to, is_idle, ns);
	for (unsigned i = 0; i < DOINGS; i++) {
		t->region_types[in->type].bill.ns[i] += ns[i];
		if (in->task)
			t->tasks[in->task - 1].bill.ns[i] += ns[i];
	}
}

static void stretch(void *self, const struct stretch *s)
{
	struct tasks *t = self;
	struct worker *w = &t->workers[s->thread];
	uint64_t at = s->begin;

	for (; w->queue_at < w->queue_len && w->queue[w->queue_at].tick < s->end; w->queue_at++) {
		const struct boundary *b = &w->queue[w->queue_at];
		struct region region;

		if (b->tick > at) {
			charge(t, w, s, at, b->tick);
			at = b->tick;
		}
		if (b->is_begin)
			nest_push(&w->told, &b->region);
		else
			nest_take(&w->told, b->region.id, &region);
	}
	charge(t, w, s, at, s->end);
}

/* ---- memory --------------------------------------------------------------------------------------------------- */

static void born(void *self, struct life *life)
{
	struct tasks *t = self;
	const struct nest *now = life->thread < t->r->a->rec.threads_len ? &t->workers[life->thread].now : NULL;
	const struct region *in = now && now->len ? &now->list[now->len - 1] : NULL;
	struct weight w = lives_weight(&t->lives, life);
	struct bill *bill;

	if (!in || !is_inside(t, life->born))
		return;
	/* The tag is the region's type and the task. */
	life->tag = (uint64_t)(in->type + 1) << 32 | in->task;
	bill = &t->region_types[in->type].bill;
	for (int round = 0; bill && round < 2; round++) {
		bill->allocations += w.ones;
		bill->allocated_bytes += w.bytes;
		bill = !round && in->task ? &t->tasks[in->task - 1].bill : NULL;
	}
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct tasks *t = self;
	uint32_t type = (uint32_t)(life->tag >> 32), task = (uint32_t)life->tag;

	if (end->fate != LIFE_GOES_ON || !type)
		return;
	t->region_types[type - 1].bill.live_bytes += lives_weight(&t->lives, life).bytes;
	if (task)
		t->tasks[task - 1].bill.live_bytes += lives_weight(&t->lives, life).bytes;
}

/* ---- the page ------------------------------------------------------------------------------------------------- */

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

static int print_types(struct tasks *t, struct page *page, const char *title, const char *key, struct type *types,
		       size_t len)
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
		bill_cells(table, &types[i].bill);
	}
	return report_order(t->r, table, 3);
}

static uint64_t task_ns(const struct tasks *t, const struct task *task)
{
	return report_span_ns(t->r, task->begin, task->end ? task->end : t->r->a->rec.end_tick);
}

/* Also sums up the bills of the types. */
static void print_slowest(struct tasks *t, struct page *page)
{
	struct table *table = page_table(page, "The slowest tasks", "slowest");
	size_t slowest[SLOWEST], len = 0;

	for (size_t i = 0; i < t->tasks_len; i++) {
		size_t at = len < SLOWEST ? len++ : SLOWEST - 1;

		if (at == SLOWEST - 1 && len == SLOWEST && at < i && i >= SLOWEST &&
		    task_ns(t, &t->tasks[i]) <= task_ns(t, &t->tasks[slowest[at]]))
			continue;
		for (; at && task_ns(t, &t->tasks[slowest[at - 1]]) < task_ns(t, &t->tasks[i]); at--)
			slowest[at] = slowest[at - 1];
		slowest[at] = i;
	}
	table_column(table, "task", "id", UNIT_COUNT);
	table_column(table, "type", "type", UNIT_TEXT);
	table_column(table, "start", "start_ns", UNIT_NS);
	table_column(table, "time", "duration_ns", UNIT_NS);
	bill_columns(table);
	for (size_t i = 0; i < len; i++) {
		const struct task *task = &t->tasks[slowest[i]];
		struct buf name = { 0 };

		table_row(table);
		table_number(table, (int64_t)task->id);
		recording_string(&t->r->a->rec, t->task_types[task->type].name, &name);
		table_text(table, buf_string(&name));
		buf_release(&name);
		table_number(table, (int64_t)report_ns(t->r, task->begin));
		table_number(table, (int64_t)task_ns(t, task));
		bill_cells(table, &task->bill);
	}
}

static void sum_types(struct tasks *t)
{
	for (size_t i = 0; i < t->tasks_len; i++) {
		struct bill *to = &t->task_types[t->tasks[i].type].bill;
		const struct bill *from = &t->tasks[i].bill;

		for (unsigned d = 0; d < DOINGS; d++)
			to->ns[d] += from->ns[d];
		to->allocations += from->allocations;
		to->allocated_bytes += from->allocated_bytes;
		to->live_bytes += from->live_bytes;
	}
}

static int print(struct tasks *t, struct page *page)
{
	int err;

	sum_types(t);
	page_fact(page, "tasks", "tasks", UNIT_COUNT, t->tasks_len);
	page_fact(page, "logs", "logs", UNIT_COUNT, t->logs);
	err = print_types(t, page, "Tasks by type", "tasks", t->task_types, t->task_types_len);
	err = err ? err : print_types(t, page, "Regions by type", "regions", t->region_types, t->region_types_len);
	print_slowest(t, page);
	if (!t->tasks_len && !t->region_types_len)
		page_note(page, "the program announces no tasks or regions; include/ringside.h has the calls for it");
	else
		page_note(page,
			  "time: from begin to end. What stands behind it is what threads did in the innermost regions "
			  "of "
			  "the task: several at once add up to more, and what was done outside of regions is nobody's");
	return err;
}

static int run(struct tasks *t)
{
	struct activity a = { .self = t, .stretch = stretch };
	struct pass_sink notes = { .self = t,
				   .on = { [EV_TASK_BEGIN] = on_task_begin,
					   [EV_TASK_END] = on_task_end,
					   [EV_REGION_BEGIN] = on_region_begin,
					   [EV_REGION_END] = on_region_end,
					   [EV_LOG] = on_log } };
	struct pass_sink spans;
	int err = activity_init(&a, &t->r->a->rec);

	spans = activity_sink(&a);
	t->lives = (struct lives){ .watcher = { .self = t, .born = born, .ended = ended }, .also = { &notes, &spans } };
	err = err ? err : lives_run(&t->lives, t->r->a);
	if (!err)
		activity_finish(&a);
	activity_release(&a);
	return !err && t->failed ? -ENOMEM : err;
}

static void release(struct tasks *t)
{
	for (size_t i = 0; t->workers && i < t->r->a->rec.threads_len; i++)
		free(t->workers[i].queue);
	for (size_t i = 0; i < t->task_types_len; i++)
		spread_release(&t->task_types[i].durations);
	for (size_t i = 0; i < t->region_types_len; i++)
		spread_release(&t->region_types[i].durations);
	map_release(&t->task_type_of);
	map_release(&t->region_type_of);
	map_release(&t->task_of);
	free(t->task_types);
	free(t->region_types);
	free(t->tasks);
	free(t->workers);
	free(t->in_pool);
}

int report_trace_tasks(struct report_run *r, struct page *page)
{
	struct tasks t = { .r = r, .window = report_window(r) };
	int err = -ENOMEM;

	map_init(&t.task_type_of);
	map_init(&t.region_type_of);
	map_init(&t.task_of);
	t.workers = calloc(r->a->rec.threads_len + 1, sizeof(*t.workers));
	t.in_pool = threads_in_pools(&r->a->rec);
	if (t.workers && t.in_pool)
		err = run(&t);
	err = err ? err : print(&t, page);
	release(&t);
	return err;
}
