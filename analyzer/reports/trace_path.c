/* SPDX-License-Identifier: MIT */
/*
 * trace_path.c - the critical path (critical.h): which threads it ran through, what they did on it, and how much
 * earlier the program would have ended if a place, a lock or a wait had cost nothing (what_if.h).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/models/critical.h"
#include "analyzer/models/what_if.h"
#include "analyzer/reports/lock_names.h"
#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "format/kinds.h"
#include "analyzer/util/whole.h"

#define CANDIDATES (WHAT_IF_MAX - 1)

enum cause_kind { CAUSE_RUN, CAUSE_READY, CAUSE_WAIT, CAUSE_LOCK };

/* What can be on the path, and be taken off it. */
struct cause {
	enum cause_kind kind;
	uint32_t wait;
	uint32_t group; /* of its place; GROUP_NONE: not known */
	uint64_t lock;	/* of CAUSE_LOCK: its address */
	double ns;	/* on the path */
	double saved_ns;
	bool was_replayed;
};

struct path {
	struct report_run *r;
	struct report_window window;
	struct critical critical;
	struct lock_names names;
	struct groups groups;
	struct cause *causes;
	size_t len, cap;
	struct map cause_of;
	uint32_t *at;		  /* by thread index: the piece its stretches have come to */
	double *thread_ns;	  /* by thread index: on the path */
	struct stack_id *sampled; /* by thread index: where its latest sample was */
	double total_ns;
	size_t chosen[CANDIDATES]; /* causes */
	bool failed;
};

static struct cause *cause_at(struct path *p, enum cause_kind kind, uint32_t wait, uint32_t group, uint64_t lock)
{
	const uint64_t key[] = { kind, wait, group, lock };
	bool is_new;
	uint64_t *at = map_at(&p->cause_of, hash_bytes(key, sizeof(key)), &is_new);

	if (!at || (is_new && list_grow((void **)&p->causes, &p->cap, p->len, sizeof(*p->causes)))) {
		p->failed = true;
		return NULL;
	}
	if (is_new) {
		p->causes[p->len] = (struct cause){ .kind = kind, .wait = wait, .group = group, .lock = lock };
		*at = p->len++;
	}
	return &p->causes[*at];
}

static void blame(struct path *p, double ns, enum cause_kind kind, uint32_t wait, uint32_t group, uint64_t lock)
{
	struct cause *c = ns > 0 ? cause_at(p, kind, wait, group, lock) : NULL;

	if (c)
		c->ns += ns;
}

static bool is_lock(unsigned wait)
{
	return wait == WAIT_MUTEX || wait == WAIT_RWLOCK_READ || wait == WAIT_RWLOCK_WRITE || wait == WAIT_SPIN;
}

/* ---- what was done on the path -------------------------------------------------------------------------------- */

static void explain(struct path *p, const struct stretch *s, uint64_t from, uint64_t to)
{
	double all = (double)clock_dur_ns(&p->r->a->rec.clock, to - from), cpu;
	uint64_t ns[DOINGS] = { 0 };

	p->total_ns += all;
	p->thread_ns[s->thread] += all;
	stretch_share(s, &p->r->a->rec.clock, from, to, false, ns);
	cpu = (double)ns[DOING_CPU];
	/* Behind the wake-up it waited for a CPU only. */
	if (s->wait && from > s->begin && from > p->window.from)
		blame(p, all - cpu, CAUSE_READY, 0, GROUP_NONE, 0);
	else if (is_lock(s->wait))
		blame(p, all - cpu, CAUSE_LOCK, s->wait, GROUP_NONE, s->object);
	else if (s->wait)
		blame(p, all - cpu, CAUSE_WAIT, s->wait, groups_of(&p->groups, s->stack), 0);
	else
		blame(p, all - cpu, CAUSE_READY, 0, GROUP_NONE, 0);
	/* Where it ran is what the latest sample says: their number is in proportion to the time. */
	blame(p, cpu, CAUSE_RUN, 0, p->sampled[s->thread].v ? groups_of(&p->groups, p->sampled[s->thread]) : GROUP_NONE,
	      0);
}

static void on_stretch(void *self, const struct stretch *s)
{
	struct path *p = self;
	const struct critical_piece *pieces = p->critical.pieces;
	uint32_t at = p->at[s->thread];

	while (at && pieces[at - 1].to <= s->begin)
		at = pieces[at - 1].next;
	p->at[s->thread] = at;
	for (; at && pieces[at - 1].from < s->end; at = pieces[at - 1].next) {
		uint64_t from = pieces[at - 1].from > s->begin ? pieces[at - 1].from : s->begin;
		uint64_t to = pieces[at - 1].to < s->end ? pieces[at - 1].to : s->end;

		from = from > p->window.from ? from : p->window.from;
		to = to < p->window.to ? to : p->window.to;
		if (to > from)
			explain(p, s, from, to);
	}
}

