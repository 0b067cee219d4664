/* SPDX-License-Identifier: MIT */
/*
 * trace_locks.c - each lock that was waited for: how long one waits for it and how long it is held, how it goes from
 * thread to thread, who waits and who makes them wait.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/models/releases.h"
#include "analyzer/reports/lock_names.h"
#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "analyzer/util/spread.h"
#include "format/kinds.h"
#include "analyzer/util/whole.h"

#define STARVED 8u /* times overtaken, from which on it is worth a word */

struct lock_facts {
	uint64_t address, wait_ns, releases, owner_changes, crowded, failed_waits;
	uint32_t wait, last_owner, waiters_max, overtaken_max;
	struct spread waits, holds; /* ns */
};

/* One stack that waited for one lock (Go's block profile), or one that released it (Go's mutex profile). */
struct party {
	uint64_t lock, times, longest_ns;
	double ns;
	struct stack_id stack;
	bool is_holder;
};

struct trace_locks {
	struct report_run *r;
	struct report_window window;
	struct lock_names names;
	struct releases recent;
	struct lock_facts *locks;
	size_t locks_len, locks_cap;
	struct party *parties;
	size_t parties_len, parties_cap;
	struct map lock_of, party_of;
	bool failed;
};

static struct lock_facts *lock_at(struct trace_locks *t, uint64_t address)
{
	bool is_new;
	uint64_t *at = map_at(&t->lock_of, address, &is_new);

	if (!at || (is_new && list_grow((void **)&t->locks, &t->locks_cap, t->locks_len, sizeof(*t->locks)))) {
		t->failed = true;
		return NULL;
	}
	if (is_new) {
		t->locks[t->locks_len] = (struct lock_facts){ .address = address, .last_owner = UINT32_MAX };
		*at = t->locks_len++;
	}
	return &t->locks[*at];
}

static void add_party(struct trace_locks *t, uint64_t lock, struct stack_id stack, bool is_holder, uint64_t ns)
{
	const uint64_t key[] = { lock, stack.v, is_holder };
	bool is_new;
	uint64_t *at = map_at(&t->party_of, hash_bytes(key, sizeof(key)), &is_new);
	struct party *p;

	if (!at || (is_new && list_grow((void **)&t->parties, &t->parties_cap, t->parties_len, sizeof(*t->parties)))) {
		t->failed = true;
		return;
	}
	if (is_new) {
		t->parties[t->parties_len] = (struct party){ .lock = lock, .stack = stack, .is_holder = is_holder };
		*at = t->parties_len++;
	}
	p = &t->parties[*at];
	p->times++;
	p->ns += (double)ns;
	if (ns > p->longest_ns)
		p->longest_ns = ns;
}

static bool is_inside(const struct trace_locks *t, uint64_t tick)
{
	return tick >= t->window.from && tick < t->window.to;
}

/* How often others got the lock that came for it after this wait had begun. */
static uint32_t overtaken(const struct trace_locks *t, const struct pass_event *e)
{
	const struct release *releases[RELEASES_KEPT];
	uint64_t dur = e->ev->span.dur_ticks, begin = e->tick > dur ? e->tick - dur : 0;
	size_t len = releases_between(&t->recent, e->ev->span.object, begin, e->tick, releases);
	uint32_t times = 0;

	for (size_t i = 0; i < len; i++)
		times += releases[i]->held_ticks && releases[i]->tick - releases[i]->held_ticks > begin;
	return times;
}

