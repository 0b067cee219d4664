/* SPDX-License-Identifier: MIT */
/* findings_time.c - rules about CPU time and waiting. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/findings.h"
#include "analyzer/show/render.h"
#include "analyzer/views/views.h"
#include "format/kinds.h"

/* Frames of the C library and of the thread's entry, then a worker's loop and the queue it calls. */
#define IDLE_DEPTH 5u
#define MS UINT64_C(1000000)

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

bool wait_is_gathering(const struct wait_site *site)
{
	return site->wait == WAIT_JOIN || site->wait == WAIT_WAIT_CHILD;
}

bool wait_is_idle(const struct stacks *stacks, const struct wait_site *site)
{
	switch (site->wait) {
	case WAIT_ACCEPT:
	case WAIT_EPOLL:
	case WAIT_SIGNAL:
		return true;
	case WAIT_COND:
	case WAIT_SEM:
	case WAIT_POLL:
	case WAIT_SELECT:
	case WAIT_FUTEX:
		return site->unfinished || (site->in_pool && stacks_depth(stacks, site->stack) <= IDLE_DEPTH);
	default:
		return false;
	}
}

static uint64_t wall_of_threads(const struct analysis *a)
{
	uint64_t wall = 0;

	for (size_t i = 0; i < a->threads.rows_len; i++)
		wall += a->threads.rows[i].wall_ns;
	return wall;
}

/* Time in waits that are a cost: neither idle nor for other threads to end. */
static uint64_t costly_wait(const struct analysis *a)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < a->waits.sites_len; i++)
		if (!wait_is_idle(a->rec.stacks, &a->waits.sites[i]) && !wait_is_gathering(&a->waits.sites[i]))
			sum += a->waits.sites[i].blocked_ns;
	return sum;
}

static enum severity severity_of_share(double share)
{
	return share >= 20 ? SEVERITY_HIGH : share >= 5 ? SEVERITY_MEDIUM : SEVERITY_LOW;
}

/* ---- locks ---------------------------------------------------------------------------------------------------- */

static const struct lock_holder *top_holder(const struct locks *l, size_t lock)
{
	for (size_t i = 0; i < l->holders_len; i++)
		if (l->holders[i].lock == lock)
			return &l->holders[i];
	return NULL;
}

static void name_holder(struct buf *out, const struct analysis *a, const struct lock *lock,
			const struct lock_holder *holder)
{
	if (!holder)
		return;
	if (holder->stack.v) {
		buf_add_string(out, ", held by ");
		place_name(out, a->rec.stacks, holder->stack);
	} else if (holder->tid) {
		buf_printf(out, ", held by thread %u", holder->tid);
	} else {
		buf_add_string(out, ", the holder is not known");
		return;
	}
	buf_printf(out, " for %.0f %% of that", percent(holder->wait_ns, lock->wait_ns));
	if (!holder->inside_len || holder->inside[0].blocked_ns < holder->wait_ns / 20)
		return;
	buf_printf(out, ", while it waited itself in %s at ", wait_name(holder->inside[0].wait));
	place_name_and_caller(out, a->rec.stacks, holder->inside[0].stack);
}

void rule_lock(struct findings *f, const struct analysis *a)
{
	uint64_t costly = costly_wait(a), wall = wall_of_threads(a);

	for (size_t i = 0; i < a->locks.locks_len && i < 3; i++) {
		const struct lock *lock = &a->locks.locks[i];
		char wait[RENDER_NUMBER_MAX];
		struct buf where = { 0 };

		/* Ordered by wait: the first below the mark ends it. */
		if (lock->wait_ns < 5 * MS || percent(lock->wait_ns, costly) < 10)
			break;
		place_name(&where, a->rec.stacks, lock->waiter);
		name_holder(&where, a, lock, top_holder(&a->locks, i));
		findings_add(f, RULE_lock, severity_of_share(percent(lock->wait_ns, wall)), lock->waiter,
			     "%.0f %% of the waiting (%s, %.0f %% of all threads' time) is for %s %s in %s.",
			     percent(lock->wait_ns, costly), render_duration(wait, (int64_t)lock->wait_ns),
			     percent(lock->wait_ns, wall), wait_name(lock->wait), lock->name, buf_string(&where));
		buf_release(&where);
	}
}

