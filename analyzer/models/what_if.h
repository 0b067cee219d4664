/* SPDX-License-Identifier: MIT */
/*
 * what_if.h - how much earlier the program would have ended, if something had cost nothing: the recording replayed with
 * other durations, for all candidates at once.
 *
 * Every thread has a clock for each candidate. Work moves it on, without the candidate's share; a wait moves it on,
 * unless it is the candidate's; a wait that another thread ended moves it to that thread's clock at that moment, if
 * that is later. Candidate 0 takes nothing away: what the others end earlier than it is the answer. What the replay
 * does not know: CPUs that become free for others, waits that come into being, and locks that were never waited for.
 */
#ifndef RINGSIDE_WHAT_IF_H
#define RINGSIDE_WHAT_IF_H

#include "analyzer/models/analysis.h"
#include "analyzer/models/wakers.h"

#define WHAT_IF_MAX 16u

struct what_if {
	/*
	 * Set by the caller: what is a candidate's? candidate: from 1 to candidates - 1. A wait of the candidate's
	 * takes no time; its share of work is that of its samples, waiting for a CPU included.
	 */
	void *self;
	size_t candidates;
	bool (*takes_wait)(void *self, size_t candidate, const struct stretch *s);
	bool (*takes_sample)(void *self, size_t candidate, struct stack_id stack);
	uint32_t last; /* the thread whose end counts */
	/* To read: the end on each candidate's clock, in ns. */
	double end_ns[WHAT_IF_MAX];
	/* Private. */
	struct recording *rec;
	struct wakers wakers;
	struct what_if_thread *threads;
	struct what_if_work *work; /* kinds of work */
	size_t work_len, work_cap;
	struct map work_of; /* where it began and ended -> index */
	bool is_counting;
	uint64_t wake_place; /* of the wake-up that is being told */
	bool *in_pool;
	struct what_if_clocks *saved; /* payloads of wakes - 1 */
	size_t saved_len, saved_cap;
	uint64_t spare; /* payload of an unused one */
	bool failed;
};

/* what_if_run - 0 or -errno. */
int what_if_run(struct what_if *w, struct analysis *a);

#endif
