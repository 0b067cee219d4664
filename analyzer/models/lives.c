/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/lives.h"
#include "analyzer/util/list.h"

#define AHEAD 16u
#define NOT_THERE UINT32_MAX

struct life_thread {
	uint64_t allocations;
	/* The first half of a realloc; the second one is the thread's next record. */
	bool has_old;
	struct life old;
	struct life_end end;
};

static struct life_thread *thread_of(struct lives *l, uint32_t thread)
{
	return &l->threads[thread < l->a->rec.threads_len ? thread + 1 : 0];
}

/* ---- places of the slab --------------------------------------------------------------------------------------- */

static uint32_t take_place(struct lives *l)
{
	if (l->spare_len)
		return l->spare[--l->spare_len];
	if (list_grow((void **)&l->slab, &l->slab_cap, l->slab_len, sizeof(*l->slab)))
		return NOT_THERE;
	return (uint32_t)l->slab_len++;
}

static void leave_place(struct lives *l, uint32_t place)
{
	l->slab[place].addr = 0;
	if (list_grow((void **)&l->spare, &l->spare_cap, l->spare_len, sizeof(*l->spare)))
		l->failed = true; /* the place stays unused */
	else
		l->spare[l->spare_len++] = place;
}

struct life *lives_next(const struct lives *l, size_t *at)
{
	while (*at < l->slab_len)
		if (l->slab[(*at)++].addr)
			return &l->slab[*at - 1];
	return NULL;
}

/* ---- births and ends ------------------------------------------------------------------------------------------ */

static void tell_end(struct lives *l, const struct life *life, const struct life_end *end)
{
	if (l->watcher.ended)
		l->watcher.ended(l->watcher.self, life, end);
}

static void lose(struct lives *l, uint32_t place, const struct pass_event *e)
{
	struct life old = l->slab[place];

	leave_place(l, place);
	l->missed_frees++;
	tell_end(l, &old,
		 &(struct life_end){ .tick = e->tick,
				     .between = thread_of(l, old.thread)->allocations - old.nth,
				     .thread = e->thread,
				     .fate = LIFE_LOST });
}

/* Into the table; NULL without memory. */
static struct life *keep(struct lives *l, const struct life *life, const struct pass_event *e)
{
	struct block old, b = { .addr = life->addr, .size = life->size };
	uint32_t place = take_place(l);
	bool had_old;

	b.site = place;
	if (place == NOT_THERE || live_add(&l->live, &b, &old, &had_old)) {
		l->failed = true;
		return NULL;
	}
	l->slab[place] = *life;
	if (had_old)
		lose(l, old.site, e);
	return &l->slab[place];
}

static bool is_wanted(struct lives *l, struct life *life)
{
	uint64_t max = l->a->size_max ? l->a->size_max : UINT64_MAX;

	if (life->size < l->a->size_min || life->size > max)
		return false;
	life->group = l->groups ? groups_of(l->groups, life->stack) : 0;
	if (life->group != GROUP_NONE)
		return true;
	l->suppressed +=
		l->groups->suppressions && suppressions_find(l->groups->suppressions, l->groups->stacks, life->stack);
	return false;
}

static void settle_realloc(struct lives *l, struct life_thread *t, struct life *now)
{
	t->has_old = false;
	if (now)
		l->watcher.resized(l->watcher.self, &t->old, &t->end, now);
	else
		tell_end(l, &t->old, &t->end);
}

static void begin(struct lives *l, const struct pass_event *e)
{
	struct life_thread *t = thread_of(l, e->thread);
	struct life life = { .addr = e->addr,
			     .size = e->size,
			     .born = e->tick,
			     .nth = ++t->allocations,
			     .stack = recording_stack(&l->a->rec, e->stack),
			     .thread = e->thread,
			     .api = e->api,
			     .is_sampled = e->kind == EV_SAMPLED_ALLOC };
	bool is_second = t->has_old && e->kind == EV_REALLOC_ALLOC; /* of a realloc that somebody wants to know of */
	struct life *now = NULL;

	life.is_resized = e->kind == EV_REALLOC_ALLOC;
	life.tag = is_second ? t->old.tag : 0;
	if (e->addr && is_wanted(l, &life))
		now = keep(l, &life, e);
	l->allocations += now != NULL;
	l->sampled += now && now->is_sampled;
	/* A realloc is one call: the halves have one stack. */
	if (is_second)
		t->end.stack = life.stack;
	if (t->has_old)
		settle_realloc(l, t, is_second ? now : NULL);
	if (now && !is_second && l->watcher.born)
		l->watcher.born(l->watcher.self, now);
}

