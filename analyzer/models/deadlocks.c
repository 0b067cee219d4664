/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "analyzer/models/deadlocks.h"
#include "analyzer/util/list.h"
#include "analyzer/util/map.h"

static uint64_t key_of(uint32_t thread, uint64_t lock)
{
	return hash_u64(lock) ^ thread;
}

static void on_order(void *self, const struct pass_event *e)
{
	struct deadlocks *d = self;
	struct stack_id stack = recording_stack(d->rec, e->ev->order.stack);

	d->failed |= map_put(&d->wanted, key_of(e->thread, e->ev->order.taken), stack.v) != 0;
}

void deadlocks_init(struct deadlocks *d, struct recording *rec)
{
	*d = (struct deadlocks){ .rec = rec };
	map_init(&d->wanted);
}

void deadlocks_release(struct deadlocks *d)
{
	free(d->rows);
	map_release(&d->wanted);
	*d = (struct deadlocks){ 0 };
}

struct pass_sink deadlocks_sink(struct deadlocks *d)
{
	return (struct pass_sink){ .self = d, .on[EV_ORDER] = on_order };
}

static bool waits_for_lock(const struct rsd_thread *slot)
{
	return slot && slot->state && !slot->end_tick && slot->waiting_peer &&
	       (slot->waiting == WAIT_MUTEX || slot->waiting == WAIT_RWLOCK_READ || slot->waiting == WAIT_RWLOCK_WRITE);
}

/* By thread index: the index + 1 of the thread that owns what it waits for. NULL without memory. */
static uint32_t *find_owners(const struct recording *rec)
{
	uint32_t *owners = calloc(rec->threads_len + 1, sizeof(*owners));
	struct map by_tid;

	map_init(&by_tid);
	for (uint32_t i = 0; i < rec->threads_len; i++)
		if (recording_thread(rec, i) && !rec->threads[i].end_tick)
			map_put(&by_tid, rec->threads[i].tid, i + 1);
	for (uint32_t i = 0; owners && i < rec->threads_len; i++) {
		uint64_t owner;

		if (waits_for_lock(recording_thread(rec, i)) && map_get(&by_tid, rec->threads[i].waiting_peer, &owner))
			owners[i] = (uint32_t)owner;
	}
	map_release(&by_tid);
	return owners;
}

static void add_row(struct deadlocks *d, uint32_t circle, uint32_t thread)
{
	const struct rsd_thread *slot = &d->rec->threads[thread];
	struct deadlock_row row = { .circle = circle,
				    .thread = thread,
				    .wait = slot->waiting,
				    .lock = slot->waiting_object,
				    .since_tick = slot->waiting_since,
				    .site = slot->waiting_site };
	uint64_t stack = 0;

	if (list_grow((void **)&d->rows, &d->rows_cap, d->rows_len, sizeof(*d->rows))) {
		d->failed = true;
		return;
	}
	map_get(&d->wanted, key_of(thread, slot->waiting_object), &stack);
	row.stack.v = (uint32_t)stack;
	d->rows[d->rows_len++] = row;
}

/* A circle is told from its thread of the lowest index. */
static bool is_circle(const uint32_t *owners, size_t len, uint32_t first)
{
	uint32_t at = first;

	for (size_t steps = 0; steps <= len && owners[at]; steps++) {
		at = owners[at] - 1;
		if (at == first)
			return true;
		if (at < first)
			return false;
	}
	return false;
}

void deadlocks_finish(struct deadlocks *d)
{
	uint32_t *owners = find_owners(d->rec), circles = 0;

	d->failed |= !owners;
	for (uint32_t i = 0; owners && i < d->rec->threads_len; i++) {
		uint32_t at = i;

		if (!owners[i] || !is_circle(owners, d->rec->threads_len, i))
			continue;
		do {
			add_row(d, circles, at);
			at = owners[at] - 1;
		} while (at != i);
		circles++;
	}
	free(owners);
}
