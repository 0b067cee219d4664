/* SPDX-License-Identifier: MIT */
/*
 * pass.h - all events of a recording once, in time order, to everybody who wants them.
 *
 * Extents are merged by tick: within one extent records are in the order of their thread, between threads the
 * earlier tick comes first, and at one tick a free comes before an allocation. An extent is opened when its time
 * comes and closed at its end, so memory is bounded by the threads that write at one time, not by the file.
 * Extents are decoded ahead by other threads (stream.h); the models are called by the caller's thread only.
 *
 * Before all that, who takes blocks by on_blocks gets the sampled blocks that are alive and whose allocation a ring has
 * overwritten, as EV_SAMPLED_ALLOC out of the dump's table of them.
 */
#ifndef RINGSIDE_PASS_H
#define RINGSIDE_PASS_H

#include "analyzer/read/recording.h"
#include "analyzer/read/stream.h"

/* A model. */
struct pass_sink {
	void *self;
	/* One callback per kind it wants, NULL for the others. e->ev is the record, valid during the call. */
	void (*on[EV_LIMIT])(void *self, const struct pass_event *e);
	/*
	 * NULL, or what gets the kinds of pass_is_block: e[0] to e[len - 1], without their records. e[len] to
	 * e[len + ahead - 1] are likely to come next, for a look at what to fetch from memory. Who asks for these kinds
	 * by `on` gets their records; in one pass only one of both is possible.
	 */
	void (*on_blocks)(void *self, const struct pass_event *e, size_t len, size_t ahead);
};

/* What a pass leaves out. Ready when zeroed: nothing. */
struct pass_filter {
	uint64_t from_ns, to_ns; /* to_ns 0: no end. Events stamped in [from_ns, to_ns) */
	bool *threads;		 /* by thread index, NULL: all. Frees pass whoever frees */
};

/*
 * pass_run - deliver everything; moves rec->end_tick to the last event if that is later.
 *
 * workers:  threads that decode, see cores_to_spare; 0: only this one. Results are the same.
 * progress: called now and then with the share done, 0.0 to 1.0; may be NULL.
 * Returns:  0, -ENOMEM, -EINVAL when sinks ask for blocks with and without their records, or -EIO when the file shrank
 *           meanwhile. Damaged extents are left at the damage, which the reader remembers (reader_damage).
 */
int pass_run(struct recording *rec, const struct pass_filter *filter, const struct pass_sink *const *sinks,
	     size_t sinks_len, unsigned workers, struct pass_stats *stats, void (*progress)(double share));

#endif
