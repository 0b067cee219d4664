/* SPDX-License-Identifier: MIT */
/*
 * lanes.h - what the program says it works at (tasks and regions of include/ringside.h) and who woke whom, as spans of
 * time.
 *
 * There may be millions of them, so the longest of each sort are kept one by one. Of regions the others are kept as
 * shares of columns, so that a row of many short ones does not look empty.
 */
#ifndef RINGSIDE_WEB_LANES_H
#define RINGSIDE_WEB_LANES_H

#include "analyzer/models/wakers.h"
#include "analyzer/models/working.h"
#include "analyzer/reports/report.h"
#include "analyzer/web/latency.h"

#define WEB_REGIONS_MOST 20000u
#define WEB_TASKS_MOST 5000u
#define WEB_WAKES_MOST 10000u
#define WEB_REST_COLUMNS 400u

struct web_span {
	uint64_t begin, end; /* ticks */
	uint32_t thread;     /* index; of a wake-up the one that waited */
	uint32_t what;	     /* index of the type in the working model; of a wake-up the kind of wait */
	uint32_t depth;	     /* of a region: how many it lies in */
	uint64_t id;	     /* of a task */
	/* Of a wake-up. */
	uint64_t woken; /* tick */
	uint32_t waker; /* thread index */
	struct stack_id at, by;
};

/* The longest `most` of all that were given: a heap with the shortest on top, in order of time after the pass. */
struct web_longest {
	struct web_span *list;
	size_t len, cap, most;
	uint64_t all;
};

/* web_longest_add - true when a span had to go (this one or a shorter one), which is then in *gone. 0 has no length. */
bool web_longest_add(struct web_longest *l, const struct web_span *span, struct web_span *gone, bool *failed);
void web_longest_order(struct web_longest *l);

struct web_lanes {
	struct report_run *r;
	struct report_window window;
	struct working working;
	struct wakers wakers;
	struct web_latency *latency;
	struct web_longest regions, tasks, wakes;
	uint64_t (*rest)[WEB_REST_COLUMNS]; /* by thread index: ns in regions that lie in no other and were left out */
	bool is_ready, failed;
};

/*
 * web_lanes_make - one pass; also tells `latency` of all that ended. The window is what is shown of the recording.
 * Release in any case. 0 or -errno.
 */
int web_lanes_make(struct web_lanes *l, struct report_run *r, struct report_window window, struct web_latency *latency);
void web_lanes_release(struct web_lanes *l);

#endif