static void on_sample(void *self, const struct pass_event *e)
{
	struct path *p = self;

	if (e->ev->sample.thread < p->r->a->rec.threads_len)
		p->sampled[e->ev->sample.thread] = recording_stack(&p->r->a->rec, e->ev->sample.stack);
}

static int explain_path(struct path *p)
{
	struct activity a = { .self = p, .stretch = on_stretch };
	struct pass_sink own = { .self = p, .on[EV_SAMPLE] = on_sample }, spans, locks[2];
	const struct pass_sink *sinks[] = { &own, &spans, &locks[0], &locks[1] };
	int err = activity_init(&a, &p->r->a->rec);

	lock_names_sinks(&p->names, locks);
	spans = activity_sink(&a);
	for (uint32_t i = 0; i < p->r->a->rec.threads_len; i++)
		p->at[i] = p->critical.first[i];
	err = err ? err : analysis_pass(p->r->a, sinks, 4);
	if (!err)
		activity_finish(&a);
	activity_release(&a);
	err = err ? err : lock_names_finish(&p->names);
	return !err && (p->failed || p->groups.failed) ? -ENOMEM : err;
}

/* ---- what if -------------------------------------------------------------------------------------------------- */

static bool takes_wait(void *self, size_t candidate, const struct stretch *s)
{
	struct path *p = self;
	const struct cause *c = &p->causes[p->chosen[candidate - 1]];

	if (c->kind == CAUSE_LOCK)
		return is_lock(s->wait) && s->object == c->lock;
	return c->kind == CAUSE_WAIT && c->wait == s->wait && groups_of(&p->groups, s->stack) == c->group;
}

static bool takes_sample(void *self, size_t candidate, struct stack_id stack)
{
	struct path *p = self;
	const struct cause *c = &p->causes[p->chosen[candidate - 1]];

	return c->kind == CAUSE_RUN && groups_of(&p->groups, stack) == c->group;
}

/*
 * The longest ones, and the locks that were on nobody's path: time that goes to a lock's holder is the holder's work,
 * so the lock itself is not on the path but what it makes others wait for is.
 */
static size_t choose(struct path *p)
{
	size_t len = 0;

	for (size_t i = 0; i < p->names.locks.locks_len && len < CANDIDATES / 3; i++)
		if (cause_at(p, CAUSE_LOCK, p->names.locks.locks[i].wait, GROUP_NONE, p->names.locks.locks[i].address))
			p->chosen[len++] = p->len - 1;
	/* The last call may have found one that was there. */
	for (size_t i = 0; i < len; i++)
		for (size_t k = 0; k < p->len; k++)
			if (p->causes[k].kind == CAUSE_LOCK && p->causes[k].lock == p->names.locks.locks[i].address)
				p->chosen[i] = k;
	for (size_t i = 0; i < len; i++)
		p->causes[p->chosen[i]].was_replayed = true;
	while (len < CANDIDATES) {
		size_t best = SIZE_MAX;

		for (size_t i = 0; i < p->len; i++)
			if (!p->causes[i].was_replayed && p->causes[i].kind != CAUSE_READY &&
			    p->causes[i].kind != CAUSE_LOCK &&
			    !(p->causes[i].kind == CAUSE_RUN && p->causes[i].group == GROUP_NONE) &&
			    (best == SIZE_MAX || p->causes[i].ns > p->causes[best].ns))
				best = i;
		if (best == SIZE_MAX)
			break;
		p->causes[best].was_replayed = true;
		p->chosen[len++] = best;
	}
	return len;
}

static int replay(struct path *p)
{
	struct what_if w = {
		.self = p, .takes_wait = takes_wait, .takes_sample = takes_sample, .last = p->critical.last
	};
	int err;

	w.candidates = choose(p) + 1;
	err = what_if_run(&w, p->r->a);
	for (size_t k = 1; k < w.candidates && !err; k++)
		p->causes[p->chosen[k - 1]].saved_ns = w.end_ns[0] - w.end_ns[k];
	return err;
}

/* ---- the page ------------------------------------------------------------------------------------------------- */

static void what_cell(const struct path *p, struct table *t, const struct cause *c)
{
	struct buf text = { 0 };
	const char *lock = c->kind == CAUSE_LOCK ? lock_name(&p->names, c->lock) : NULL;

	if (c->kind == CAUSE_READY)
		buf_add_string(&text, "ready to run, or in waits below the threshold");
	else if (c->kind == CAUSE_LOCK)
		buf_printf(&text, "%s %s", wait_name(c->wait), lock ? lock : "[unknown]");
	else if (c->kind == CAUSE_RUN && c->group == GROUP_NONE)
		buf_add_string(&text, "runs (no CPU sample)");
	else
		buf_printf(&text, "%s ", c->kind == CAUSE_RUN ? "runs" : wait_name(c->wait));
	if (c->group != GROUP_NONE)
		groups_name(&p->groups, c->group, &text);
	table_stack(t, buf_string(&text), (struct stack_id){ 0 },
		    c->group != GROUP_NONE ? p->groups.list[c->group].place.site : NULL);
	table_text(t, c->kind == CAUSE_LOCK ? lock : NULL);
	buf_release(&text);
}