static void on_span(void *self, const struct pass_event *e)
{
	struct trace_locks *t = self;
	const struct rec_span *span = &e->ev->span;
	uint64_t ns = span_split(&t->r->a->rec.clock, span).blocked_ns;
	bool is_lock = span->wait == WAIT_MUTEX || span->wait == WAIT_RWLOCK_READ || span->wait == WAIT_RWLOCK_WRITE ||
		       span->wait == WAIT_SPIN;
	struct lock_facts *lock = is_lock && is_inside(t, e->tick) ? lock_at(t, span->object) : NULL;
	uint32_t others;

	if (!lock)
		return;
	others = overtaken(t, e);
	lock->wait = span->wait;
	lock->wait_ns += ns;
	if (others > lock->overtaken_max)
		lock->overtaken_max = others;
	lock->failed_waits += span->err != 0;
	spread_add(&lock->waits, ns, 1);
	add_party(t, lock->address, recording_stack(&t->r->a->rec, span->stack), false, ns);
}

static void on_hold(void *self, const struct pass_event *e)
{
	struct trace_locks *t = self;
	const struct rec_hold *hold = &e->ev->hold;
	struct lock_facts *lock = is_inside(t, e->tick) ? lock_at(t, hold->object) : NULL;
	uint64_t ns = clock_dur_ns(&t->r->a->rec.clock, hold->held_ticks);

	releases_add(&t->recent, e);
	if (!lock)
		return;
	lock->releases++;
	lock->owner_changes += lock->last_owner != UINT32_MAX && lock->last_owner != e->thread;
	lock->last_owner = e->thread;
	lock->crowded += hold->waiters > 1;
	if (hold->waiters > lock->waiters_max)
		lock->waiters_max = hold->waiters;
	if (!lock->wait)
		lock->wait = hold->wait < RSD_WAITS ? hold->wait : WAIT_MUTEX;
	if (!hold->held_ticks)
		return;
	spread_add(&lock->holds, ns, 1);
	add_party(t, lock->address, recording_stack(&t->r->a->rec, hold->stack), true, ns);
}

/* ---- the page ------------------------------------------------------------------------------------------------- */

static void lock_cell(const struct trace_locks *t, struct table *table, uint64_t address)
{
	const char *name = lock_name(&t->names, address);

	if (name)
		table_text(table, name);
	else
		table_textf(table, "0x%" PRIx64, address);
}

static void lock_row(struct trace_locks *t, struct table *table, struct lock_facts *lock)
{
	table_row(table);
	lock_cell(t, table, lock->address);
	table_text(table, wait_name(lock->wait));
	table_number(table, (int64_t)lock->wait_ns);
	table_number(table, (int64_t)lock->waits.count);
	table_number(table, (int64_t)spread_percentile(&lock->waits, 50));
	table_number(table, (int64_t)spread_percentile(&lock->waits, 99));
	table_number(table, (int64_t)lock->waits.max);
	table_number(table, (int64_t)lock->releases);
	table_number(table, (int64_t)spread_percentile(&lock->holds, 50));
	table_number(table, (int64_t)spread_percentile(&lock->holds, 99));
	table_number(table, (int64_t)lock->holds.max);
	table_number(table, (int64_t)lock->owner_changes);
	table_number(table, lock->waiters_max);
	table_number(table, lock->overtaken_max);
	table_number(table, (int64_t)lock->failed_waits);
	if (lock->overtaken_max >= STARVED && lock->overtaken_max > 2 * lock->waiters_max)
		table_text(table, "starvation");
	else if (lock->releases > 10 && lock->crowded * 2 > lock->releases)
		table_text(table, "convoy");
	else
		table_skip(table);
	table_number(table, (int64_t)lock->address);
}

