/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "analyzer/models/releases.h"
#include "analyzer/util/list.h"

struct release_ring {
	struct release list[RELEASES_KEPT];
	uint64_t len; /* ever */
};

void releases_init(struct releases *r, struct recording *rec)
{
	*r = (struct releases){ .rec = rec };
	map_init(&r->ring_of);
}

void releases_release(struct releases *r)
{
	free(r->rings);
	map_release(&r->ring_of);
	*r = (struct releases){ 0 };
}

void releases_add(struct releases *r, const struct pass_event *e)
{
	const struct rec_hold *hold = &e->ev->hold;
	bool is_new;
	uint64_t *index = map_at(&r->ring_of, hold->object, &is_new);
	struct release_ring *ring;

	if (!index || (is_new && list_grow((void **)&r->rings, &r->cap, r->len, sizeof(*r->rings)))) {
		r->failed = true;
		if (index)
			map_remove(&r->ring_of, hold->object, NULL);
		return;
	}
	if (is_new) {
		*index = r->len;
		r->rings[r->len++].len = 0;
	}
	ring = &r->rings[*index];
	ring->list[ring->len++ % RELEASES_KEPT] = (struct release){ .tick = e->tick,
								    .held_ticks = hold->held_ticks,
								    .thread = e->thread,
								    .stack = recording_stack(r->rec, hold->stack) };
}

static const struct release_ring *ring_of(const struct releases *r, uint64_t lock)
{
	uint64_t index;

	return map_get(&r->ring_of, lock, &index) ? &r->rings[index] : NULL;
}

size_t releases_between(const struct releases *r, uint64_t lock, uint64_t from, uint64_t to,
			const struct release *out[RELEASES_KEPT])
{
	const struct release_ring *ring = ring_of(r, lock);
	size_t len = 0;

	for (uint64_t i = ring && ring->len > RELEASES_KEPT ? ring->len - RELEASES_KEPT : 0; ring && i < ring->len;
	     i++) {
		const struct release *release = &ring->list[i % RELEASES_KEPT];

		if (release->tick > from && release->tick <= to)
			out[len++] = release;
	}
	return len;
}
