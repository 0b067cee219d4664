/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/models/critical.h"
#include "analyzer/util/list.h"

/* The path ran through `thread` from `from` on; before that, through the parent until `until`. */
struct critical_node {
	uint64_t from, until;
	uint32_t parent; /* index + 1, 0: the start; of an unused node the next unused one */
	uint32_t thread, refs;
	bool is_after_idle; /* at `from` a wait for work ended that nobody is known to have ended */
};

/* ---- chains --------------------------------------------------------------------------------------------------- */

static void drop(struct critical *c, uint32_t node)
{
	while (node && !--c->nodes[node - 1].refs) {
		uint32_t parent = c->nodes[node - 1].parent;

		c->nodes[node - 1].parent = c->spare;
		c->spare = node;
		node = parent;
	}
}

static uint32_t hold(struct critical *c, uint32_t node)
{
	if (node)
		c->nodes[node - 1].refs++;
	return node;
}

/* The reference to the parent goes over to the new node. */
static uint32_t new_node(struct critical *c, const struct critical_node *like)
{
	uint32_t node = c->spare;

	if (node) {
		c->spare = c->nodes[node - 1].parent;
	} else if (list_grow((void **)&c->nodes, &c->nodes_cap, c->nodes_len, sizeof(*c->nodes))) {
		c->failed = true;
		return like->parent;
	} else {
		node = (uint32_t)++c->nodes_len;
	}
	c->nodes[node - 1] = *like;
	c->nodes[node - 1].refs = 1;
	return node;
}

/* The chain of a thread that does its first thing is that of its creator up to then. */
static uint32_t current_of(struct critical *c, uint32_t thread)
{
	const struct rsd_thread *slot = &c->rec->threads[thread];
	struct critical_node first = { .from = slot->start_tick, .until = slot->start_tick, .thread = thread };

	if (c->current[thread])
		return c->current[thread];
	if (slot->creator && slot->creator - 1 < thread && recording_thread(c->rec, slot->creator - 1))
		first.parent = hold(c, current_of(c, slot->creator - 1));
	c->current[thread] = new_node(c, &first);
	return c->current[thread];
}

static uint64_t remember(void *self, uint32_t thread, uint64_t tick)
{
	struct critical *c = self;

	(void)tick;
	return hold(c, current_of(c, thread));
}

static void forget(void *self, uint64_t payload)
{
	drop(self, (uint32_t)payload);
}

/* It waited for work, and something outside ended that. */
static void leave_idle(struct critical *c, const struct stretch *s, uint32_t before)
{
	const struct critical_node *b = &c->nodes[before - 1];
	struct critical_node after = { .from = s->end, .until = s->end, .thread = s->thread, .is_after_idle = true };
	bool follows_another = b->is_after_idle && b->parent;

	/* One mark is enough: the thread's chain is the same without the earlier one. */
	after.parent = hold(c, follows_another ? b->parent : before);
	c->current[s->thread] = new_node(c, &after);
	drop(c, before);
}

/*
 * Who the waker's chain goes back to. A waker that was idle itself when the wait began was not what it was waited for:
 * something outside made it work. Before that the path is the waiter's own.
 */
static uint32_t chain_of_waker(struct critical *c, const struct wake *wake, const struct stretch *s, uint32_t before)
{
	const struct critical_node *n = &c->nodes[wake->payload - 1];
	struct critical_node part = { .from = s->begin, .until = s->begin, .thread = wake->thread };

	if (!n->is_after_idle || n->from <= s->begin)
		return hold(c, (uint32_t)wake->payload);
	part.parent = hold(c, before);
	return new_node(c, &part);
}

