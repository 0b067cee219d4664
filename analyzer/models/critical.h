/* SPDX-License-Identifier: MIT */
/*
 * critical.h - the critical path: the chain of work, from the start to the end of the recording, that one would have to
 * shorten to be done earlier.
 *
 * Found forward in one pass. Each thread has the chain by which it came to where it is. When a wait ends because
 * another thread ended it, the waiter's chain is that thread's chain up to then. Chains share their beginnings, and
 * what no thread's chain contains any more is given back: memory grows with the turns of the path, not with the events.
 */
#ifndef RINGSIDE_CRITICAL_H
#define RINGSIDE_CRITICAL_H

#include "analyzer/models/analysis.h"
#include "analyzer/models/wakers.h"

/* The path ran through this thread for so long. Pieces are in time order and leave no gap. */
struct critical_piece {
	uint64_t from, to; /* ticks */
	uint32_t thread;   /* index */
	uint32_t next;	   /* index + 1 of the next piece of this thread, 0: none */
};

struct critical {
	struct critical_piece *pieces;
	size_t len, cap;
	uint32_t *first; /* by thread index: its first piece's index + 1 */
	uint32_t last;	 /* the thread whose end is the path's */
	/* Private. */
	struct recording *rec;
	struct wakers wakers;
	struct critical_node *nodes;
	size_t nodes_len, nodes_cap;
	uint32_t spare, *current;
	bool *in_pool;
	bool failed;
};

/* critical_find - with a->filter as it is. 0 or -errno; release in any case. */
int critical_find(struct critical *c, struct analysis *a);
void critical_release(struct critical *c);

#endif
