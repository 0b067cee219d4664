/* SPDX-License-Identifier: MIT */
/*
 * pass.h - all events of a recording once, in time order, to everybody who wants them.
 *
 * Extents are merged by tick: within one extent records are in the order of their thread, between threads the
 * earlier tick comes first, and at one tick a free comes before an allocation. An extent is opened when its time
 * comes and closed at its end, so memory is bounded by the threads that write at one time, not by the file.
 * Decoding one extent (cursor_next in pass.c) touches nothing but its own cursor: it can be done ahead by a
 * thread per extent when the merge becomes the slower part.
 */
#ifndef RINGSIDE_PASS_H
#define RINGSIDE_PASS_H

#include "analyzer/recording.h"
#include "format/codec.h"

struct pass_event {
	const struct rsd_event *ev; /* valid during the call; its shape is known, ids in it are not checked */
	uint64_t tick;		    /* never before the previous event's */
	uint32_t thread;	    /* index; below recording.threads_len or PASS_NO_THREAD */
};
#define PASS_NO_THREAD UINT32_MAX

/* A model: one callback per event kind it wants, NULL for the others. */
struct pass_sink {
	void *self;
	void (*on[EV_LIMIT])(void *self, const struct pass_event *e);
};

/* What a pass leaves out. Ready when zeroed: nothing. */
struct pass_filter {
	uint64_t from_ns, to_ns; /* to_ns 0: no end. Events stamped in [from_ns, to_ns) */
	bool *threads;		 /* by thread index, NULL: all. Frees pass whoever frees */
};

struct pass_stats {
	uint64_t events;  /* records of kinds that this version knows, thread switches not counted */
	uint64_t unknown; /* records of kinds of later versions */
	uint64_t by_kind[EV_LIMIT];
	uint64_t recycled; /* extents that the ring took back while they were read */
};

/*
 * pass_run - deliver everything; moves rec->end_tick to the last event if that is later.
 *
 * progress: called now and then with the share done, 0.0 to 1.0; may be NULL.
 * Returns:  0, -ENOMEM, or -EIO when the file shrank meanwhile. Damaged extents are left at the damage, which
 *           the reader remembers (reader_damage).
 */
int pass_run(struct recording *rec, const struct pass_filter *filter, const struct pass_sink *const *sinks,
	     size_t sinks_len, struct pass_stats *stats, void (*progress)(double share));

#endif
