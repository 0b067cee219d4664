/* SPDX-License-Identifier: MIT */
/*
 * trace_wakers.c - which place ends the waits at which other: releases, signals, posts, barriers, ends of threads,
 * writes into pipes. And how long it takes from there until the waiter runs.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/models/wakers.h"
#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "analyzer/util/spread.h"
#include "format/kinds.h"

struct pair {
	uint32_t wait;
	struct stack_id waker, waiter;
	uint64_t waits, blocked_ns;
	struct spread latency; /* ns from the wake-up to the end of the wait */
};

struct trace_wakers {
	struct report_run *r;
	struct report_window window;
	struct wakers wakers;
	struct pair *pairs;
	size_t len, cap;
	struct map pair_of;
	uint64_t waits, known_waits, timeouts;
	bool failed;
};

static struct pair *pair_at(struct trace_wakers *t, uint32_t wait, struct stack_id waker, struct stack_id waiter)
{
	const uint64_t key[] = { wait, waker.v, waiter.v };
	bool is_new;
	uint64_t *at = map_at(&t->pair_of, hash_bytes(key, sizeof(key)), &is_new);

	if (!at || (is_new && list_grow((void **)&t->pairs, &t->cap, t->len, sizeof(*t->pairs)))) {
		t->failed = true;
		return NULL;
	}
	if (is_new) {
		t->pairs[t->len] = (struct pair){ .wait = wait, .waker = waker, .waiter = waiter };
		*at = t->len++;
	}
	return &t->pairs[*at];
}

/*
 * Kinds of wait that another thread of the process ends, in a way that is recorded. For descriptors it may be another
 * process or nobody: such a wait counts when its waker is known.
 */
static bool must_have_waker(unsigned wait)
{
	switch (wait) {
	case WAIT_MUTEX:
	case WAIT_RWLOCK_READ:
	case WAIT_RWLOCK_WRITE:
	case WAIT_COND:
	case WAIT_SEM:
	case WAIT_BARRIER:
	case WAIT_JOIN:
		return true;
	}
	return false;
}

static void on_stretch(void *self, const struct stretch *s)
{
	struct trace_wakers *t = self;
	const bool *chosen = t->r->a->filter.threads;
	const struct wake *wake;
	struct pair *p;

	if (!s->wait || s->is_unfinished || s->end < t->window.from || s->end >= t->window.to ||
	    (chosen && !chosen[s->thread]))
		return;
	wake = s->err == ETIMEDOUT ? NULL : wakers_find(&t->wakers, s);
	if (!wake && !must_have_waker(s->wait))
		return;
	t->waits++;
	t->timeouts += s->err == ETIMEDOUT;
	if (!wake)
		return;
	t->known_waits++;
	p = pair_at(t, s->wait, wake->stack, s->stack);
	if (!p)
		return;
	p->waits++;
	p->blocked_ns += s->blocked_ns;
	spread_add(&p->latency, clock_dur_ns(&t->r->a->rec.clock, s->end - wake->tick), 1);
}

static void on_wake(void *self, const struct pass_event *e)
{
	wakers_event(&((struct trace_wakers *)self)->wakers, e);
}

static int print(struct trace_wakers *t, struct page *page)
{
	struct table *table = page_table(page, "Who ends whose waits", "pairs");

	page_fact(page, "waits for other threads", "waits", UNIT_COUNT, t->waits);
	page_fact(page, "of a known waker", "known_waits", UNIT_COUNT, t->known_waits);
	page_fact(page, "timed out", "timeouts", UNIT_COUNT, t->timeouts);
	table_column(table, "blocked", "blocked_ns", UNIT_NS);
	table_column(table, "waits", "waits", UNIT_COUNT);
	table_column(table, "kind", "kind", UNIT_TEXT);
	table_column(table, "wake-up p50", "latency_p50_ns", UNIT_NS);
	table_column(table, "p99", "latency_p99_ns", UNIT_NS);
	table_column(table, "longest", "latency_max_ns", UNIT_NS);
	table_column(table, "ended by", "waker", UNIT_STACK);
	table_column(table, "waited in", "stack", UNIT_STACK);
	for (size_t i = 0; i < t->len; i++) {
		struct pair *p = &t->pairs[i];

		table_row(table);
		table_number(table, (int64_t)p->blocked_ns);
		table_number(table, (int64_t)p->waits);
		table_text(table, wait_name(p->wait));
		table_number(table, (int64_t)spread_percentile(&p->latency, 50));
		table_number(table, (int64_t)spread_percentile(&p->latency, 99));
		table_number(table, (int64_t)p->latency.max);
		report_stack_cell(t->r, table, p->waker);
		report_stack_cell(t->r, table, p->waiter);
	}
	page_note(page, "wake-up: from the release, signal, post, arrival, write or end until the waiter ran again. Of "
			"a thread "
			"that was joined the end has no place. Waits for descriptors are here when a thread of this "
			"process ended "
			"them");
	return report_order(t->r, table, 0);
}

static int run(struct trace_wakers *t)
{
	struct pass_sink wakes = { .self = t, .on = { [EV_HOLD] = on_wake, [EV_WAKE] = on_wake } };
	struct activity a = { .self = t, .stretch = on_stretch };
	int err = wakers_init(&t->wakers, &t->r->a->rec);

	err = err ? err : report_activity(t->r, &a, &wakes);
	return !err && (t->failed || t->wakers.failed) ? -ENOMEM : err;
}

int report_trace_wakers(struct report_run *r, struct page *page)
{
	struct trace_wakers t = { .r = r, .window = report_window(r) };
	int err;

	map_init(&t.pair_of);
	err = run(&t);
	err = err ? err : print(&t, page);
	for (size_t i = 0; i < t.len; i++)
		spread_release(&t.pairs[i].latency);
	wakers_release(&t.wakers);
	map_release(&t.pair_of);
	free(t.pairs);
	return err;
}