static void on_stretch(void *self, const struct stretch *s)
{
	struct critical *c = self;
	uint32_t before = current_of(c, s->thread);
	const struct wake *wake = s->wait ? wakers_find(&c->wakers, s) : NULL;
	struct critical_node woken = { .thread = s->thread };

	if (wake && wake->payload && before) {
		woken.from = woken.until = wake->tick;
		woken.parent = chain_of_waker(c, wake, s, before);
		c->current[s->thread] = new_node(c, &woken);
		drop(c, before);
	} else if (s->wait && before && activity_is_idle(s->wait, c->in_pool[s->thread])) {
		leave_idle(c, s, before);
	}
}

static void on_wake(void *self, const struct pass_event *e)
{
	wakers_event(&((struct critical *)self)->wakers, e);
}

/* ---- the path ------------------------------------------------------------------------------------------------- */

static void choose_last(struct critical *c)
{
	uint64_t latest = 0;

	/* Of several that are there at the end it is the first one's: it is main's return that ends a program. */
	for (uint32_t i = 0; i < c->rec->threads_len; i++) {
		const struct rsd_thread *slot = recording_thread(c->rec, i);
		uint64_t end = slot ? slot->end_tick ? slot->end_tick : c->rec->end_tick : 0;

		if (end <= latest)
			continue;
		latest = end;
		c->last = i;
	}
}

/* Backwards along the chain; the pieces are turned round afterwards. */
static int collect(struct critical *c)
{
	const struct rsd_thread *slot = recording_thread(c->rec, c->last);
	uint64_t to = slot && slot->end_tick ? slot->end_tick : c->rec->end_tick;

	for (uint32_t node = slot ? current_of(c, c->last) : 0; node; node = c->nodes[node - 1].parent) {
		const struct critical_node *n = &c->nodes[node - 1];

		if (to > n->from && list_grow((void **)&c->pieces, &c->cap, c->len, sizeof(*c->pieces)))
			return -ENOMEM;
		if (to > n->from)
			c->pieces[c->len++] = (struct critical_piece){ .from = n->from, .to = to, .thread = n->thread };
		to = n->until;
	}
	for (size_t i = 0; i < c->len / 2; i++) {
		struct critical_piece piece = c->pieces[i];

		c->pieces[i] = c->pieces[c->len - 1 - i];
		c->pieces[c->len - 1 - i] = piece;
	}
	for (size_t i = c->len; i-- > 0;) {
		c->pieces[i].next = c->first[c->pieces[i].thread];
		c->first[c->pieces[i].thread] = (uint32_t)i + 1;
	}
	return 0;
}

static int run(struct critical *c, struct analysis *a)
{
	struct activity activity = { .self = c, .stretch = on_stretch };
	struct pass_sink wakes = { .self = c, .on = { [EV_HOLD] = on_wake, [EV_WAKE] = on_wake } }, spans;
	const struct pass_sink *sinks[] = { &wakes, &spans };
	int err = activity_init(&activity, &a->rec);

	c->wakers.self = c;
	c->wakers.remember = remember;
	c->wakers.forget = forget;
	err = err ? err : wakers_init(&c->wakers, &a->rec);
	spans = activity_sink(&activity);
	err = err ? err : analysis_pass(a, sinks, 2);
	if (!err)
		activity_finish(&activity);
	activity_release(&activity);
	return !err && (c->failed || c->wakers.failed) ? -ENOMEM : err;
}

int critical_find(struct critical *c, struct analysis *a)
{
	int err;

	*c = (struct critical){ .rec = &a->rec };
	c->in_pool = threads_in_pools(&a->rec);
	c->current = calloc(a->rec.threads_len + 1, sizeof(*c->current));
	c->first = calloc(a->rec.threads_len + 1, sizeof(*c->first));
	err = c->current && c->first && c->in_pool ? run(c, a) : -ENOMEM;
	if (!err)
		choose_last(c);
	return err ? err : collect(c);
}

void critical_release(struct critical *c)
{
	c->wakers.forget = NULL; /* all nodes go at once */
	wakers_release(&c->wakers);
	free(c->nodes);
	free(c->current);
	free(c->in_pool);
	free(c->pieces);
	free(c->first);
	*c = (struct critical){ 0 };
}
