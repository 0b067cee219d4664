/* SPDX-License-Identifier: MIT */
/* locks.c - the table of locks that are waited for, and the record a holder leaves. */
#include "preload/locks.h"

#include "preload/file.h"

struct lock_place lock_places[LOCKS_PLACES];

void lock_release_record(const struct lock_release *release, enum rsd_wait kind, const struct regs *from)
{
	struct thread *t = thread_enter();
	struct lane *lane = t ? lane_enter(t) : NULL;
	struct rec_hold record = { .object = (uintptr_t)release->lock,
				   .held_ticks = release->held_ticks,
				   .waiters = release->waiters,
				   .wait = kind };

	if (!lane)
		return;
	record.stack = lane_stack(lane, from);
	lane_put(t, lane, EV_HOLD, release->tick, &record, sizeof(record));
	lane_leave(t, lane);
}

void locks_begin_child(void)
{
	/* Most are zero: pages that were never written stay shared. */
	for (unsigned i = 0; i < LOCKS_PLACES; i++)
		if (lock_places[i].waiters)
			lock_places[i].waiters = 0;
}
