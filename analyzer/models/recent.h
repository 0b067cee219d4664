/* SPDX-License-Identifier: MIT */
/*
 * recent.h - what a thread did lately: its last stretches and CPU samples, to tell what it was doing in an interval
 * that has just ended. RECENT_STRETCHES of them are remembered; what is older is not known any more.
 */
#ifndef RINGSIDE_RECENT_H
#define RINGSIDE_RECENT_H

#include "analyzer/models/activity.h"

#define RECENT_STRETCHES 512u
#define RECENT_SAMPLES 256u

struct recent_sample {
	uint64_t tick;
	struct stack_id stack;
};

struct recent_thread {
	struct stretch stretches[RECENT_STRETCHES];
	struct recent_sample samples[RECENT_SAMPLES];
	uint64_t stretches_len, samples_len; /* ever */
};

struct recent {
	struct recording *rec;
	struct recent_thread **threads; /* by index; NULL until it does something */
	bool failed;
};

int recent_init(struct recent *r, struct recording *rec);
void recent_release(struct recent *r);

/* To be called with every stretch and sample. */
void recent_stretch(struct recent *r, const struct stretch *s);
void recent_sample(struct recent *r, const struct pass_event *e);

/* One thing a thread did in an interval. */
struct recent_part {
	uint64_t ticks;
	uint32_t wait; /* waits.def; 0: it ran */
	struct stack_id stack;
	uint64_t object;
	uint32_t peer;
	bool is_known; /* of wait 0: there was a sample, stack is where */
};

/*
 * recent_between - call `part` for what `thread` did from tick to tick: parts sum up to the interval. Time in which it
 * ran is spread over the samples taken in it.
 */
void recent_between(const struct recent *r, uint32_t thread, uint64_t from, uint64_t to, void *self,
		    void (*part)(void *self, const struct recent_part *p));

#endif
