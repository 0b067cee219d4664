/* SPDX-License-Identifier: MIT */
/*
 * latency.h - how long waits, tasks and regions took, and when: time x duration, a grid for each kind of wait, each of
 * the locks that were waited for longest, and each type of task and region.
 *
 * Durations are in steps of a quarter of a power of two; columns are a fixed number, so a grid's size has a limit
 * whatever the recording. Percentiles are those of histogram.h, right to 1.6 %.
 */
#ifndef RINGSIDE_WEB_LATENCY_H
#define RINGSIDE_WEB_LATENCY_H

#include "analyzer/reports/report.h"
#include "analyzer/util/histogram.h"

#define WEB_LATENCY_COLUMNS 120u
#define WEB_LATENCY_ROWS 128u
#define WEB_LATENCY_SERIES 40u /* on the page; more are counted */
#define WEB_LATENCY_LOCKS 12u

enum web_latency_group { WEB_LATENCY_WAIT, WEB_LATENCY_LOCK, WEB_LATENCY_TASK, WEB_LATENCY_REGION };

struct web_series {
	enum web_latency_group group;
	uint64_t key; /* kind of wait, index in the model of locks, string id */
	uint64_t sum_ns;
	struct histogram durations;
	uint32_t (*grid)[WEB_LATENCY_ROWS]; /* by column */
};

struct web_latency {
	struct report_run *r;
	struct report_window window;
	struct web_series **list;
	size_t len, cap;
	struct map series_of; /* group and key -> index */
	struct map lock_of;   /* address -> index in the model of locks */
	bool failed;
};

/* web_latency_init - after the models ran. 0 or -ENOMEM; release in any case. */
int web_latency_init(struct web_latency *l, struct report_run *r, struct report_window window);
void web_latency_release(struct web_latency *l);

/* web_latency_add - something that ended at this tick. web_latency_stretch - of a wait, and of its lock. */
void web_latency_add(struct web_latency *l, enum web_latency_group group, uint64_t key, uint64_t end, uint64_t ns);
void web_latency_stretch(struct web_latency *l, const struct stretch *s);

/* web_latency_order - those with the largest sums first. */
void web_latency_order(struct web_latency *l);

/* web_latency_row - the row of a duration: 0 below 1024 ns, then four for each power of two. */
unsigned web_latency_row(uint64_t ns);

#endif
