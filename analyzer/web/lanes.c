/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/util/list.h"
#include "analyzer/web/lanes.h"

/* ---- the longest ---------------------------------------------------------------------------------------------- */

static uint64_t length(const struct web_span *span)
{
	return span->end - span->begin;
}

static void sift_up(struct web_longest *l, size_t at)
{
	while (at && length(&l->list[at]) < length(&l->list[(at - 1) / 2])) {
		struct web_span parent = l->list[(at - 1) / 2];

		l->list[(at - 1) / 2] = l->list[at];
		l->list[at] = parent;
		at = (at - 1) / 2;
	}
}

static void sift_down(struct web_longest *l)
{
	size_t at = 0, kid;

	while ((kid = 2 * at + 1) < l->len) {
		struct web_span span = l->list[at];

		if (kid + 1 < l->len && length(&l->list[kid + 1]) < length(&l->list[kid]))
			kid++;
		if (length(&span) <= length(&l->list[kid]))
			return;
		l->list[at] = l->list[kid];
		l->list[kid] = span;
		at = kid;
	}
}

bool web_longest_add(struct web_longest *l, const struct web_span *span, struct web_span *gone, bool *failed)
{
	l->all++;
	if (l->len < l->most) {
		if (list_grow((void **)&l->list, &l->cap, l->len, sizeof(*l->list))) {
			*failed = true;
			return false;
		}
		l->list[l->len++] = *span;
		sift_up(l, l->len - 1);
		return false;
	}
	*gone = *span;
	if (length(span) > length(&l->list[0])) {
		*gone = l->list[0];
		l->list[0] = *span;
		sift_down(l);
	}
	return true;
}

static int by_begin(const void *a, const void *b)
{
	const struct web_span *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	/* What contains comes before what is inside it. */
	return x->end != y->end ? (x->end > y->end ? -1 : 1) : (x->depth > y->depth) - (x->depth < y->depth);
}

void web_longest_order(struct web_longest *l)
{
	if (l->len)
		qsort(l->list, l->len, sizeof(*l->list), by_begin);
}

/* ---- the pass ------------------------------------------------------------------------------------------------- */

static bool is_chosen(const struct web_lanes *l, uint32_t thread)
{
	const bool *chosen = l->r->a->filter.threads;

	return !chosen || chosen[thread];
}

/* False: nothing of it lies in the window. */
static bool cut(const struct web_lanes *l, struct web_span *span)
{
	if (span->begin < l->window.from)
		span->begin = l->window.from;
	if (span->end > l->window.to)
		span->end = l->window.to;
	return span->begin < span->end;
}

static uint64_t rest_begin(const struct web_lanes *l, unsigned column)
{
	return l->window.from +
	       (uint64_t)((unsigned __int128)(l->window.to - l->window.from) * column / WEB_REST_COLUMNS);
}

static unsigned rest_column(const struct web_lanes *l, uint64_t tick)
{
	unsigned column = (unsigned)((unsigned __int128)(tick - l->window.from) * WEB_REST_COLUMNS /
				     (l->window.to - l->window.from));

	return column < WEB_REST_COLUMNS ? column : WEB_REST_COLUMNS - 1;
}

static void leave_out(struct web_lanes *l, const struct web_span *gone)
{
	for (unsigned c = rest_column(l, gone->begin), last = rest_column(l, gone->end); c <= last && !gone->depth;
	     c++) {
		uint64_t from = rest_begin(l, c), to = rest_begin(l, c + 1);

		from = from > gone->begin ? from : gone->begin;
		to = to < gone->end ? to : gone->end;
		if (from < to)
			l->rest[gone->thread][c] += clock_dur_ns(&l->r->a->rec.clock, to - from);
	}
}

static void on_region(void *self, uint32_t thread, uint32_t depth, const struct work_region *region, uint64_t end)
{
	struct web_lanes *l = self;
	struct web_span span = { .begin = region->begin,
				 .end = end ? end : l->r->a->rec.end_tick,
				 .thread = thread,
				 .what = region->type,
				 .depth = depth },
			gone;

	if (end && is_chosen(l, thread))
		web_latency_add(l->latency, WEB_LATENCY_REGION, l->working.region_types[region->type].name, end,
				report_span_ns(l->r, region->begin, end));
	if (is_chosen(l, thread) && cut(l, &span) && web_longest_add(&l->regions, &span, &gone, &l->failed))
		leave_out(l, &gone);
}

