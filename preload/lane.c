/* SPDX-License-Identifier: MIT */
/* lane.c - room for records: guards, extents, and what happens when a handler interrupts. See thread.h. */
#include "preload/thread.h"

#include <signal.h>

#include "preload/config.h"
#include "preload/file.h"
#include "preload/heap.h"
#include "preload/raw.h"
#include "preload/ring.h"
#include "preload/snapshot.h"
#include "preload/windows.h"

#define FIRST_UNITS 1u /* a short-lived thread costs one small extent */
#define LATER_UNITS 16u
#define RING_UNITS 4u
#define FIRST_STEP (16u << 10) /* populated at a time: a fault later costs 4 times as much a page */
#define LATER_STEP (256u << 10)

struct stack_state *lane_make_stacks(void)
{
	void *memory = raw_map(stack_state_size((unsigned)config.depth));

	return memory ? stack_state_init(memory, (unsigned)config.depth) : NULL;
}

void lane_forget_stacks(struct stack_state *stacks)
{
	if (stacks)
		stack_state_init(stacks, (unsigned)config.depth);
}

/* On the alternate signal stack addresses say nothing about nesting. */
static bool on_signal_stack(void)
{
	stack_t ss;

	return raw2(SYS_sigaltstack, NULL, &ss) == 0 && ss.ss_flags & SS_ONSTACK;
}

struct lane *lane_enter_busy(struct thread *t, uintptr_t sp)
{
	bool is_signal_stack = on_signal_stack();

	for (int i = 0; i < 2; i++) {
		struct lane *lane = &t->lane[i];

		if (lane->guard && (lane->guard >= sp || is_signal_stack))
			continue;
		if (lane->guard) {
			/* The writer's frame is gone. What it had not committed does not count. */
			file_count(COUNT_GUARDS_STALE, 1);
			lane->ext = NULL;
			lane->ready = 0;
			lane_forget_stacks(lane->stacks);
		}
		if (!lane->stacks)
			lane->stacks = lane_make_stacks();
		if (!lane->stacks)
			break;
		lane->guard = sp;
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		return lane;
	}
	file_count(COUNT_LOST_NESTED, 1);
	t->slot->lost++;
	return NULL;
}

static bool populate_more(struct lane *lane)
{
	struct rsd_extent *ext = lane->ext;
	uint64_t capacity = extent_capacity(ext);
	uint64_t step = ext->units == FIRST_UNITS ? FIRST_STEP : LATER_STEP;
	uint64_t ready = lane->ready + step < capacity ? lane->ready + step : capacity;

	if (ext->used + CODEC_RECORD_MAX > ready)
		return false;
	if (file_populate((char *)extent_data(ext) + lane->ready, ready - lane->ready) != 0)
		return false;
	lane->ready = ready;
	return true;
}

/* limit=SIZE: the last eighth of the file is for samples. */
static void watch_limit(void)
{
	if (config.limit && file_header->next_unit >= file_header->cap_units / 8 * 7)
		heap_degrade("limit");
}

static struct rsd_extent *fresh_extent(struct thread *t, struct lane *lane)
{
	bool is_first = lane->extents_taken == 0;
	unsigned units = config.ring ? RING_UNITS : is_first || config.limit ? FIRST_UNITS : LATER_UNITS;
	size_t step = units == FIRST_UNITS ? FIRST_STEP : LATER_STEP;
	struct rsd_extent *ext = file_extent(RSD_EXTENT_EVENTS, units, t->index, 0, step);

	if (!ext)
		return NULL;
	lane->extents_taken++;
	watch_limit();
	snapshot_check_rss();
	lane->ready = (step < (size_t)units * RSD_UNIT ? step : (size_t)units * RSD_UNIT) - sizeof(*ext);
	extent_publish(ext);
	return ext;
}

static struct rsd_extent *replace_full(struct thread *t, struct lane *lane)
{
	struct rsd_extent *full = lane->ext, *ext = fresh_extent(t, lane);

	if (full && ext && !config.ring)
		file_rest(full);
	return ext;
}

static struct rsd_extent *make_room(struct thread *t, struct lane *lane)
{
	struct rsd_extent *ext;

	if (lane->ext && populate_more(lane))
		return lane->ext;
	ext = config.ring ? ring_extent(t, lane->ext) : NULL;
	if (ext)
		lane->ready = extent_capacity(ext);
	else
		ext = replace_full(t, lane);
	if (!ext) {
		file_lost(COUNT_LOST_FULL, 1);
		t->slot->lost++;
		return NULL;
	}
	lane->ext = ext;
	return ext;
}

struct rsd_extent *lane_room_slow(struct thread *t, struct lane *lane)
{
	uint64_t since = clock_now();
	struct rsd_extent *room = make_room(t, lane);

	t->slot->self_ticks += clock_now() - since;
	return room;
}

void lane_put(struct thread *t, struct lane *lane, enum rsd_event_kind kind, uint64_t tick, void *record, size_t size)
{
	struct rsd_extent *ext = lane_room(t, lane);
	struct rec_head head = { RSD_HEAD(kind, size, 0), tick };

	if (!ext)
		return;
	__builtin_memcpy(extent_end(ext), record, size);
	__builtin_memcpy(extent_end(ext), &head, sizeof(head));
	ext->stream.tick = tick;
	extent_commit(ext, size);
	t->slot->events++;
}

void thread_put(struct thread *t, enum rsd_event_kind kind, uint64_t tick, void *record, size_t size)
{
	struct lane *lane = lane_enter(t);

	if (!lane)
		return;
	lane_put(t, lane, kind, tick, record, size);
	lane_leave(t, lane);
}
