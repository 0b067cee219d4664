/* SPDX-License-Identifier: MIT */
/*
 * locks.h - who waited for which lock, and what its holder was doing meanwhile.
 *
 * A thread that releases a lock others wait for leaves a HOLD record with its stack, stamped before the real
 * release, so it is in the stream before the ends of the waits it caused. A wait is cut at the releases inside it:
 * the part up to a release belongs to the stack that released, what follows the last release too (it is the
 * wake-up). A wait without a release inside, because it was given up, waits for the owner's next release; if none
 * comes it belongs to the owner whose tid was read from the lock.
 * So the holders of a lock sum up to exactly its wait time. Where the time of acquisition is known, waits of
 * the holder's own thread inside the critical section are remembered with it: I/O, sleeps and other locks under a lock.
 */
#ifndef RINGSIDE_LOCKS_H
#define RINGSIDE_LOCKS_H

#include "analyzer/models/heap.h"
#include "analyzer/read/pass.h"

/* Releases remembered per lock; a wait across more of them gives what is older to the oldest remembered. */
#define LOCK_HOLDS_MAX 512u

/* What a holder waited for itself while others waited for its lock. */
struct lock_inside {
	uint32_t wait; /* waits.def */
	struct stack_id stack;
	uint64_t blocked_ns, times;
};
#define LOCK_INSIDE_MAX 4u

struct lock_holder {
	uint32_t lock;				    /* index in locks */
	struct stack_id stack;			    /* of the release; empty: only the owner is known */
	uint32_t tid;				    /* of the owner, 0: not known or several */
	uint64_t wait_ns;			    /* that others waited for it */
	uint64_t waits;				    /* in which it had a part */
	uint64_t longest_ns;			    /* longest part of one wait */
	struct lock_inside inside[LOCK_INSIDE_MAX]; /* longest first after locks_finish; the first few places seen */
	uint32_t inside_len;
	/* Holders by tid: of the above, what the next release of that thread shall have. */
	uint64_t owed_ns, owed_waits, owed_tick;
};

struct lock_hold;   /* a release that is remembered */
struct lock_recent; /* the last waits of one thread, to know what a critical section did */

struct lock {
	uint64_t address;
	uint32_t wait;	      /* kind of the longest summed wait, waits.def */
	uint64_t contentions; /* waits at least as long as the threshold */
	uint64_t wait_ns, max_wait_ns;
	uint64_t holds, held_ns; /* contended critical sections and their length where it is known */
	struct stack_id waiter;	 /* where the longest wait was */
	/* The heap block it lies in when first seen; block_size 0: none. */
	struct stack_id block_site;
	uint64_t block_offset, block_size;
	char *name; /* after locks_finish: "queue_lock", "mutex in a block of ...", or the address */
	/* Working state. */
	struct lock_hold *ring;
	uint32_t ring_len, ring_cap, ring_next;
	uint64_t wait_by_kind[RSD_WAITS];
};

struct locks {
	struct recording *rec;
	const struct heap *heap; /* for names of locks in blocks; may be NULL */
	struct lock *locks;
	size_t locks_len, locks_cap;
	struct lock_holder *holders;
	size_t holders_len, holders_cap;
	struct map lock_of;	    /* address -> index */
	struct map holder_of;	    /* lock and stack or tid -> index */
	struct lock_recent *recent; /* by thread index */
	bool failed;
};

int locks_init(struct locks *l, struct recording *rec, const struct heap *heap);
void locks_release(struct locks *l);
struct pass_sink locks_sink(struct locks *l);

/* locks_finish - names, the working state goes; locks and holders are ordered by wait time, longest first. */
int locks_finish(struct locks *l);

/* locks_merge - append another process's finished locks: equal addresses in two processes are two locks. */
int locks_merge(struct locks *into, const struct locks *from);

#endif
