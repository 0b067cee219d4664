/* SPDX-License-Identifier: MIT */
/*
 * trace_ledger.c - for all the time in which threads waited for a lock: what its holder was doing in exactly that time.
 *
 * A wait is cut at the releases inside it. Up to a release it was the releasing thread's time: what that thread waited
 * for, or where it ran. Was it waiting for another lock itself, then that lock's holder is asked in turn. Behind the
 * last release the lock was free and the waiter had not been woken yet.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/models/recent.h"
#include "analyzer/models/releases.h"
#include "analyzer/reports/lock_names.h"
#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "format/kinds.h"
#include "analyzer/util/whole.h"

/* Locks behind locks are followed so far. */
#define CHAIN_MAX 4u

enum entry_kind { HOLDER_WAITED, HOLDER_RAN, WAKING, NOBODY_KNOWN };

struct entry {
	uint64_t lock, root; /* addresses; root: behind how many other locks the cause is, 0: none */
	enum entry_kind kind;
	uint32_t wait;		/* of HOLDER_WAITED */
	struct stack_id stack;	/* where it waited or ran */
	struct stack_id holder; /* of the release */
	bool is_known;
	double ns;
	uint64_t times;
};

struct ledger {
	struct report_run *r;
	struct report_window window;
	struct recent recent;
	struct releases releases;
	struct lock_names names;
	struct entry *entries;
	size_t len, cap;
	struct map index;
	/* Of the part that is being told. */
	uint64_t lock, until;
	double ns_per_tick;
	struct stack_id holder;
	unsigned depth;
	double total_ns;
	bool failed;
};

static void book(struct ledger *l, const struct entry *e, double ns)
{
	const uint64_t key[] = { e->lock, e->kind, e->wait, e->stack.v, e->holder.v, e->root };
	bool is_new;
	uint64_t *at = map_at(&l->index, hash_bytes(key, sizeof(key)), &is_new);

	if (!at || (is_new && list_grow((void **)&l->entries, &l->cap, l->len, sizeof(*l->entries)))) {
		l->failed = true;
		return;
	}
	if (is_new) {
		l->entries[l->len] = *e;
		*at = l->len++;
	}
	l->entries[*at].ns += ns;
	l->entries[*at].times++;
}

static void explain(struct ledger *l, uint64_t lock, uint64_t from, uint64_t to);

static bool is_lock(unsigned wait)
{
	return wait == WAIT_MUTEX || wait == WAIT_RWLOCK_READ || wait == WAIT_RWLOCK_WRITE || wait == WAIT_SPIN;
}

static void part(void *self, const struct recent_part *p)
{
	struct ledger *l = self;
	struct entry e = { .lock = l->lock,
			   .root = l->depth,
			   .kind = p->wait ? HOLDER_WAITED : HOLDER_RAN,
			   .wait = p->wait,
			   .stack = p->stack,
			   .holder = l->holder,
			   .is_known = p->is_known };
	uint64_t from = l->until;

	l->until += p->ticks;
	if (!is_lock(p->wait) || l->depth == CHAIN_MAX) {
		book(l, &e, (double)p->ticks * l->ns_per_tick);
		return;
	}
	/* The holder waited for a lock itself: whoever held that one is to blame. */
	l->depth++;
	explain(l, p->object, from, from + p->ticks);
	l->depth--;
}

/* Nobody was inside: released and not yet taken. */
static void book_free(struct ledger *l, uint64_t from, uint64_t to)
{
	struct entry e = { .lock = l->lock, .root = l->depth, .kind = WAKING, .holder = l->holder };

	book(l, &e, (double)(to - from) * l->ns_per_tick);
}

/* lock: the one that is asked about; l->lock the one that the ledger is kept for. */
static void explain(struct ledger *l, uint64_t lock, uint64_t from, uint64_t to)
{
	const struct release *releases[RELEASES_KEPT];
	size_t len = releases_between(&l->releases, lock, from, to, releases);
	struct stack_id holder = l->holder;
	uint64_t until = l->until, at = from;

	for (size_t i = 0; i < len; i++) {
		uint64_t begin = releases[i]->held_ticks ? releases[i]->tick - releases[i]->held_ticks : at;

		if (begin > at) {
			book_free(l, at, begin);
			at = begin;
		}
		l->holder = releases[i]->stack;
		l->until = at;
		recent_between(&l->recent, releases[i]->thread, at, releases[i]->tick, l, part);
		at = releases[i]->tick;
	}
	if (at < to && len) {
		book_free(l, at, to);
	} else if (at < to) {
		struct entry e = { .lock = l->lock, .root = l->depth, .kind = NOBODY_KNOWN, .holder = holder };

		book(l, &e, (double)(to - at) * l->ns_per_tick);
	}
	l->holder = holder;
	l->until = until;
}