static int print_causes(struct path *p, struct page *page)
{
	static const char *const kinds[] = { "run", "ready", "wait", "lock" };
	struct table *t = page_table(page, "What is on the path", "path");

	table_column(t, "on the path", "path_ns", UNIT_NS);
	table_column(t, "share", "share", UNIT_PERCENT);
	table_column(t, "if it cost nothing", "saved_ns", UNIT_NS);
	table_column(t, "earlier by", "saved_share", UNIT_PERCENT);
	table_column(t, "kind", "kind", UNIT_TEXT);
	table_column(t, "in", "wait", UNIT_TEXT);
	table_column(t, "what", "stack", UNIT_STACK);
	table_column_quiet(t, "", "lock", UNIT_TEXT);
	for (size_t i = 0; i < p->len; i++) {
		const struct cause *c = &p->causes[i];

		table_row(t);
		table_number(t, whole_i64(c->ns));
		table_real(t, p->total_ns > 0 ? c->ns / p->total_ns : 0);
		if (c->was_replayed) {
			table_number(t, whole_i64(c->saved_ns > 0 ? c->saved_ns : 0));
			table_real(t, p->total_ns > 0 && c->saved_ns > 0 ? c->saved_ns / p->total_ns : 0);
		} else {
			table_skip(t);
			table_skip(t);
		}
		table_text(t, kinds[c->kind]);
		table_text(t, c->kind == CAUSE_WAIT || c->kind == CAUSE_LOCK ? wait_name(c->wait) : NULL);
		what_cell(p, t, c);
	}
	return report_order(p->r, t, 0);
}

static void print_threads(struct path *p, struct page *page)
{
	struct table *t = page_table(page, "Through which threads it runs", "threads");

	table_column(t, "on the path", "path_ns", UNIT_NS);
	table_column(t, "share", "share", UNIT_PERCENT);
	table_column(t, "thread", "thread", UNIT_TEXT);
	table_column(t, "runs", "routine", UNIT_TEXT);
	for (uint32_t i = 0; i < p->r->a->rec.threads_len; i++) {
		if (p->thread_ns[i] <= 0)
			continue;
		table_row(t);
		table_number(t, whole_i64(p->thread_ns[i]));
		table_real(t, p->thread_ns[i] / p->total_ns);
		report_thread_cell(p->r, t, i);
		report_routine_cell(p->r, t, i);
	}
	table_sort(t, 0, true);
	if (p->r->options->top)
		table_cut(t, p->r->options->top);
}

static int print(struct path *p, struct page *page)
{
	int err;

	page_fact(page, "length", "path_ns", UNIT_NS, whole_u64(p->total_ns));
	page_fact(page, "turns from thread to thread", "turns", UNIT_COUNT, p->critical.len ? p->critical.len - 1 : 0);
	err = print_causes(p, page);
	print_threads(p, page);
	page_note(page,
		  "the path: from the end of the program back; where a thread waited for another one - a release, a "
		  "signal, a post, a barrier, an end - it goes on in that one");
	page_note(page,
		  "earlier by: a replay of the recording without that time. It knows nothing of CPUs that become free, "
		  "nor of waits that would come into being");
	return err;
}

int report_trace_path(struct report_run *r, struct page *page)
{
	struct path p = { .r = r, .window = report_window(r) };
	size_t threads = r->a->rec.threads_len + 1;
	bool *chosen = r->a->filter.threads;
	int err;

	/* The path runs through all threads. */
	r->a->filter.threads = NULL;
	map_init(&p.cause_of);
	p.at = calloc(threads, sizeof(*p.at));
	p.thread_ns = calloc(threads, sizeof(*p.thread_ns));
	p.sampled = calloc(threads, sizeof(*p.sampled));
	err = p.at && p.thread_ns && p.sampled ? report_groups(r, BY_PLACE, &p.groups) : -ENOMEM;
	err = err ? err : lock_names_init(&p.names, &r->a->rec);
	err = err ? err : critical_find(&p.critical, r->a);
	err = err ? err : explain_path(&p);
	err = err ? err : replay(&p);
	err = err ? err : print(&p, page);
	r->a->filter.threads = chosen;
	critical_release(&p.critical);
	lock_names_release(&p.names);
	groups_release(&p.groups);
	map_release(&p.cause_of);
	free(p.causes);
	free(p.at);
	free(p.thread_ns);
	free(p.sampled);
	return err;
}