/* ---- other waits ---------------------------------------------------------------------------------------------- */

static int by_blocked(const void *a, const void *b)
{
	const struct wait_site *x = *(const struct wait_site *const *)a, *y = *(const struct wait_site *const *)b;

	if (x->blocked_ns != y->blocked_ns)
		return x->blocked_ns > y->blocked_ns ? -1 : 1;
	return x->stack.v < y->stack.v ? -1 : x->stack.v > y->stack.v;
}

static bool is_lock_wait(uint32_t wait)
{
	return wait_domain(wait)[0] == 'l';
}

/* Waits that end when another thread or program, or the clock, says so: long ones may be meant. */
static bool is_rendezvous(uint32_t wait)
{
	return wait == WAIT_SLEEP || wait_domain(wait)[0] == 's' || wait == WAIT_POLL || wait == WAIT_SELECT ||
	       wait == WAIT_RECV || wait == WAIT_CONNECT;
}

static void tell_wait(struct findings *f, const struct analysis *a, const struct wait_site *site, uint64_t wall)
{
	char total[RENDER_NUMBER_MAX], longest[RENDER_NUMBER_MAX], count[RENDER_NUMBER_MAX];
	struct buf where = { 0 };
	double share = percent(site->blocked_ns, wall);

	place_name(&where, a->rec.stacks, site->stack);
	findings_add(f, RULE_wait, is_rendezvous(site->wait) ? SEVERITY_LOW : severity_of_share(share), site->stack,
		     "%s waiting %sin %s (%.0f %% of all threads' time) at %s: %s times, at most %s.",
		     render_duration(total, (int64_t)site->blocked_ns),
		     is_rendezvous(site->wait) && site->wait != WAIT_SLEEP ? "for others " : "", wait_name(site->wait),
		     share, buf_string(&where), render_count(count, (int64_t)site->spans),
		     render_duration(longest, (int64_t)site->max_ns));
	buf_release(&where);
}

void rule_wait(struct findings *f, const struct analysis *a)
{
	uint64_t costly = costly_wait(a), wall = wall_of_threads(a);
	const struct wait_site **order = malloc((a->waits.sites_len + 1) * sizeof(const struct wait_site *));
	size_t len = 0;

	if (!order) {
		f->failed = true;
		return;
	}
	for (size_t i = 0; i < a->waits.sites_len; i++) {
		const struct wait_site *s = &a->waits.sites[i];

		if (!is_lock_wait(s->wait) && !wait_is_idle(a->rec.stacks, s) && !wait_is_gathering(s) && s->stack.v)
			order[len++] = s;
	}
	if (len)
		qsort(order, len, sizeof(*order), by_blocked);
	for (size_t i = 0; i < len && i < 3; i++)
		if (order[i]->blocked_ns >= 5 * MS && percent(order[i]->blocked_ns, costly) >= 10)
			tell_wait(f, a, order[i], wall);
	free(order);
}

void rule_idle(struct findings *f, const struct analysis *a)
{
	uint64_t idle = 0, wall = wall_of_threads(a);
	const struct wait_site *top = NULL;
	char total[RENDER_NUMBER_MAX];
	struct buf where = { 0 };

	for (size_t i = 0; i < a->waits.sites_len; i++) {
		const struct wait_site *s = &a->waits.sites[i];

		if (!wait_is_idle(a->rec.stacks, s))
			continue;
		idle += s->blocked_ns;
		if (s->stack.v && (!top || s->blocked_ns > top->blocked_ns))
			top = s;
	}
	if (!top || idle < 5 * MS || percent(idle, wall) < 10)
		return;
	place_name(&where, a->rec.stacks, top->stack);
	findings_add(f, RULE_idle, SEVERITY_INFO, top->stack,
		     "Threads waited for work for %s (%.0f %% of all threads' time), most of it in %s at %s.",
		     render_duration(total, (int64_t)idle), percent(idle, wall), wait_name(top->wait),
		     buf_string(&where));
	buf_release(&where);
}

