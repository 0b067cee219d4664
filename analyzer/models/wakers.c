/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/models/wakers.h"
#include "analyzer/util/list.h"

struct wake_ring {
	struct wake list[WAKERS_KEPT];
	uint64_t len; /* ever */
};

/* Handles are used again: threads that had one follow each other in time. */
int wakers_init(struct wakers *w, struct recording *rec)
{
	w->rec = rec;
	map_init(&w->ring_of);
	map_init(&w->by_handle);
	w->next_same = calloc(rec->threads_len + 1, sizeof(*w->next_same));
	for (uint32_t i = rec->threads_len; w->next_same && i-- > 0;) {
		uint64_t *first = recording_thread(rec, i) && rec->threads[i].handle
					  ? map_at(&w->by_handle, rec->threads[i].handle, NULL)
					  : NULL;

		if (!first)
			continue;
		w->next_same[i] = (uint32_t)*first;
		*first = i + 1;
	}
	return w->next_same ? 0 : -ENOMEM;
}

void wakers_release(struct wakers *w)
{
	for (size_t i = 0; i < w->len; i++)
		for (uint64_t k = 0; w->forget && k < WAKERS_KEPT && k < w->rings[i].len; k++)
			w->forget(w->self, w->rings[i].list[k].payload);
	if (w->forget && w->joined.payload)
		w->forget(w->self, w->joined.payload);
	free(w->rings);
	free(w->next_same);
	map_release(&w->ring_of);
	map_release(&w->by_handle);
}

static struct wake_ring *ring_at(struct wakers *w, uint64_t object)
{
	bool is_new;
	uint64_t *index = map_at(&w->ring_of, object, &is_new);

	if (!index)
		return NULL;
	if (is_new && list_grow((void **)&w->rings, &w->cap, w->len, sizeof(*w->rings))) {
		map_remove(&w->ring_of, object, NULL);
		return NULL;
	}
	if (is_new) {
		*index = w->len;
		w->rings[w->len++].len = 0;
	}
	return &w->rings[*index];
}

/* A poll of several descriptors has none that would name it: of such a wake-up the waiter is told. */
#define SEVERAL UINT64_MAX
#define OF_THREAD ((uint64_t)1 << 63)

void wakers_event(struct wakers *w, const struct pass_event *e)
{
	bool is_hold = e->kind == EV_HOLD;
	uint64_t object = is_hold ? e->ev->hold.object : e->ev->wake.object;
	struct wake_ring *ring = ring_at(w, object == SEVERAL ? OF_THREAD | e->ev->wake.target : object);
	struct wake *wake;

	if (!ring || e->thread >= w->rec->threads_len) {
		w->failed |= !ring;
		return;
	}
	wake = &ring->list[ring->len % WAKERS_KEPT];
	if (ring->len++ >= WAKERS_KEPT && w->forget)
		w->forget(w->self, wake->payload);
	*wake = (struct wake){ .tick = e->tick, .thread = e->thread };
	wake->stack = recording_stack(w->rec, is_hold ? e->ev->hold.stack : e->ev->wake.stack);
	wake->payload = w->remember ? w->remember(w->self, e->thread, e->tick) : 0;
}

/* The end of the thread that was joined. */
static const struct wake *find_joined(struct wakers *w, const struct stretch *s)
{
	uint64_t found = 0;
	const struct rsd_thread *slot;

	map_get(&w->by_handle, s->object, &found);
	while (found && w->rec->threads[found - 1].end_tick && w->rec->threads[found - 1].end_tick <= s->begin)
		found = w->next_same[found - 1];
	if (!found || map_put(&w->by_handle, s->object, found))
		return NULL;
	slot = &w->rec->threads[found - 1];
	if (!slot->end_tick || slot->end_tick > s->end)
		return NULL;
	if (w->forget && w->joined.payload)
		w->forget(w->self, w->joined.payload);
	w->joined = (struct wake){ .tick = slot->end_tick, .thread = (uint32_t)found - 1 };
	w->joined.payload = w->remember ? w->remember(w->self, w->joined.thread, w->joined.tick) : 0;
	return &w->joined;
}

const struct wake *wakers_find(struct wakers *w, const struct stretch *s)
{
	const struct wake_ring *ring;
	uint64_t object = s->object == SEVERAL ? OF_THREAD | w->rec->threads[s->thread].tid : s->object, index;

	if (s->wait == WAIT_JOIN)
		return find_joined(w, s);
	if (!s->wait || !object || !map_get(&w->ring_of, object, &index))
		return NULL;
	ring = &w->rings[index];
	for (uint64_t back = 0; back < WAKERS_KEPT && back < ring->len; back++) {
		const struct wake *wake = &ring->list[(ring->len - 1 - back) % WAKERS_KEPT];

		if (wake->tick > s->begin && wake->tick <= s->end && wake->thread != s->thread)
			return wake;
	}
	return NULL;
}
