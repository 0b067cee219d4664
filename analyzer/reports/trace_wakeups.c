/* SPDX-License-Identifier: MIT */
/*
 * trace_wakeups.c - each condition, semaphore and barrier: how often it was signalled, how many that woke, and how many
 * of them for nothing: a thread that waits for the same again at once found that it was not meant.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/models/wakers.h"
#include "analyzer/reports/report.h"
#include "analyzer/symbols/symbols.h"
#include "analyzer/util/list.h"
#include "format/kinds.h"

#define AT_ONCE_NS 100000u
#define HERD 3u /* broadcasts and threads that one of them wakes, from which on it is worth a word */

struct bell {
	uint64_t object, waits, blocked_ns, signals, broadcasts, useless, unexplained, timeouts;
	uint64_t last_tick;		 /* of the wake-up that woke latest */
	uint32_t wait, woken, woken_max; /* threads that the latest woke; that one woke at most */
	uint64_t longest_ns;
	struct stack_id stack; /* where the longest wait was */
};

/* What a thread was woken from last. */
struct woken {
	uint64_t object, end;
};

struct trace_wakeups {
	struct report_run *r;
	struct report_window window;
	struct wakers wakers;
	struct bell *bells;
	size_t len, cap;
	struct map bell_of; /* address -> index */
	struct woken *woken;
	bool failed;
};

static bool is_bell(unsigned wait)
{
	return wait == WAIT_COND || wait == WAIT_SEM || wait == WAIT_BARRIER || wait == WAIT_FUTEX;
}

static struct bell *bell_at(struct trace_wakeups *t, uint64_t object, uint32_t wait)
{
	bool is_new;
	uint64_t *at = map_at(&t->bell_of, object, &is_new);

	if (!at || (is_new && list_grow((void **)&t->bells, &t->cap, t->len, sizeof(*t->bells)))) {
		t->failed = true;
		return NULL;
	}
	if (is_new) {
		t->bells[t->len] = (struct bell){ .object = object, .wait = wait };
		*at = t->len++;
	}
	return &t->bells[*at];
}

static bool is_inside(const struct trace_wakeups *t, uint64_t tick)
{
	return tick >= t->window.from && tick < t->window.to;
}

static void count_woken(struct bell *b, const struct wake *wake)
{
	b->woken = wake->tick == b->last_tick ? b->woken + 1 : 1;
	b->last_tick = wake->tick;
	if (b->woken > b->woken_max)
		b->woken_max = b->woken;
}

static void count_wait(struct trace_wakeups *t, struct bell *b, const struct stretch *s)
{
	const struct wake *wake = s->err == ETIMEDOUT ? NULL : wakers_find(&t->wakers, s);

	b->waits++;
	b->blocked_ns += s->blocked_ns;
	b->timeouts += s->err == ETIMEDOUT;
	b->unexplained += !wake && !s->err;
	if (wake)
		count_woken(b, wake);
	if (s->blocked_ns < b->longest_ns)
		return;
	b->longest_ns = s->blocked_ns;
	b->stack = s->stack;
}

static void on_stretch(void *self, const struct stretch *s)
{
	struct trace_wakeups *t = self;
	const bool *chosen = t->r->a->filter.threads;
	struct woken *before = &t->woken[s->thread];
	struct bell *b;

	if (!s->wait)
		return;
	if (before->object && before->object == s->object &&
	    clock_dur_ns(&t->r->a->rec.clock, s->begin - before->end) < AT_ONCE_NS && is_inside(t, s->begin) &&
	    (!chosen || chosen[s->thread])) {
		b = bell_at(t, s->object, s->wait);
		if (b)
			b->useless++;
	}
	*before = (struct woken){ 0 };
	if (!is_bell(s->wait) || s->is_unfinished || !is_inside(t, s->end) || (chosen && !chosen[s->thread]))
		return;
	b = bell_at(t, s->object, s->wait);
	if (!b)
		return;
	count_wait(t, b, s);
	if (s->wait == WAIT_COND && !s->err)
		*before = (struct woken){ .object = s->object, .end = s->end };
}

