/* SPDX-License-Identifier: MIT */
/*
 * deadlocks.h - threads that wait for each other when the recording ends: each waits for a lock that the next one owns.
 *
 * Who owns a lock is what the lock said when the wait began. Where the thread waits is known when it held another lock
 * at that time: the order was recorded before the wait.
 */
#ifndef RINGSIDE_DEADLOCKS_H
#define RINGSIDE_DEADLOCKS_H

#include "analyzer/read/pass.h"

/* A thread of a circle; the next row of the same circle owns what it waits for, the last one's owner is the first. */
struct deadlock_row {
	uint32_t circle; /* from 0 */
	uint32_t thread; /* index */
	uint32_t wait;	 /* waits.def */
	uint64_t lock, since_tick;
	struct stack_id stack; /* of the wait; {0}: not known */
	uint64_t site;	       /* return address of the call */
};

struct deadlocks {
	struct recording *rec;
	struct deadlock_row *rows; /* after deadlocks_finish */
	size_t rows_len, rows_cap;
	struct map wanted; /* thread and lock -> stack id of the last order that took it */
	bool failed;
};

void deadlocks_init(struct deadlocks *d, struct recording *rec);
void deadlocks_release(struct deadlocks *d);
struct pass_sink deadlocks_sink(struct deadlocks *d);
void deadlocks_finish(struct deadlocks *d);

#endif
