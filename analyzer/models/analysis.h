/* SPDX-License-Identifier: MIT */
/*
 * analysis.h - one recording through all models in one pass, and several of them merged.
 */
#ifndef RINGSIDE_ANALYSIS_H
#define RINGSIDE_ANALYSIS_H

#include "analyzer/models/cpu.h"
#include "analyzer/models/deadlocks.h"
#include "analyzer/models/fds.h"
#include "analyzer/models/heap.h"
#include "analyzer/models/locks.h"
#include "analyzer/read/pass.h"
#include "analyzer/models/pools.h"
#include "analyzer/read/recording.h"
#include "analyzer/models/threads.h"
#include "analyzer/models/waits.h"
#include "analyzer/models/workload.h"

/* What the user left out. Ready when zeroed: nothing. */
struct analysis_filter {
	uint64_t from_ns, to_ns;     /* to_ns 0: to the end */
	uint64_t size_min, size_max; /* blocks of the heap by requested bytes; size_max 0: no limit */
	const char *thread_pattern;  /* POSIX extended regular expression for names and tids; NULL: all */
};

struct analysis {
	struct recording rec;
	struct pass_filter filter;	/* of events; its threads are owned */
	uint64_t size_min, size_max;	/* see struct analysis_filter */
	void (*progress)(double share); /* may be NULL */
	struct heap heap;
	struct pools pools;
	struct cpu cpu;
	struct waits waits;
	struct locks locks;
	struct deadlocks deadlocks;
	struct fds fds;
	struct threads threads;
	struct workload workload;
	struct pass_stats stats;
	uint64_t duration_ns;		/* of the window, or of the recording */
	uint64_t dump_bytes;		/* used by the file */
	size_t processes;		/* 1, more after merges */
	uint64_t lost_events;		/* sum of what is missing, see analysis_losses */
	uint64_t counter[RSD_COUNTERS]; /* counters.def, summed over processes */
	uint64_t damaged;
	bool is_filtered;
};

/* Who wants to know meanwhile; both may be NULL. */
struct analysis_watch {
	void (*opened)(const struct recording *rec); /* all is well and the pass begins */
	void (*progress)(double share);		     /* see pass_run */
};

/*
 * analysis_begin - open the dump; no event was read yet.
 * analysis_open - the same, and run all models.
 *
 * filter, watch:  may be NULL.
 * Returns:  0 or -errno with a sentence in *error; after an error nothing is left to release.
 */
int analysis_begin(struct analysis *a, const char *path, struct stacks *stacks, const struct analysis_filter *filter,
		   const struct analysis_watch *watch, struct buf *error);
int analysis_open(struct analysis *a, const char *path, struct stacks *stacks, const struct analysis_filter *filter,
		  const struct analysis_watch *watch, struct buf *error);
void analysis_release(struct analysis *a);

/*
 * analysis_models - run all models on what analysis_begin opened, for whoever reads the events again afterwards;
 * analysis_open closes the file. 0 or -errno; release in any case.
 */
int analysis_models(struct analysis *a);

/* analysis_pass - all events that the filter leaves, to other models; as often as one likes. See pass_run. */
int analysis_pass(struct analysis *a, const struct pass_sink *const *sinks, size_t sinks_len);

/* analysis_merge - add another process. `from` must outlive `into`: names are shared. */
int analysis_merge(struct analysis *into, const struct analysis *from);

/*
 * analysis_losses - append one sentence for everything that is missing from the numbers, each on a line of its
 * own. Returns how many.
 */
unsigned analysis_losses(const struct analysis *a, struct buf *out);

#endif
