/* SPDX-License-Identifier: MIT */
/* ring.c - the queue of sealed extents: as many slots as extents can exist, so it never overflows. */
#include "preload/ring.h"

#include "preload/config.h"
#include "preload/file.h"
#include "preload/raw.h"
#include "preload/snapshot.h"

#define RING_EXTENT (4u * RSD_UNIT)

static struct rsd_extent **queue;
static uint64_t queue_slots, queue_head, queue_tail, sequence;

void ring_begin(void)
{
	queue = NULL;
	queue_head = queue_tail = 0;
	sequence = (uint64_t)1 << 32; /* above every unit number, which first extents use */
	if (!config.ring)
		return;
	/* Every thread may hold two beside those in the ring. */
	queue_slots = config.ring / RING_EXTENT + 65536;
	queue = raw_map(queue_slots * sizeof(*queue));
}

static void queue_push(struct rsd_extent *ext)
{
	uint64_t at = __atomic_fetch_add(&queue_tail, 1, __ATOMIC_RELAXED);

	__atomic_store_n(&queue[at % queue_slots], ext, __ATOMIC_RELEASE);
}

static struct rsd_extent *queue_pop(void)
{
	uint64_t at = __atomic_load_n(&queue_head, __ATOMIC_ACQUIRE);

	for (;;) {
		struct rsd_extent *ext = __atomic_load_n(&queue[at % queue_slots], __ATOMIC_ACQUIRE);

		if (!ext || at >= __atomic_load_n(&queue_tail, __ATOMIC_ACQUIRE))
			return NULL;
		if (!__atomic_compare_exchange_n(&queue_head, &at, at + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			continue;
		__atomic_store_n(&queue[at % queue_slots], NULL, __ATOMIC_RELEASE);
		return ext;
	}
}

struct rsd_extent *ring_extent(struct thread *t, struct rsd_extent *full)
{
	struct rsd_extent *ext;
	uint64_t used;

	if (!queue || !file_header)
		return NULL;
	if (full)
		queue_push(full);
	used = __atomic_load_n(&file_header->event_units, __ATOMIC_RELAXED) * RSD_UNIT;
	if (used + RING_EXTENT <= config.ring || !(ext = queue_pop())) {
		__atomic_fetch_add(&file_header->event_units, RING_EXTENT / RSD_UNIT, __ATOMIC_RELAXED);
		return NULL;
	}
	file_count(COUNT_LOST_RECYCLED, 1);
	snapshot_check_rss();
	/* Invisible while it changes: a live reader checks magic and seq before and after copying. */
	__atomic_store_n(&ext->magic, 0, __ATOMIC_RELEASE);
	ext->seq = __atomic_add_fetch(&sequence, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&ext->used, 0, __ATOMIC_RELEASE);
	ext->thread = t->index;
	ext->base = clock_pair();
	ext->stream = (struct rsd_stream){ .tick = ext->base.tick };
	extent_publish(ext);
	return ext;
}
