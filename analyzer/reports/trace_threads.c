/* SPDX-License-Identifier: MIT */
/*
 * trace_threads.c - the account of each thread: wall = on the CPU + ready + blocked by reason + idle + unknown, and the
 * same summed up over the threads that run the same function.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "format/kinds.h"

struct account {
	uint64_t ns[DOINGS];
	uint64_t wait_ns[RSD_WAITS];	  /* off the CPU, idle or not */
	uint64_t wall_ns, threads, first; /* first: tick of its start */
};

struct trace_threads {
	struct report_run *r;
	struct report_window window;
	struct account *accounts; /* by thread index */
	struct account total;
	bool *in_pool;
};

static void add(struct account *to, const struct account *from)
{
	for (unsigned i = 0; i < DOINGS; i++)
		to->ns[i] += from->ns[i];
	for (unsigned i = 0; i < RSD_WAITS; i++)
		to->wait_ns[i] += from->wait_ns[i];
	to->wall_ns += from->wall_ns;
	to->threads += from->threads;
}

static void stretch(void *self, const struct stretch *s)
{
	struct trace_threads *t = self;
	struct account *a = &t->accounts[s->thread];
	uint64_t ns[DOINGS] = { 0 };

	stretch_share(s, &t->r->a->rec.clock, t->window.from, t->window.to,
		      !t->r->options->shows_idle && activity_is_idle(s->wait, t->in_pool[s->thread]), ns);
	for (unsigned i = 0; i < DOINGS; i++) {
		a->ns[i] += ns[i];
		a->wall_ns += ns[i];
		if (s->wait && i != DOING_CPU)
			a->wait_ns[s->wait] += ns[i];
	}
}

/* Calls below the threshold are known by their sum: it was off the CPU in no recorded wait. */
static void place_short_waits(struct trace_threads *t, uint32_t thread)
{
	const struct rsd_thread *slot = recording_thread(&t->r->a->rec, thread);
	struct account *a = &t->accounts[thread];

	if (!slot || t->window.from || t->window.to != UINT64_MAX)
		return;
	for (unsigned wait = 1; wait < RSD_WAITS; wait++) {
		uint64_t ns = clock_dur_ns(&t->r->a->rec.clock, slot->wait[wait].short_ticks);
		bool is_idle = !t->r->options->shows_idle && activity_is_idle(wait, t->in_pool[thread]);

		ns = ns < a->ns[DOING_READY] ? ns : a->ns[DOING_READY];
		a->ns[DOING_READY] -= ns;
		a->ns[wait_doing(wait, is_idle)] += ns;
		a->wait_ns[wait] += ns;
	}
}

/* "mutex 41 %, read 12 %": the waits that took most, at least a hundredth of the wall. */
static void reasons(const struct account *a, struct buf *out)
{
	bool used[RSD_WAITS] = { 0 };

	for (unsigned rank = 0; rank < 3; rank++) {
		unsigned best = 0;

		for (unsigned i = 1; i < RSD_WAITS; i++)
			if (!used[i] && a->wait_ns[i] > (best ? a->wait_ns[best] : 0))
				best = i;
		if (!best || a->wait_ns[best] * 100 < a->wall_ns)
			return;
		used[best] = true;
		buf_printf(out, "%s%s %.0f %%", rank ? ", " : "", wait_name(best),
			   100 * (double)a->wait_ns[best] / (double)a->wall_ns);
	}
}

static void account_columns(struct table *t)
{
	table_column(t, "wall", "wall_ns", UNIT_NS);
	report_doing_columns(t);
	table_column(t, "waits mostly for", "reasons", UNIT_TEXT);
}

static void account_cells(struct table *t, const struct account *a)
{
	struct buf text = { 0 };

	table_number(t, (int64_t)a->wall_ns);
	report_doing_cells(t, a->ns);
	reasons(a, &text);
	table_text(t, buf_string(&text));
	buf_release(&text);
}

static void thread_row(const struct trace_threads *t, struct table *table, uint32_t i)
{
	const struct rsd_thread *slot = recording_thread(&t->r->a->rec, i);

	table_row(table);
	table_number(table, slot->tid);
	report_thread_cell(t->r, table, i);
	table_number(table, (int64_t)report_ns(t->r, slot->start_tick));
	account_cells(table, &t->accounts[i]);
	report_routine_cell(t->r, table, i);
	report_stack_cell(t->r, table, recording_stack(&t->r->a->rec, slot->create_stack));
}

