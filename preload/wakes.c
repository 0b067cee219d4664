/* SPDX-License-Identifier: MIT */
/* wakes.c - see wakes.h. */
#include "preload/wakes.h"

uint32_t wake_places[WAKES_PLACES];

void wake_record(const void *object, enum rsd_wait kind, uint16_t count, uint64_t tick, const struct regs *from)
{
	struct rec_wake record = { .object = (uintptr_t)object, .wait = kind, .count = count };
	struct thread *t = thread_enter();
	struct lane *lane = t ? lane_enter(t) : NULL;

	if (!lane)
		return;
	record.stack = lane_stack(lane, from);
	lane_put(t, lane, EV_WAKE, tick, &record, sizeof(record));
	lane_leave(t, lane);
}

void wakes_begin_child(void)
{
	for (unsigned i = 0; i < WAKES_PLACES; i++)
		if (wake_places[i])
			wake_places[i] = 0;
}
