/* SPDX-License-Identifier: MIT */
/*
 * releases.h - the last releases of each lock that others waited for: who held it, where, how long.
 */
#ifndef RINGSIDE_RELEASES_H
#define RINGSIDE_RELEASES_H

#include "analyzer/read/pass.h"

#define RELEASES_KEPT 64u

struct release {
	uint64_t tick;
	uint64_t held_ticks; /* 0: not known */
	uint32_t thread;     /* index */
	struct stack_id stack;
};

struct releases {
	struct recording *rec;
	struct release_ring *rings;
	size_t len, cap;
	struct map ring_of; /* address -> index */
	bool failed;
};

void releases_init(struct releases *r, struct recording *rec);
void releases_release(struct releases *r);

/* To be called with every EV_HOLD. */
void releases_add(struct releases *r, const struct pass_event *e);

/*
 * releases_between - the releases of a lock after `from` and up to `to`, oldest first, at most RELEASES_KEPT. Returns
 * how many.
 */
size_t releases_between(const struct releases *r, uint64_t lock, uint64_t from, uint64_t to,
			const struct release *out[RELEASES_KEPT]);

#endif
