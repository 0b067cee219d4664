/* SPDX-License-Identifier: MIT */
/*
 * heap.h - who allocated what: totals, live blocks, the exact peak, and all of it by allocation site.
 *
 * A call that yields a block is one allocation of the requested size; a successful realloc of a block is one free
 * and one allocation; free(NULL) is nothing. A free of a block that the recording has not seen begin is counted
 * apart. A temporary allocation is one freed before the allocating thread's next allocation.
 *
 * Sampled allocations stand for 1 / (1 - exp(-size/mean)) blocks each, which makes all sums unbiased. Counts are
 * kept in WEIGHT_ONEths so that such weights add up; weight_count() reads them. Bytes are whole.
 *
 * The peak by site is exact without storing events: a site that changes after a new maximum first saves what it
 * had at the maximum; a site that has not changed since still has it.
 */
#ifndef RINGSIDE_HEAP_H
#define RINGSIDE_HEAP_H

#include "analyzer/models/early.h"
#include "analyzer/models/live.h"
#include "analyzer/read/pass.h"
#include "analyzer/models/profile.h"
#include "analyzer/symbols/stack_index.h"
#include "analyzer/models/weight.h"

/* Counts are in WEIGHT_ONEths. */
struct heap_site {
	struct stack_id stack;
	uint64_t allocations, frees, temporary;
	uint64_t allocated_bytes;
	uint64_t live_blocks, live_bytes;
	uint64_t peak_blocks, peak_bytes; /* valid after heap_finish */
	uint64_t epoch;			  /* of the maximum that peak_* was saved for */
	uint64_t other_thread_frees;	  /* blocks freed by another thread than the one that allocated */
};

struct heap_thread {
	uint64_t last_alloc; /* address of its last allocation, 0 when freed */
	uint64_t allocations, allocated_bytes;
};

/* Variances of the totals of a sample: counts in blocks squared, the others in bytes squared. */
struct heap_variance {
	double allocations, allocated_bytes, live_bytes, peak_bytes;
};

struct heap {
	struct recording *rec;
	struct live live;
	struct heap_site *sites; /* site 0 is the empty stack */
	size_t sites_len, sites_cap;
	struct stack_index site_of;  /* 0: none yet */
	struct heap_thread *threads; /* by thread index + 1; 0: of threads that are not known */
	struct heap_site total;	     /* stack unused; valid after heap_finish */
	uint64_t live_bytes, peak_bytes;
	uint64_t epoch, peak_tick;
	uint64_t peak_ns; /* valid after heap_finish */
	struct early early;
	uint64_t unknown_frees; /* of blocks whose beginning was not recorded; valid after heap_finish */
	uint64_t missed_frees;	/* an address was handed out twice: its free was not recorded */
	uint64_t sampled;	/* records of sampled allocations */
	double sample_mean;	/* bytes; 0: none */
	struct heap_variance variance;
	uint64_t size_min, size_max; /* blocks of other sizes are not there */
	bool failed;		     /* memory ran out: numbers are short */
};

int heap_init(struct heap *h, struct recording *rec);
void heap_release(struct heap *h);

/* heap_sink - what pass_run should call; keeps `h`. */
struct pass_sink heap_sink(struct heap *h);

/* The two events themselves, for allocators of other kinds (pools.h) and tests. */
void heap_alloc(struct heap *h, const struct pass_event *e, uint64_t addr, uint64_t size, struct stack_id stack,
		bool is_sampled);
void heap_free(struct heap *h, const struct pass_event *e, uint64_t addr);

/* heap_finish - after the pass: settle the peak by site. */
void heap_finish(struct heap *h);

/*
 * heap_merge - add another process's finished numbers. Peaks of processes are summed: each had its own at its own
 * time. Stacks must come from the same struct stacks.
 */
int heap_merge(struct heap *into, const struct heap *from);

/*
 * heap_profile - the sites as inuse_space, inuse_objects, alloc_space, alloc_objects, peak_space, peak_objects,
 * temporary, free_objects. Defines the values in an empty profile. 0 or -ENOMEM.
 */
int heap_profile(const struct heap *h, struct profile *p);

/* heap_drop_frames - of a heap's profile, see profile.h. */
extern const char heap_drop_frames[];

/*
 * heap_intervals - how far the totals of a sample may be off, up or down, in 95 of 100 runs; 0 when all was recorded.
 *
 * The variance is reckoned with one more sample of the smallest block there can be (about): what was never sampled
 * can't be seen in the spread of what was. So counts of few samples have wide intervals, as they must.
 */
struct heap_intervals {
	uint64_t allocations, allocated_bytes, live_bytes, peak_bytes;
};
struct heap_intervals heap_intervals(const struct heap *h);

/* heap_site_add - the counts of `from` onto `to`. */
void heap_site_add(struct heap_site *to, const struct heap_site *from);

#endif
