/* SPDX-License-Identifier: MIT */
/*
 * heap_exact.h - one allocation or free recorded exactly: the hottest code there is, inlined into its wrappers.
 *
 * What is chosen at random is rare, and goes by heap.c: frees whose stack is recorded (heap_is_chosen), and calls that
 * are timed (heap_attend).
 *
 * life->is_heap_plain says all at once: the process records, the heap exactly, without counting besides, and ticks
 * come from the TSC. Then a call is a lane, a tick, a stack and a tight record. What doesn't fit that goes by heap.c.
 */
#ifndef RINGSIDE_PRELOAD_HEAP_EXACT_H
#define RINGSIDE_PRELOAD_HEAP_EXACT_H

#include "preload/heap.h"
#include "preload/thread.h"

/* heap_is_plain - may the calling thread, `t`, use what follows? */
static inline bool heap_is_plain(const struct thread *t)
{
	return t && life->is_heap_plain;
}

/* The record in whatever form it fits; heap_put_*_slow for others than tight ones. */
void heap_put_alloc_slow(struct thread *t, struct lane *lane, enum rsd_event_kind kind, enum rsd_api api, uint64_t now,
			 void *block, size_t size, uint32_t stack);
void heap_put_free_slow(struct thread *t, struct lane *lane, enum rsd_event_kind kind, enum rsd_api api, uint64_t now,
			void *block);
void heap_put_free_at_slow(struct thread *t, struct lane *lane, enum rsd_api api, uint64_t now, void *block,
			   uint32_t stack);

static inline void heap_commit(struct thread *t, struct rsd_extent *ext, size_t len)
{
	extent_commit(ext, len);
	t->slot->events++;
}

/*
 * heap_is_chosen - is this free, at `tick`, one whose stack is recorded? A hash of the clock needs no state and no
 * store, and what was chosen before says nothing about it. One multiplication is not enough: a program that frees every
 * so many ticks would be met by an even sequence, not by a random one.
 */
static inline bool heap_is_chosen(const struct thread *t, uint64_t tick)
{
	uint64_t h = tick * UINT64_C(0x9e3779b97f4a7c15);

	return (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93) >> 32 < t->free_limit;
}

/* The tag of the short forms, NONE where an allocation has no short form. */
static inline enum rsd_tag heap_tag(enum rsd_event_kind kind, enum rsd_api api)
{
	if (kind == EV_REALLOC_ALLOC)
		return api == API_REALLOC ? RSD_TAG_REALLOC_ALLOC : RSD_TAG_NONE;
	return api == API_MALLOC ? RSD_TAG_MALLOC : api == API_CALLOC ? RSD_TAG_CALLOC : RSD_TAG_NONE;
}

static inline void heap_put_alloc(struct thread *t, struct lane *lane, enum rsd_event_kind kind, enum rsd_api api,
				  uint64_t now, void *block, size_t size, uint32_t stack)
{
	enum rsd_tag tag = heap_tag(kind, api);
	struct rsd_extent *ext = lane_room(t, lane);
	size_t len;

	if (unlikely(!ext))
		return;
	len = tag ? codec_put_tight_alloc(extent_end(ext), &ext->stream, tag, now, (uintptr_t)block, size, stack) : 0;
	if (likely(len))
		heap_commit(t, ext, len);
	else
		heap_put_alloc_slow(t, lane, kind, api, now, block, size, stack);
}

static inline void heap_put_free(struct thread *t, struct lane *lane, enum rsd_event_kind kind, enum rsd_api api,
				 uint64_t now, void *block)
{
	enum rsd_tag tag = kind == EV_FREE ? RSD_TAG_FREE : RSD_TAG_REALLOC_FREE;
	struct rsd_extent *ext = lane_room(t, lane);
	size_t len;

	if (unlikely(!ext))
		return;
	len = codec_put_tight_free(extent_end(ext), &ext->stream, tag, now, (uintptr_t)block);
	if (likely(len))
		heap_commit(t, ext, len);
	else
		heap_put_free_slow(t, lane, kind, api, now, block);
}

static inline void heap_put_free_at(struct thread *t, struct lane *lane, enum rsd_api api, uint64_t now, void *block,
				    uint32_t stack)
{
	struct rsd_extent *ext = lane_room(t, lane);
	size_t len;

	if (unlikely(!ext))
		return;
	len = codec_put_free_at(extent_end(ext), &ext->stream, now, (uintptr_t)block, stack);
	if (likely(len))
		heap_commit(t, ext, len);
	else
		heap_put_free_at_slow(t, lane, api, now, block, stack);
}

/*
 * heap_attend - once in RSD_SELF_EVERY calls on average, in random steps. What recording has cost is taken, which is
 * part of each report; a long one (the thread was preempted, or made room in the file, which lane_room_slow times
 * itself) stands for nothing but itself. And now and then the thread's next call is marked to be timed: it is as likely
 * to be any call as any other, whatever the program's rhythm, since the steps are of calls and don't depend on them.
 */
void heap_attend(struct thread *t, uint64_t since);

static inline void heap_time_self(struct thread *t, uint64_t since)
{
	if (unlikely(--t->until_attended == 0))
		heap_attend(t, since);
}

static inline __attribute__((always_inline)) void heap_exact_alloc(struct thread *t, const struct regs *from,
								   enum rsd_api api, uint64_t now, void *block,
								   size_t size)
{
	struct lane *lane = lane_enter(t);

	if (unlikely(!lane))
		return;
	heap_put_alloc(t, lane, EV_ALLOC, api, now, block, size, lane_stack(lane, from));
	heap_time_self(t, now);
	lane_exit(lane);
}

static inline void heap_exact_free(struct thread *t, enum rsd_api api, void *block, uint64_t tick)
{
	struct lane *lane = lane_enter(t);

	if (unlikely(!lane))
		return;
	heap_put_free(t, lane, EV_FREE, api, tick, block);
	heap_time_self(t, tick);
	lane_exit(lane);
}

/* The free of a block that was chosen, with the stack from `from`. */
static inline void heap_exact_free_at(struct thread *t, const struct regs *from, enum rsd_api api, void *block,
				      uint64_t tick)
{
	struct lane *lane = lane_enter(t);

	if (unlikely(!lane))
		return;
	heap_put_free_at(t, lane, api, tick, block, lane_stack(lane, from));
	heap_time_self(t, tick);
	lane_exit(lane);
}

static inline void heap_exact_realloc(struct thread *t, const struct regs *from, enum rsd_api api, uint64_t before,
				      uint64_t now, void *old, void *block, size_t size)
{
	struct lane *lane = lane_enter(t);

	if (unlikely(!lane))
		return;
	heap_put_free(t, lane, EV_REALLOC_FREE, api, before, old);
	heap_put_alloc(t, lane, EV_REALLOC_ALLOC, api, now, block, size, lane_stack(lane, from));
	heap_time_self(t, now);
	lane_exit(lane);
}

#endif