static void stretch(void *self, const struct stretch *s)
{
	struct ledger *l = self;
	uint64_t from = s->begin > l->window.from ? s->begin : l->window.from;
	uint64_t to = s->end < l->window.to ? s->end : l->window.to;
	const bool *chosen = l->r->a->filter.threads;

	recent_stretch(&l->recent, s);
	if (!is_lock(s->wait) || s->is_unfinished || to <= from || (chosen && !chosen[s->thread]))
		return;
	l->lock = s->object;
	l->holder = (struct stack_id){ 0 };
	l->depth = 0;
	l->ns_per_tick = (double)s->blocked_ns / (double)(s->end - s->begin);
	l->total_ns += (double)(to - from) * l->ns_per_tick;
	explain(l, s->object, from, to);
}

static void on_hold(void *self, const struct pass_event *e)
{
	releases_add(&((struct ledger *)self)->releases, e);
}

static void on_sample(void *self, const struct pass_event *e)
{
	recent_sample(&((struct ledger *)self)->recent, e);
}

/* ---- the page ------------------------------------------------------------------------------------------------- */

static void say_doing(const struct ledger *l, const struct entry *e, struct buf *out)
{
	if (e->kind == WAKING)
		buf_add_string(out, "had released it, and nobody held it yet");
	else if (e->kind == NOBODY_KNOWN)
		buf_add_string(out, "is not known: no release was seen in the wait");
	else if (e->kind == HOLDER_RAN && !e->is_known)
		buf_add_string(out, "ran, or was ready to (no CPU sample)");
	else {
		buf_printf(out, "%s ", e->kind == HOLDER_RAN ? "ran" : wait_name(e->wait));
		place_name_and_caller(out, l->r->stacks, e->stack);
	}
}

static void row(const struct ledger *l, struct table *t, const struct entry *e)
{
	static const char *const words[] = {
		[HOLDER_WAITED] = "waited", [HOLDER_RAN] = "ran", [WAKING] = "waking", [NOBODY_KNOWN] = "unknown"
	};
	const char *name = lock_name(&l->names, e->lock);
	struct buf text = { 0 };

	table_row(t);
	table_number(t, whole_i64(e->ns + 0.5));
	table_real(t, l->total_ns > 0 ? e->ns / l->total_ns : 0);
	table_number(t, (int64_t)e->times);
	table_text(t, name ? name : "[unknown]");
	table_text(t, words[e->kind]);
	table_text(t, e->kind == HOLDER_WAITED ? wait_name(e->wait) : NULL);
	table_number(t, (int64_t)e->root);
	if (e->holder.v)
		place_name(&text, l->r->stacks, e->holder);
	if (e->holder.v)
		table_stack(t, buf_string(&text), e->holder, NULL);
	else
		table_skip(t);
	buf_clear(&text);
	say_doing(l, e, &text);
	table_stack(t, buf_string(&text), e->stack, NULL);
	buf_release(&text);
}

static int print(struct ledger *l, struct page *page)
{
	struct table *t = page_table(page, "What holders did while others waited", "ledger");

	page_fact(page, "waited for locks", "waited_ns", UNIT_NS, whole_u64(l->total_ns + 0.5));
	table_column(t, "waited", "waited_ns", UNIT_NS);
	table_column(t, "share", "share", UNIT_PERCENT);
	table_column(t, "times", "times", UNIT_COUNT);
	table_column(t, "lock", "lock", UNIT_TEXT);
	table_column(t, "holder", "holder", UNIT_TEXT);
	table_column(t, "in", "wait", UNIT_TEXT);
	table_column_quiet(t, "locks behind", "locks_behind", UNIT_COUNT);
	table_column(t, "released at", "released_by", UNIT_STACK);
	table_column(t, "it meanwhile", "doing", UNIT_STACK);
	for (size_t i = 0; i < l->len; i++)
		row(l, t, &l->entries[i]);
	page_note(page,
		  "each row is time that threads waited for the lock, by what its holder did in exactly that time. "
		  "locks behind: the holder waited for another lock itself, and that one's holder is told of");
	return report_order(l->r, t, 0);
}

static int run(struct ledger *l)
{
	struct activity a = { .self = l, .stretch = stretch };
	struct pass_sink own = { .self = l, .on = { [EV_HOLD] = on_hold, [EV_SAMPLE] = on_sample } };
	struct pass_sink sinks[4];
	const struct pass_sink *list[4] = { &sinks[0], &sinks[1], &sinks[2], &sinks[3] };
	int err = activity_init(&a, &l->r->a->rec);

	sinks[0] = own;
	lock_names_sinks(&l->names, &sinks[1]);
	sinks[3] = activity_sink(&a);
	err = err ? err : analysis_pass(l->r->a, list, 4);
	activity_release(&a);
	err = err ? err : lock_names_finish(&l->names);
	return !err && (l->failed || l->recent.failed || l->releases.failed) ? -ENOMEM : err;
}

int report_trace_ledger(struct report_run *r, struct page *page)
{
	struct ledger *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	l->r = r;
	l->window = report_window(r);
	map_init(&l->index);
	releases_init(&l->releases, &r->a->rec);
	err = recent_init(&l->recent, &r->a->rec);
	err = err ? err : lock_names_init(&l->names, &r->a->rec);
	err = err ? err : run(l);
	err = err ? err : print(l, page);
	lock_names_release(&l->names);
	recent_release(&l->recent);
	releases_release(&l->releases);
	map_release(&l->index);
	free(l->entries);
	free(l);
	return err;
}
