/* SPDX-License-Identifier: MIT */
/*
 * working.h - which task and region of include/ringside.h each thread works for, a stretch at a time.
 *
 * A thread works for the task of its innermost region. What it did is known a stretch at a time, after the regions
 * inside have begun and ended: boundaries wait in a queue until the stretch they lie in is told.
 */
#ifndef RINGSIDE_WORKING_H
#define RINGSIDE_WORKING_H

#include "analyzer/models/activity.h"
#include "analyzer/util/spread.h"

struct work_type {
	uint32_t name;		 /* string id */
	struct spread durations; /* ns, of those that ended in the window */
	uint64_t begun, ended;	 /* ended: in the window */
};

struct work_task {
	uint64_t id, parent, begin, end; /* ticks; end 0: goes on */
	uint32_t type;			 /* index in task_types */
};

struct work_region {
	uint64_t id, begin;
	uint32_t type, task; /* indices; task: + 1, 0: none */
};

struct working {
	/* Set by the caller, or NULL. piece: a part of a stretch, inside a region. */
	void *self;
	void (*piece)(void *self, const struct work_region *in, const struct stretch *s, uint64_t from, uint64_t to);
	/* A region that has ended, or goes on at the end of the recording (end 0); depth: how many it lies in. */
	void (*region)(void *self, uint32_t thread, uint32_t depth, const struct work_region *region, uint64_t end);
	uint64_t from, to; /* ticks: what ends outside is not counted, pieces are cut to it */
	/* To read. */
	struct work_type *task_types, *region_types;
	size_t task_types_len, region_types_len;
	struct work_task *tasks;
	size_t tasks_len;
	uint64_t logs;
	/* Private. */
	struct recording *rec;
	struct activity activity;
	size_t task_types_cap, region_types_cap, tasks_cap;
	struct map task_type_of, region_type_of, task_of; /* string id; string id; task id -> index */
	struct work_thread *threads;			  /* by index */
	bool failed;
};

/* working_init - after what the caller sets. 0 or -ENOMEM; release in any case. */
int working_init(struct working *w, struct recording *rec);
void working_release(struct working *w);
/* working_sinks - what must run along. */
void working_sinks(struct working *w, struct pass_sink sinks[2]);
/* working_finish - after the pass. 0 or -ENOMEM. */
int working_finish(struct working *w);

/* working_region - what a thread is in at this point of the pass, or NULL. */
const struct work_region *working_region(const struct working *w, uint32_t thread);

/* working_task - index + 1 of the task called `id`, 0: none. */
uint32_t working_task(const struct working *w, uint64_t id);

#endif
