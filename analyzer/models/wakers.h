/* SPDX-License-Identifier: MIT */
/*
 * wakers.h - who ended a wait: the thread that released the lock, signalled, posted, came last to the barrier, wrote
 * into the pipe or read from it, or ended.
 *
 * To be fed with every EV_HOLD and EV_WAKE, and asked with every stretch of waiting as activity.h tells it. What the
 * caller wants to know about the waker at that moment it gives to `remember`; it gets it back with the answer.
 */
#ifndef RINGSIDE_WAKERS_H
#define RINGSIDE_WAKERS_H

#include "analyzer/models/activity.h"

#define WAKERS_KEPT 16u /* of one object */

struct wake {
	uint64_t tick;
	uint32_t thread; /* index */
	struct stack_id stack;
	uint64_t payload;
};

struct wakers {
	/* Set by the caller; both NULL: payloads are 0. */
	void *self;
	uint64_t (*remember)(void *self, uint32_t thread, uint64_t tick);
	void (*forget)(void *self, uint64_t payload);
	/* Private. */
	struct recording *rec;
	struct wake_ring *rings;
	size_t len, cap;
	struct map ring_of;   /* object -> index */
	struct map by_handle; /* pthread_t -> index + 1 of the first thread that had it and was not joined yet */
	uint32_t *next_same;  /* by thread index: index + 1 of the next one with its handle */
	struct wake joined;   /* the last answer about a join */
	bool failed;
};

/* wakers_init - after self, remember and forget were set. 0 or -ENOMEM. */
int wakers_init(struct wakers *w, struct recording *rec);
void wakers_release(struct wakers *w);

void wakers_event(struct wakers *w, const struct pass_event *e);

/* wakers_find - who ended this wait, or NULL; good until the next event. */
const struct wake *wakers_find(struct wakers *w, const struct stretch *s);

#endif
