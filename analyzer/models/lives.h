/* SPDX-License-Identifier: MIT */
/*
 * lives.h - blocks from birth to end: what every report about the heap is made of.
 *
 *     struct lives l = { .watcher = { .self = &mine, .ended = count }, .groups = &groups };
 *
 *     err = lives_run(&l, a);
 *
 * One pass over the recording. A block is told when it is born, when a realloc turns it into another one, and when it
 * ends; blocks that are alive when the recording ends are told last, with LIFE_GOES_ON. Memory grows with the blocks
 * alive at one time, not with the events.
 */
#ifndef RINGSIDE_LIVES_H
#define RINGSIDE_LIVES_H

#include "analyzer/models/analysis.h"
#include "analyzer/models/early.h"
#include "analyzer/models/groups.h"
#include "analyzer/models/live.h"

#define LIVES_ALSO 4u

struct life {
	uint64_t addr, size;
	uint64_t born; /* tick */
	uint64_t nth;  /* allocation of its thread, from 1 */
	uint64_t tag;  /* the watcher's own: 0 at birth, kept by a realloc */
	struct stack_id stack;
	uint32_t group;	      /* see lives.groups; 0 without */
	uint32_t thread : 23; /* index, or PASS_NO_THREAD */
	uint32_t api : 4;     /* apis.def: the call that made it; 0: not known */
	uint32_t is_sampled : 1;
	uint32_t is_resized : 1; /* a realloc made it out of another one */
};

enum life_fate {
	LIFE_FREED,
	LIFE_RESIZED, /* a realloc freed it */
	LIFE_LOST,    /* its address was handed out again: the free was not recorded */
	LIFE_GOES_ON, /* alive at the end of the recording */
};

struct life_end {
	uint64_t tick;
	uint64_t between; /* allocations of its own thread after it and before the end: 0 for heaptrack's temporaries */
	struct stack_id stack; /* of the free, or of the realloc; {0}: not recorded, see lives_known */
	uint32_t thread;
	enum life_fate fate;
};

/*
 * Who wants to know; each may be NULL. Without `resized` a realloc is an end and a birth, each told when it happened:
 * other threads' events may come between.
 */
struct life_watcher {
	void *self;
	void (*born)(void *self, struct life *life);
	/* `now` has the tag of `old`; it may be at the same address. */
	void (*resized)(void *self, const struct life *old, const struct life_end *end, struct life *now);
	void (*ended)(void *self, const struct life *life, const struct life_end *end);
	/* Time has come to stops[stop]: everything before it was told, nothing after it. */
	void (*stopped)(void *self, size_t stop);
};

struct lives {
	/* Set by the caller. */
	struct life_watcher watcher;
	struct groups *groups; /* gives every life its group, and leaves out what the groups' filter does; or NULL */
	const uint64_t *stops; /* ticks, ascending */
	size_t stops_len;
	const struct pass_sink *also[LIVES_ALSO]; /* who wants other events of the same pass; NULL at the end */
	/* To read. */
	uint64_t allocations;	/* records of blocks that were told */
	uint64_t unknown_frees; /* of blocks whose birth was not recorded, or that were left out */
	uint64_t missed_frees;
	uint64_t sampled;    /* of the allocations */
	uint64_t suppressed; /* records left out by the suppressions of `groups` */
	bool failed;	     /* memory ran out: numbers are short */
	/* Private. */
	struct analysis *a;
	struct live live; /* address -> index in slab */
	struct life *slab;
	size_t slab_len, slab_cap;
	uint32_t *spare; /* free places of the slab */
	size_t spare_len, spare_cap;
	struct life_thread *threads; /* by index + 1 */
	size_t stop;
	struct early early;
};

/* lives_run - one pass. 0 or -errno as analysis_pass; -ENOMEM also when `failed`. */
int lives_run(struct lives *l, struct analysis *a);

/* lives_next - inside a callback: the lives of this moment, in no order. *at begins with 0. NULL at the end. */
struct life *lives_next(const struct lives *l, size_t *at);

static inline struct weight lives_weight(const struct lives *l, const struct life *life)
{
	return weight_of((double)l->a->rec.reader.header.sample_bytes, life->size, life->is_sampled);
}

/*
 * lives_known - how many blocks one stands for whose end has a stack: none that has not. Of exact recordings only a
 * random part of the frees has one.
 */
struct weight lives_known(const struct lives *l, const struct life *life, const struct life_end *end);

#endif
