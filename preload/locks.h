/* SPDX-License-Identifier: MIT */
/*
 * locks.h - who waits for which lock, so that the holder knows at its release.
 *
 * A waiter leaves a mark in a table hashed by address; a release looks there with one load. Only if somebody waits
 * (or two locks share a place, which readers tell apart by the address in the records) does the holder
 * record the end of its critical section. Locks that were contended once also get the time of acquisition.
 */
#ifndef RINGSIDE_PRELOAD_LOCKS_H
#define RINGSIDE_PRELOAD_LOCKS_H

#include "preload/thread.h"

#define LOCKS_PLACES 8192u

struct lock_place {
	union {
		struct {
			uint32_t waiters; /* threads waiting now */
			uint16_t was_contended;
			uint16_t is_owed; /* somebody gave up waiting: the holder's record is still to come */
		};
		uint64_t word; /* all of it, for one load */
	};
	uint64_t acquired_tick;
	const void *acquired_lock; /* whose acquisition that was */
};
extern struct lock_place lock_places[LOCKS_PLACES] HIDDEN;

static inline struct lock_place *lock_place(const void *lock)
{
	return &lock_places[((uintptr_t)lock >> 3) * 0x9e3779b97f4a7c15u >> 51];
}

/* lock_is_quiet - nobody has waited here yet: neither acquisition nor release is of interest. One load. */
static inline bool lock_is_quiet(const void *lock)
{
	return !__atomic_load_n(&lock_place(lock)->word, __ATOMIC_RELAXED);
}

/* lock_wait_begin, _end - the calling thread starts and stops waiting. */
static inline void lock_wait_begin(const void *lock)
{
	struct lock_place *place = lock_place(lock);

	__atomic_store_n(&place->was_contended, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&place->waiters, 1, __ATOMIC_SEQ_CST);
}

static inline void lock_wait_end(const void *lock, bool gave_up)
{
	struct lock_place *place = lock_place(lock);

	if (unlikely(gave_up))
		__atomic_store_n(&place->is_owed, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&place->waiters, 1, __ATOMIC_RELAXED);
}

/* lock_may_ask_clock - a thread that is mute may have made that a fault (hook_sandbox.c). */
static inline bool lock_may_ask_clock(void)
{
	return thread_self || !thread_is_mute();
}

/* lock_acquired - stamp it if anybody ever waited here. */
static inline void lock_acquired(const void *lock)
{
	struct lock_place *place = lock_place(lock);

	if (unlikely(__atomic_load_n(&place->was_contended, __ATOMIC_RELAXED) && lock_may_ask_clock())) {
		place->acquired_tick = clock_now();
		place->acquired_lock = lock;
	}
}

/*
 * A release in three steps, because its record must not lengthen the critical section:
 * lock_release_begin before the real unlock, lock_release_end after it. Both do nothing when nobody waits.
 */
struct lock_release {
	const void *lock;
	uint64_t tick; /* 0: nobody waits */
	uint64_t held_ticks;
	uint32_t waiters;
};

static inline struct lock_release lock_release_begin(const void *lock)
{
	struct lock_place *place = lock_place(lock);
	struct lock_release release = { lock, 0, 0, 0 };

	if (likely(!__atomic_load_n(&place->waiters, __ATOMIC_RELAXED) &&
		   !__atomic_load_n(&place->is_owed, __ATOMIC_RELAXED)))
		return release;
	if (unlikely(!lock_may_ask_clock()))
		return release;
	__atomic_store_n(&place->is_owed, 0, __ATOMIC_RELAXED);
	release.tick = clock_now();
	release.waiters = __atomic_load_n(&place->waiters, __ATOMIC_RELAXED);
	if (place->acquired_lock == lock && place->acquired_tick < release.tick)
		release.held_ticks = release.tick - place->acquired_tick;
	return release;
}

void lock_release_record(const struct lock_release *release, enum rsd_wait kind, const struct regs *from);

static inline void lock_release_end(const struct lock_release *release, enum rsd_wait kind, const struct regs *from)
{
	if (unlikely(release->tick))
		lock_release_record(release, kind, from);
}

/* locks_begin_child - in a child of fork nobody waits. */
void locks_begin_child(void);

#endif