static void on_wake(void *self, const struct pass_event *e)
{
	wakers_event(&((struct web_lanes *)self)->wakers, e);
}

static void on_stretch(void *self, const struct stretch *s)
{
	struct web_lanes *l = self;
	struct web_span span = { .begin = s->begin, .end = s->end, .thread = s->thread, .what = s->wait }, gone;
	const struct wake *wake;

	web_latency_stretch(l->latency, s);
	if (!s->wait || s->is_unfinished || s->err == ETIMEDOUT || !is_chosen(l, s->thread) || !cut(l, &span))
		return;
	wake = wakers_find(&l->wakers, s);
	if (!wake || wake->tick < l->window.from || wake->tick >= l->window.to)
		return;
	span.woken = wake->tick;
	span.waker = wake->thread;
	span.at = s->stack;
	span.by = wake->stack;
	web_longest_add(&l->wakes, &span, &gone, &l->failed);
}

/* ---- begin and end -------------------------------------------------------------------------------------------- */

static void take_tasks(struct web_lanes *l)
{
	for (size_t i = 0; i < l->working.tasks_len; i++) {
		const struct work_task *task = &l->working.tasks[i];
		struct web_span span = { .begin = task->begin, .what = task->type, .id = task->id }, gone;

		span.end = task->end ? task->end : l->r->a->rec.end_tick;
		if (task->end)
			web_latency_add(l->latency, WEB_LATENCY_TASK, l->working.task_types[task->type].name, task->end,
					report_span_ns(l->r, task->begin, task->end));
		if (cut(l, &span))
			web_longest_add(&l->tasks, &span, &gone, &l->failed);
	}
}

static int run(struct web_lanes *l)
{
	struct activity a = { .self = l, .stretch = on_stretch };
	struct pass_sink sinks[4] = { [2] = { .self = l, .on = { [EV_HOLD] = on_wake, [EV_WAKE] = on_wake } } };
	int err = activity_init(&a, &l->r->a->rec);

	working_sinks(&l->working, sinks);
	sinks[3] = activity_sink(&a);
	err = err ? err
		  : analysis_pass(l->r->a, (const struct pass_sink *[]){ &sinks[0], &sinks[1], &sinks[2], &sinks[3] },
				  4);
	if (!err)
		activity_finish(&a);
	activity_release(&a);
	return err ? err : working_finish(&l->working);
}

int web_lanes_make(struct web_lanes *l, struct report_run *r, struct report_window window, struct web_latency *latency)
{
	struct recording *rec = &r->a->rec;
	int err;

	*l = (struct web_lanes){ .r = r, .window = window, .latency = latency };
	l->regions.most = WEB_REGIONS_MOST;
	l->tasks.most = WEB_TASKS_MOST;
	l->wakes.most = WEB_WAKES_MOST;
	l->working = (struct working){ .self = l, .region = on_region, .from = window.from, .to = window.to };
	l->rest = calloc(rec->threads_len + 1, sizeof(*l->rest));
	err = l->rest ? wakers_init(&l->wakers, rec) : -ENOMEM;
	l->is_ready = !err;
	err = err ? err : working_init(&l->working, rec);
	err = err ? err : run(l);
	if (err)
		return err;
	take_tasks(l);
	web_longest_order(&l->regions);
	web_longest_order(&l->tasks);
	web_longest_order(&l->wakes);
	return l->failed || l->wakers.failed || latency->failed ? -ENOMEM : 0;
}

void web_lanes_release(struct web_lanes *l)
{
	if (l->is_ready) {
		wakers_release(&l->wakers);
		working_release(&l->working);
	}
	free(l->regions.list);
	free(l->tasks.list);
	free(l->wakes.list);
	free(l->rest);
}