static int print_locks(struct trace_locks *t, struct page *page)
{
	struct table *table = page_table(page, "Locks", "locks");

	table_column(table, "lock", "lock", UNIT_TEXT);
	table_column(table, "kind", "kind", UNIT_TEXT);
	table_column(table, "waited", "wait_ns", UNIT_NS);
	table_column(table, "waits", "waits", UNIT_COUNT);
	table_column(table, "p50", "wait_p50_ns", UNIT_NS);
	table_column(table, "p99", "wait_p99_ns", UNIT_NS);
	table_column(table, "longest", "wait_max_ns", UNIT_NS);
	table_column(table, "holds", "holds", UNIT_COUNT);
	table_column(table, "p50", "hold_p50_ns", UNIT_NS);
	table_column(table, "p99", "hold_p99_ns", UNIT_NS);
	table_column(table, "longest", "hold_max_ns", UNIT_NS);
	table_column(table, "new owners", "owner_changes", UNIT_COUNT);
	table_column(table, "queue", "waiters_max", UNIT_COUNT);
	table_column(table, "overtaken", "overtaken_max", UNIT_COUNT);
	table_column_quiet(table, "given up", "failed_waits", UNIT_COUNT);
	table_column(table, "sign of", "sign", UNIT_TEXT);
	table_column(table, "address", "address", UNIT_ADDRESS);
	for (size_t i = 0; i < t->locks_len; i++)
		lock_row(t, table, &t->locks[i]);
	return report_order(t->r, table, 2);
}

static void print_parties(struct trace_locks *t, struct page *page, bool are_holders)
{
	struct table *table = page_table(page, are_holders ? "Who held them while others waited" : "Who waited",
					 are_holders ? "holders" : "waiters");

	table_column(table, are_holders ? "held" : "waited", are_holders ? "held_ns" : "wait_ns", UNIT_NS);
	table_column(table, "times", "times", UNIT_COUNT);
	table_column(table, "longest", "longest_ns", UNIT_NS);
	table_column(table, "lock", "lock", UNIT_TEXT);
	table_column(table, are_holders ? "released in" : "waited in", "stack", UNIT_STACK);
	for (size_t i = 0; i < t->parties_len; i++) {
		const struct party *p = &t->parties[i];

		if (p->is_holder != are_holders)
			continue;
		table_row(table);
		table_number(table, whole_i64(p->ns));
		table_number(table, (int64_t)p->times);
		table_number(table, (int64_t)p->longest_ns);
		lock_cell(t, table, p->lock);
		report_stack_cell(t->r, table, p->stack);
	}
	table_sort(table, 0, true);
	if (t->r->options->top)
		table_cut(table, t->r->options->top);
}

static int print(struct trace_locks *t, struct page *page)
{
	int err = print_locks(t, page);

	print_parties(t, page, false);
	print_parties(t, page, true);
	page_note(page,
		  "holds: critical sections that somebody waited for; the others are not recorded. new owners: such a "
		  "section was followed by one of another thread. queue: most threads waiting at a release");
	page_note(page,
		  "convoy: more than half of these releases left two or more threads waiting. given up: waits that "
		  "ended without the lock");
	page_note(page, "overtaken: most times that others, who came later, got the lock during one wait, up to 64. "
			"starvation: that is more than twice the queue, as when readers keep a writer out");
	return err;
}

static int run(struct trace_locks *t)
{
	struct pass_sink own = { .self = t, .on = { [EV_SPAN] = on_span, [EV_HOLD] = on_hold } }, sinks[2];
	const struct pass_sink *list[] = { &own, &sinks[0], &sinks[1] };
	int err;

	lock_names_sinks(&t->names, sinks);
	err = analysis_pass(t->r->a, list, 3);
	err = err ? err : lock_names_finish(&t->names);
	return !err && (t->failed || t->recent.failed) ? -ENOMEM : err;
}

int report_trace_locks(struct report_run *r, struct page *page)
{
	struct trace_locks t = { .r = r, .window = report_window(r) };
	int err;

	map_init(&t.lock_of);
	map_init(&t.party_of);
	releases_init(&t.recent, &r->a->rec);
	err = lock_names_init(&t.names, &r->a->rec);
	err = err ? err : run(&t);
	err = err ? err : print(&t, page);
	for (size_t i = 0; i < t.locks_len; i++) {
		spread_release(&t.locks[i].waits);
		spread_release(&t.locks[i].holds);
	}
	releases_release(&t.recent);
	lock_names_release(&t.names);
	map_release(&t.lock_of);
	map_release(&t.party_of);
	free(t.locks);
	free(t.parties);
	return err;
}
