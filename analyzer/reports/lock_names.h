/* SPDX-License-Identifier: MIT */
/* lock_names.h - what reports call a lock: its symbol, or the block of the heap it lies in. */
#ifndef RINGSIDE_LOCK_NAMES_H
#define RINGSIDE_LOCK_NAMES_H

#include "analyzer/models/locks.h"

/* Two models that run along in a report's pass. */
struct lock_names {
	struct heap heap;
	struct locks locks;
	struct map index; /* address -> index in locks */
};

int lock_names_init(struct lock_names *n, struct recording *rec);
void lock_names_release(struct lock_names *n);
/* lock_names_sinks - what must run along: two sinks. */
void lock_names_sinks(struct lock_names *n, struct pass_sink sinks[2]);
/* lock_names_finish - after the pass. 0 or -ENOMEM. */
int lock_names_finish(struct lock_names *n);
/* lock_name - safe text, good as long as `n`; NULL when nobody waited for it. */
const char *lock_name(const struct lock_names *n, uint64_t address);

#endif
