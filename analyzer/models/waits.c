/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/models/waits.h"
#include "format/kinds.h"

struct span_time span_split(const struct clock *clock, const struct rec_span *span)
{
	struct span_time t = { .dur_ns = clock_dur_ns(clock, span->dur_ticks) };
	uint64_t since_ns = clock_dur_ns(clock, span->since_ticks), off_ns;

	off_ns = !since_ns ? t.dur_ns : since_ns > span->cpu_ns ? since_ns - span->cpu_ns : 0;
	t.off_ns = off_ns < t.dur_ns ? off_ns : t.dur_ns;
	t.blocked_ns = span->wait == WAIT_SPIN ? t.dur_ns : t.off_ns;
	t.excess_ns = off_ns - t.off_ns;
	return t;
}

static struct wait_site *site_at(struct waits *w, uint32_t wait, struct stack_id stack)
{
	bool is_new;
	uint64_t *index = map_at(&w->site_of, (uint64_t)wait << 32 | stack.v, &is_new);

	if (!index)
		return NULL;
	if (!is_new)
		return &w->sites[*index];
	if (w->sites_len == w->sites_cap) {
		size_t cap = w->sites_cap ? 2 * w->sites_cap : 64;
		struct wait_site *sites = realloc(w->sites, cap * sizeof(*sites));

		if (!sites) {
			map_remove(&w->site_of, (uint64_t)wait << 32 | stack.v, NULL);
			return NULL;
		}
		w->sites = sites;
		w->sites_cap = cap;
	}
	*index = w->sites_len;
	w->sites[w->sites_len] = (struct wait_site){ .stack = stack, .wait = wait };
	return &w->sites[w->sites_len++];
}

static void kind_add(struct waits *w, struct wait_kind *kind, const struct span_time *t)
{
	if (!kind->blocked)
		kind->blocked = calloc(1, sizeof(*kind->blocked));
	if (kind->blocked)
		histogram_add(kind->blocked, t->blocked_ns);
	else
		w->failed = true;
	kind->spans++;
	kind->blocked_ns += t->blocked_ns;
	kind->dur_ns += t->dur_ns;
}

static struct wait_site *add_wait(struct waits *w, uint32_t wait, struct stack_id stack, const struct span_time *t)
{
	struct wait_site *site = site_at(w, wait, stack);

	if (!site) {
		w->failed = true;
		return NULL;
	}
	site->spans++;
	site->dur_ns += t->dur_ns;
	site->blocked_ns += t->blocked_ns;
	if (t->blocked_ns > site->max_ns)
		site->max_ns = t->blocked_ns;
	kind_add(w, &w->kinds[wait], t);
	kind_add(w, &w->total, t);
	return site;
}

/* A kind of a later version is told as "other". */
static uint32_t known_wait(unsigned wait)
{
	return wait && wait < RSD_WAITS && wait_name(wait)[0] != '?' ? wait : WAIT_OTHER;
}

static bool is_in_pool(const struct waits *w, uint32_t index)
{
	const struct rsd_thread *thread = recording_thread(w->rec, index);
	uint64_t threads;

	return thread && thread->start_routine && map_get(&w->routine_of, thread->start_routine, &threads) &&
	       threads > 1;
}

static void on_span(void *self, const struct pass_event *e)
{
	struct waits *w = self;
	const struct rec_span *span = &e->ev->span;
	struct span_time t = span_split(&w->rec->clock, span);
	struct wait_site *site = add_wait(w, known_wait(span->wait), recording_stack(w->rec, span->stack), &t);

	if (site && !site->in_pool)
		site->in_pool = is_in_pool(w, e->thread);
}

int waits_init(struct waits *w, struct recording *rec)
{
	*w = (struct waits){ .rec = rec };
	map_init(&w->site_of);
	map_init(&w->routine_of);
	for (uint32_t i = 0; i < rec->threads_len; i++) {
		const struct rsd_thread *thread = recording_thread(rec, i);
		uint64_t *threads = thread ? map_at(&w->routine_of, thread->start_routine, NULL) : NULL;

		if (threads)
			++*threads;
	}
	return 0;
}

void waits_release(struct waits *w)
{
	for (unsigned i = 0; i < RSD_WAITS; i++)
		free(w->kinds[i].blocked);
	free(w->total.blocked);
	free(w->sites);
	map_release(&w->site_of);
	map_release(&w->routine_of);
	*w = (struct waits){ 0 };
}