static bool is_shown(const struct trace_threads *t, uint32_t i)
{
	const bool *chosen = t->r->a->filter.threads;

	return recording_thread(&t->r->a->rec, i) && t->accounts[i].wall_ns && (!chosen || chosen[i]);
}

static int print_threads(const struct trace_threads *t, struct page *page)
{
	struct table *table = page_table(page, "By thread", "threads");

	table_column(table, "tid", "tid", UNIT_COUNT);
	table_column(table, "thread", "name", UNIT_TEXT);
	table_column(table, "start", "start_ns", UNIT_NS);
	account_columns(table);
	table_column(table, "runs", "routine", UNIT_TEXT);
	table_column(table, "created by", "created_by", UNIT_STACK);
	for (uint32_t i = 0; i < t->r->a->rec.threads_len; i++)
		if (is_shown(t, i))
			thread_row(t, table, i);
	return report_order(t->r, table, 3);
}

/* Threads of one start routine are one row. */
static int print_groups(const struct trace_threads *t, struct page *page)
{
	struct table *table = page_table(page, "By what they run", "groups");
	struct account *groups = NULL;
	uint32_t *leaders = NULL;
	size_t len = 0, cap = 0, leaders_cap = 0;
	struct map group_of;
	bool failed = false;

	map_init(&group_of);
	for (uint32_t i = 0; i < t->r->a->rec.threads_len && !failed; i++) {
		bool is_new;
		uint64_t *at;

		if (!is_shown(t, i))
			continue;
		at = map_at(&group_of, t->r->a->rec.threads[i].start_routine, &is_new);
		if (at && is_new) {
			failed = list_grow((void **)&groups, &cap, len, sizeof(*groups)) ||
				 list_grow((void **)&leaders, &leaders_cap, len, sizeof(*leaders));
			if (failed)
				break;
			groups[len] = (struct account){ 0 };
			leaders[len] = i;
			*at = len++;
		}
		failed = failed || !at;
		if (at)
			add(&groups[*at], &t->accounts[i]);
	}
	table_column(table, "threads", "threads", UNIT_COUNT);
	account_columns(table);
	table_column(table, "runs", "routine", UNIT_TEXT);
	for (size_t i = 0; i < len; i++) {
		table_row(table);
		table_number(table, (int64_t)groups[i].threads);
		account_cells(table, &groups[i]);
		report_routine_cell(t->r, table, leaders[i]);
	}
	table->failed |= failed;
	map_release(&group_of);
	free(groups);
	free(leaders);
	table_sort(table, 1, true);
	return 0;
}

static void print_whole(struct trace_threads *t, struct page *page)
{
	char share[RENDER_NUMBER_MAX];

	for (uint32_t i = 0; i < t->r->a->rec.threads_len; i++)
		if (is_shown(t, i)) {
			t->accounts[i].threads = 1;
			add(&t->total, &t->accounts[i]);
		}
	page_fact(page, "threads", "threads", UNIT_COUNT, t->total.threads);
	page_fact(page, "time of all threads", "wall_ns", UNIT_NS, t->total.wall_ns);
	for (unsigned i = 0; i < DOINGS; i++)
		page_fact(page, doing_name((enum doing)i), doing_key((enum doing)i), UNIT_NS, t->total.ns[i]);
	if (t->total.ns[DOING_UNKNOWN] * 50 > t->total.wall_ns)
		page_note(page, "%s of the time is unknown: no clock of the thread was read there",
			  render_percent(share, (double)t->total.ns[DOING_UNKNOWN] / (double)t->total.wall_ns));
	page_note(page,
		  "ready: off the CPU in no recorded wait, so it could have run, or waited for less than the threshold "
		  "more often than is known");
	if (!t->r->options->shows_idle)
		page_note(page,
			  "idle: waiting for work - connections, children, threads' ends; of threads that several of "
			  "run the same function also conditions and semaphores. --idle counts it with the rest");
}

int report_trace_threads(struct report_run *r, struct page *page)
{
	struct trace_threads t = { .r = r, .window = report_window(r) };
	struct activity a = { .self = &t, .stretch = stretch };
	int err = -ENOMEM;

	t.accounts = calloc(r->a->rec.threads_len + 1, sizeof(*t.accounts));
	t.in_pool = threads_in_pools(&r->a->rec);
	if (t.accounts && t.in_pool)
		err = report_activity(r, &a, NULL);
	if (!err) {
		for (uint32_t i = 0; i < r->a->rec.threads_len; i++)
			place_short_waits(&t, i);
		print_whole(&t, page);
		err = print_groups(&t, page);
		err = err ? err : print_threads(&t, page);
	}
	free(t.accounts);
	free(t.in_pool);
	return err;
}