static void end(struct lives *l, const struct pass_event *e)
{
	struct life_thread *t = thread_of(l, e->thread);
	struct life_end of = { .tick = e->tick,
			       .stack = recording_stack(&l->a->rec, e->stack),
			       .thread = e->thread,
			       .fate = e->kind == EV_FREE ? LIFE_FREED : LIFE_RESIZED };
	struct block block;
	struct life life;

	if (t->has_old)
		settle_realloc(l, t, NULL);
	if (!e->addr)
		return;
	if (!l->live.cap || !live_remove(&l->live, e->addr, &block)) {
		early_add(&l->early, e);
		return;
	}
	life = l->slab[block.site];
	leave_place(l, block.site);
	of.between = thread_of(l, life.thread)->allocations - life.nth;
	if (of.fate == LIFE_FREED || !l->watcher.resized) {
		tell_end(l, &life, &of);
		return;
	}
	t->has_old = true;
	t->old = life;
	t->end = of;
}

struct weight lives_known(const struct lives *l, const struct life *life, const struct life_end *end)
{
	uint64_t every = life->is_sampled || end->fate != LIFE_FREED ? 1 : l->a->rec.reader.header.free_every;
	struct weight w = lives_weight(l, life);

	if (!end->stack.v)
		return (struct weight){ 0 };
	w.ones *= every ? every : 1;
	w.bytes *= every ? every : 1;
	return w;
}

/* ---- the pass ------------------------------------------------------------------------------------------------- */

static void stop_until(struct lives *l, uint64_t tick)
{
	for (; l->stop < l->stops_len && l->stops[l->stop] <= tick; l->stop++)
		if (l->watcher.stopped)
			l->watcher.stopped(l->watcher.self, l->stop);
}

static void on_blocks(void *self, const struct pass_event *e, size_t len, size_t ahead)
{
	struct lives *l = self;
	struct pass_event free;

	for (size_t i = 0; i < len; i++) {
		if (i + AHEAD < len + ahead)
			live_prefetch(&l->live, e[i + AHEAD].addr);
		if (l->stop < l->stops_len && l->stops[l->stop] <= e[i].tick)
			stop_until(l, e[i].tick);
		if (e[i].kind == EV_FREE || e[i].kind == EV_REALLOC_FREE)
			end(l, &e[i]);
		else {
			begin(l, &e[i]);
			if (early_take(&l->early, &e[i], &free))
				end(l, &free);
		}
	}
}

static void finish(struct lives *l)
{
	struct life_end of = { .tick = l->a->rec.end_tick, .thread = PASS_NO_THREAD, .fate = LIFE_GOES_ON };
	struct life *life;

	stop_until(l, UINT64_MAX);
	l->unknown_frees = early_unknown(&l->early);
	for (size_t i = 0; i <= l->a->rec.threads_len; i++)
		if (l->threads[i].has_old)
			settle_realloc(l, &l->threads[i], NULL);
	for (size_t at = 0; (life = lives_next(l, &at));) {
		of.between = thread_of(l, life->thread)->allocations - life->nth;
		tell_end(l, life, &of);
	}
}

int lives_run(struct lives *l, struct analysis *a)
{
	const struct pass_sink sink = { .self = l, .on_blocks = on_blocks };
	const struct pass_sink *sinks[1 + LIVES_ALSO] = { &sink };
	size_t sinks_len = 1;
	int err;

	while (sinks_len <= LIVES_ALSO && l->also[sinks_len - 1]) {
		sinks[sinks_len] = l->also[sinks_len - 1];
		sinks_len++;
	}
	l->a = a;
	early_init(&l->early, &a->rec.clock, early_is_whole(&a->rec) && !a->filter.from_ns && !a->filter.threads);
	l->threads = calloc(a->rec.threads_len + 1, sizeof(*l->threads));
	err = l->threads ? analysis_pass(a, sinks, sinks_len) : -ENOMEM;
	if (!err)
		finish(l);
	live_release(&l->live);
	free(l->slab);
	free(l->spare);
	free(l->threads);
	l->slab = NULL;
	l->spare = NULL;
	l->threads = NULL;
	return err ? err : l->failed || (l->groups && l->groups->failed) ? -ENOMEM : 0;
}