static void on_wake(void *self, const struct pass_event *e)
{
	struct trace_wakeups *t = self;
	struct bell *b;

	wakers_event(&t->wakers, e);
	if (e->kind != EV_WAKE || !is_bell(e->ev->wake.wait) || !is_inside(t, e->tick))
		return;
	b = bell_at(t, e->ev->wake.object, e->ev->wake.wait);
	if (!b)
		return;
	b->signals += e->ev->wake.count == 1;
	b->broadcasts += e->ev->wake.count != 1;
}

/* ---- the page ------------------------------------------------------------------------------------------------- */

static void name_cell(const struct trace_wakeups *t, struct table *table, uint64_t object)
{
	struct recording *rec = &t->r->a->rec;
	const char *name = symbols_addr_data_name(stacks_symbols(rec->stacks), &rec->modules, object);

	if (name)
		table_text(table, name);
	else
		table_textf(table, "0x%" PRIx64, object);
}

static void bell_row(const struct trace_wakeups *t, struct table *table, const struct bell *b)
{
	bool is_herd = b->broadcasts >= HERD && b->woken_max >= HERD && b->useless * 2 > b->waits;

	table_row(table);
	name_cell(t, table, b->object);
	table_text(table, wait_name(b->wait));
	table_number(table, (int64_t)b->blocked_ns);
	table_number(table, (int64_t)b->waits);
	table_number(table, (int64_t)b->signals);
	table_number(table, (int64_t)b->broadcasts);
	table_number(table, b->woken_max);
	table_number(table, (int64_t)b->useless);
	table_number(table, (int64_t)b->unexplained);
	table_number(table, (int64_t)b->timeouts);
	if (is_herd)
		table_text(table, "herd");
	else
		table_skip(table);
	report_stack_cell(t->r, table, b->stack);
}

static int print(struct trace_wakeups *t, struct page *page)
{
	struct table *table = page_table(page, "Conditions, semaphores, barriers", "wakeups");

	table_column(table, "what", "object", UNIT_TEXT);
	table_column(table, "kind", "kind", UNIT_TEXT);
	table_column(table, "waited", "blocked_ns", UNIT_NS);
	table_column(table, "waits", "waits", UNIT_COUNT);
	table_column(table, "signals", "signals", UNIT_COUNT);
	table_column(table, "broadcasts", "broadcasts", UNIT_COUNT);
	table_column(table, "woken at once", "woken_max", UNIT_COUNT);
	table_column(table, "for nothing", "useless", UNIT_COUNT);
	table_column(table, "by nobody", "unexplained", UNIT_COUNT);
	table_column(table, "timed out", "timeouts", UNIT_COUNT);
	table_column(table, "sign of", "sign", UNIT_TEXT);
	table_column(table, "longest wait in", "stack", UNIT_STACK);
	for (size_t i = 0; i < t->len; i++)
		bell_row(t, table, &t->bells[i]);
	page_note(page,
		  "signals and broadcasts: those that found somebody waiting. woken at once: most threads that one of "
		  "them woke. for nothing: woken, and waiting for the same again within 100 us");
	page_note(page, "by nobody: the wait ended and nothing that was recorded ended it. herd: most of those that "
			"broadcasts wake wait again at once; a signal, or a condition for each purpose, would do");
	return report_order(t->r, table, 2);
}

static int run(struct trace_wakeups *t)
{
	struct pass_sink wakes = { .self = t, .on = { [EV_HOLD] = on_wake, [EV_WAKE] = on_wake } };
	struct activity a = { .self = t, .stretch = on_stretch };
	int err = wakers_init(&t->wakers, &t->r->a->rec);

	err = err ? err : report_activity(t->r, &a, &wakes);
	return !err && (t->failed || t->wakers.failed) ? -ENOMEM : err;
}

int report_trace_wakeups(struct report_run *r, struct page *page)
{
	struct trace_wakeups t = { .r = r, .window = report_window(r) };
	int err = -ENOMEM;

	map_init(&t.bell_of);
	t.woken = calloc(r->a->rec.threads_len + 1, sizeof(*t.woken));
	if (t.woken)
		err = run(&t);
	err = err ? err : print(&t, page);
	wakers_release(&t.wakers);
	map_release(&t.bell_of);
	free(t.bells);
	free(t.woken);
	return err;
}
