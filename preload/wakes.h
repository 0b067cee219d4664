/* SPDX-License-Identifier: MIT */
/*
 * wakes.h - who ends a wait that is not for a lock: a signal of a condition, a post of a semaphore, the last thread at
 * a barrier.
 *
 * As with locks (locks.h) a waiter leaves a mark in a table hashed by address, and who wakes looks there with one load.
 * The marks have a table of their own: a thread that is cancelled in its wait, or leaves it by longjmp, takes its mark
 * not away. That costs a record for each later wake-up at this place, and must not make a lock slow.
 */
#ifndef RINGSIDE_PRELOAD_WAKES_H
#define RINGSIDE_PRELOAD_WAKES_H

#include "preload/span.h"

#define WAKES_PLACES 4096u
extern uint32_t wake_places[WAKES_PLACES] HIDDEN;

static inline uint32_t *wake_place(const void *object)
{
	return &wake_places[((uintptr_t)object >> 3) * 0x9e3779b97f4a7c15u >> 52];
}

static inline void wake_wait_begin(const void *object)
{
	__atomic_fetch_add(wake_place(object), 1, __ATOMIC_SEQ_CST);
}

static inline void wake_wait_end(const void *object)
{
	__atomic_fetch_sub(wake_place(object), 1, __ATOMIC_RELAXED);
}

/* wake_tick - to be asked before the real call: when that was, or 0 when nobody waits here. */
static inline uint64_t wake_tick(const void *object)
{
	if (likely(!__atomic_load_n(wake_place(object), __ATOMIC_RELAXED)) || span_is_off())
		return 0;
	return clock_now();
}

/* wake_record - after the real call: `count` threads may have been woken, UINT16_MAX: all. errno is kept. */
void wake_record(const void *object, enum rsd_wait kind, uint16_t count, uint64_t tick, const struct regs *from);

/* The value of `call`, which may wake who waits for the object. For use in a wrapper only. */
#define WAKE(kind, object, count, call)                                                                                \
	({                                                                                                             \
		uint64_t tick_ = wake_tick(object);                                                                    \
		int ret_ = (call);                                                                                     \
                                                                                                                       \
		if (unlikely(tick_)) {                                                                                 \
			struct regs from_ = REGS_OF_CALLER();                                                          \
                                                                                                                       \
			wake_record(object, kind, count, tick_, &from_);                                               \
		}                                                                                                      \
		ret_;                                                                                                  \
	})

/* wakes_begin_child - in a child of fork nobody waits. */
void wakes_begin_child(void);

#endif
