/* SPDX-License-Identifier: MIT */
/*
 * order.h - which locks a thread holds, and in which orders locks are taken.
 *
 * Each thread keeps the locks it holds in a small stack of its own: a push at the acquisition, a pop at the release, no
 * shared memory. Only who takes a lock while it holds another one looks into a table whether this order is known; the
 * first time it leaves a record with both places. Locks taken by a try are held, but wait for nobody: they make no
 * order.
 */
#ifndef RINGSIDE_PRELOAD_ORDER_H
#define RINGSIDE_PRELOAD_ORDER_H

#include "preload/thread.h"

extern bool order_is_on HIDDEN;

/* order_nested - the thread holds other locks and waited, or would have, for this one. */
void order_nested(struct thread *t, const void *lock, enum rsd_wait kind, const void *site, const struct regs *from);

static inline void order_push(struct thread *t, const void *lock, enum rsd_wait kind, const void *site)
{
	uint32_t len = t->held_len;

	/* What has no room is held all the same; nobody is told. */
	if (likely(len < HELD_MAX))
		t->held[len] = (struct held_lock){ lock, site, kind };
	t->held_len = len + 1;
}

/*
 * order_wanted - the calling thread is about to take a lock, by a call that may wait. site: where the program called.
 * Inlined into the wrapper, whose caller's registers are taken.
 */
static inline __attribute__((always_inline)) void order_wanted(const void *lock, enum rsd_wait kind, const void *site)
{
	struct thread *t = thread_self;

	if (unlikely(t && t->held_len && order_is_on)) {
		struct regs from = REGS_OF_CALLER();

		order_nested(t, lock, kind, site, &from);
	}
}

/* order_got - it has it. */
static inline void order_got(const void *lock, enum rsd_wait kind, const void *site)
{
	struct thread *t = thread_self;

	if (likely(t && order_is_on))
		order_push(t, lock, kind, site);
}

/* order_taken - both at once, for a lock that was free. */
static inline __attribute__((always_inline)) void order_taken(const void *lock, enum rsd_wait kind, const void *site)
{
	struct thread *t = thread_self;

	if (unlikely(!t || !order_is_on))
		return;
	if (unlikely(t->held_len)) {
		struct regs from = REGS_OF_CALLER();

		order_nested(t, lock, kind, site, &from);
	}
	order_push(t, lock, kind, site);
}

/* A call that does not wait makes no order: order_got alone. */

/* order_remove - it is not the newest one, or not known at all. */
void order_remove(struct thread *t, const void *lock);

/* order_released - about to be. */
static inline void order_released(const void *lock)
{
	struct thread *t = thread_self;
	uint32_t len;

	if (unlikely(!t))
		return;
	len = t->held_len;
	if (likely(len && len <= HELD_MAX && t->held[len - 1].lock == lock))
		t->held_len = len - 1;
	else if (len)
		order_remove(t, lock);
}

#endif