/* Several threads inside lock waits that never ended: a deadlock looks like this. */
/* "worker 12 waits for queue.lock in f (x.c:3)" */
static void tell_deadlocked(struct buf *out, const struct analysis *a, const struct deadlock_row *row)
{
	const struct recording *rec = &a->rec;
	struct symbols *symbols = stacks_symbols(rec->stacks);
	const char *name = symbols_addr_data_name(symbols, (struct modules *)&rec->modules, row->lock);

	buf_printf(out, "thread %u waits for %s ", rec->threads[row->thread].tid, wait_name(row->wait));
	if (name)
		buf_add_safe(out, name, strlen(name));
	else
		buf_printf(out, "0x%" PRIx64, row->lock);
	if (row->stack.v) {
		buf_add_string(out, " in ");
		place_name_and_caller(out, rec->stacks, row->stack);
	} else if (row->site) {
		buf_add_string(out, " in ");
		view_frame_name(
			out, &symbols_addr_lookup(symbols, (struct modules *)&rec->modules, row->site - 1)->frames[0]);
	}
}

void rule_deadlock(struct findings *f, const struct analysis *a)
{
	const struct deadlock_row *rows = a->deadlocks.rows;

	for (size_t i = 0, end; i < a->deadlocks.rows_len; i = end) {
		struct buf text = { 0 };

		for (end = i; end < a->deadlocks.rows_len && rows[end].circle == rows[i].circle; end++) {
			buf_add_string(&text, end > i ? "; " : "");
			tell_deadlocked(&text, a, &rows[end]);
		}
		findings_add(f, RULE_deadlock, SEVERITY_HIGH, rows[i].stack,
			     "deadlock of %zu threads, each of which holds what another one waits for: %s.", end - i,
			     buf_string(&text));
		buf_release(&text);
	}
}

void rule_stuck(struct findings *f, const struct analysis *a)
{
	const struct thread_row *longest = NULL;
	char text[RENDER_NUMBER_MAX];
	size_t count = 0;

	for (size_t i = 0; i < a->threads.rows_len; i++) {
		const struct thread_row *row = &a->threads.rows[i];

		if (!row->waiting || !is_lock_wait(row->waiting) || row->waiting_ns < 100 * MS ||
		    row->waiting_ns < a->duration_ns / 10)
			continue;
		count++;
		if (!longest || row->waiting_ns > longest->waiting_ns)
			longest = row;
	}
	if (!count)
		return;
	findings_add(f, RULE_stuck, SEVERITY_HIGH, longest->created_by,
		     "%zu thread%s still waited for a lock when the recording ended, thread %u in %s for %s.", count,
		     count > 1 ? "s" : "", longest->tid, wait_name(longest->waiting),
		     render_duration(text, (int64_t)longest->waiting_ns));
}

/* ---- CPU ------------------------------------------------------------------------------------------------------ */

void rule_cpu_hot(struct findings *f, const struct analysis *a)
{
	struct view_function *list = NULL;
	struct profile p;
	char text[RENDER_NUMBER_MAX];
	long len;

	if (a->cpu.samples < 20 || a->cpu.cpu_ns < a->duration_ns / 10)
		return;
	profile_init(&p, "cpu");
	len = cpu_profile(&a->cpu, &p) ? -1 : view_top_functions(&p, a->rec.stacks, 0, false, &list);
	if (len < 0)
		f->failed = true;
	for (long i = 0; i < len && i < 2; i++) {
		struct buf where = { 0 };
		double share = percent((uint64_t)list[i].flat, a->cpu.cpu_ns);

		if (share < 20 || list[i].frame->source == FRAME_UNKNOWN)
			continue;
		view_frame_name(&where, list[i].frame);
		findings_add(f, RULE_cpu_hot, share >= 40 ? SEVERITY_MEDIUM : SEVERITY_LOW, (struct stack_id){ 0 },
			     "%s of the CPU time (%.0f %%) is spent in %s itself.", render_duration(text, list[i].flat),
			     share, buf_string(&where));
		buf_release(&where);
	}
	free(list);
	profile_release(&p);
}