struct pass_sink waits_sink(struct waits *w)
{
	return (struct pass_sink){ .self = w, .on = { [EV_SPAN] = on_span } };
}

static void add_calls(struct waits *w, const struct rsd_thread *thread)
{
	for (unsigned wait = 1; wait < RSD_WAITS; wait++) {
		struct wait_kind *kind = &w->kinds[known_wait(wait)];
		uint64_t short_ns = clock_dur_ns(&w->rec->clock, thread->wait[wait].short_ticks);

		kind->calls += thread->wait[wait].calls;
		kind->short_ns += short_ns;
		w->total.calls += thread->wait[wait].calls;
		w->total.short_ns += short_ns;
	}
}

/* The stack of a wait that never ended was not written: its site is the empty stack. */
static void add_unfinished(struct waits *w, const struct rsd_thread *thread)
{
	struct span_time t = { 0 };
	struct wait_site *site;

	if (!thread->waiting || thread->end_tick || thread->waiting_since >= w->rec->end_tick)
		return;
	t.dur_ns = clock_dur_ns(&w->rec->clock, w->rec->end_tick - thread->waiting_since);
	if (t.dur_ns < w->rec->reader.header.block_ns)
		return;
	t.blocked_ns = t.dur_ns;
	site = add_wait(w, known_wait(thread->waiting), (struct stack_id){ 0 }, &t);
	if (site)
		site->unfinished++;
}

void waits_finish(struct waits *w, const struct pass_filter *filter)
{
	bool has_window = filter && (filter->from_ns || filter->to_ns);

	for (size_t i = 0; i < w->rec->threads_len && !has_window; i++) {
		const struct rsd_thread *thread = recording_thread(w->rec, (uint32_t)i);

		if (!thread || (filter && filter->threads && !filter->threads[i]))
			continue;
		add_calls(w, thread);
		add_unfinished(w, thread);
	}
	/* A dump whose slots lag behind its records never shows fewer calls than recorded spans. */
	w->total.calls = 0;
	for (unsigned i = 0; i < RSD_WAITS; i++) {
		if (w->kinds[i].calls < w->kinds[i].spans)
			w->kinds[i].calls = w->kinds[i].spans;
		w->total.calls += w->kinds[i].calls;
	}
}

static int merge_kind(struct wait_kind *into, const struct wait_kind *from)
{
	into->calls += from->calls;
	into->spans += from->spans;
	into->blocked_ns += from->blocked_ns;
	into->dur_ns += from->dur_ns;
	into->short_ns += from->short_ns;
	if (!from->blocked)
		return 0;
	if (!into->blocked)
		into->blocked = calloc(1, sizeof(*into->blocked));
	if (!into->blocked)
		return -ENOMEM;
	histogram_merge(into->blocked, from->blocked);
	return 0;
}

int waits_merge(struct waits *into, const struct waits *from)
{
	int err = merge_kind(&into->total, &from->total);

	for (unsigned i = 0; !err && i < RSD_WAITS; i++)
		err = merge_kind(&into->kinds[i], &from->kinds[i]);
	for (size_t i = 0; !err && i < from->sites_len; i++) {
		const struct wait_site *s = &from->sites[i];
		struct wait_site *to = site_at(into, s->wait, s->stack);

		if (!to)
			return -ENOMEM;
		to->spans += s->spans;
		to->dur_ns += s->dur_ns;
		to->blocked_ns += s->blocked_ns;
		to->unfinished += s->unfinished;
		to->in_pool |= s->in_pool;
		if (s->max_ns > to->max_ns)
			to->max_ns = s->max_ns;
	}
	return err;
}

int waits_profile(const struct waits *w, uint64_t kinds, struct profile *p)
{
	profile_define(p, "blocked", UNIT_NS, "time blocked, in calls at least as long as the threshold");
	profile_define(p, "spans", UNIT_COUNT, "calls at least as long as the threshold");
	profile_define(p, "elapsed", UNIT_NS, "from call to return: blocked and on the CPU");
	for (size_t i = 0; i < w->sites_len; i++) {
		const struct wait_site *s = &w->sites[i];
		int64_t values[PROFILE_VALUES] = { (int64_t)s->blocked_ns, (int64_t)s->spans, (int64_t)s->dur_ns };

		if (kinds && !(kinds >> s->wait & 1))
			continue;
		if (profile_add(p, s->stack, profile_label(p, wait_name(s->wait)), values))
			return -ENOMEM;
	}
	return 0;
}
