/* SPDX-License-Identifier: MIT */
/*
 * workflow.h - jobs that go through named stages, one after another or in parallel.
 *
 *     load -> parse -> transform -> join -> store
 *                  \-> index -----/
 *
 * A stage of a job may run when the stages it needs are done; any worker may run it. Workers take ready stages from
 * a list, at most max_open jobs are under way. Each job is a task and each stage a region of include/ringside.h.
 */
#ifndef DEMOS_WORKFLOW_WORKFLOW_H
#define DEMOS_WORKFLOW_WORKFLOW_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "ringside.h"

struct options {
	uint64_t jobs, records; /* records per job */
	uint64_t max_workers;
	uint64_t load_us;    /* how long a source takes to answer */
	uint64_t dictionary; /* entries */
	uint64_t fail_job;   /* 0: none */
	uint64_t seed;
	const char *fail_stage;
	const char *join; /* "locked" or "snapshot" */
	int is_parallel;
	int has_truth;
};

struct workflow;
struct job;

enum stage_id { STAGE_LOAD, STAGE_PARSE, STAGE_TRANSFORM, STAGE_INDEX, STAGE_JOIN, STAGE_STORE, STAGES };

struct stage {
	const char *name;
	int (*run)(struct job *job); /* 0 or -errno; -ECANCELED when the workflow ended meanwhile */
	unsigned int needs;	     /* bits of stages */
};
extern const struct stage stages[STAGES];

/* ---- blocks of one size ----------------------------------------------------------------------------------- */

/* Hands out blocks from chunks and takes all of them back at once. One job, one thread at a time. */
struct arena {
	struct chunk *chunks;
	size_t used; /* blocks of the newest chunk */
};

struct record *arena_take(struct arena *arena); /* NULL: no memory */
void arena_release(struct arena *arena);

struct arena_totals {
	uint64_t allocations, frees, bytes;
};
struct arena_totals arena_totals(void);
#define ARENA_NAME "records"

/* ---- jobs ------------------------------------------------------------------------------------------------- */

struct record {
	uint32_t key, value;
	char *name; /* NAME_SIZE bytes */
	uint64_t score;
};
#define NAME_SIZE 24

/* What stage writes what: load text; parse records and arena; transform scores; index sorted; join digest. */
struct job {
	struct workflow *flow;
	uint64_t id;
	ringside_task task;
	char *text;
	size_t text_size, text_len;
	struct arena arena;
	struct record **records, **sorted;
	size_t count, cap; /* parsed records, and room for them */
	uint64_t digest, hits;
	unsigned int done, started; /* bits of stages; the workflow's lock */
	struct job *next;	    /* list of open jobs */
};

/* NULL: no memory. */
struct job *job_new(struct workflow *flow, uint64_t id);
/* In any state a failed or cancelled stage may leave. */
void job_free(struct job *job);

/* ---- the dictionary of the join stage --------------------------------------------------------------------- */

struct entry {
	char name[NAME_SIZE];
	uint64_t weight;
	uint64_t hits;
};

struct dictionary {
	pthread_mutex_t lock; /* of the hits; names and weights never change */
	struct entry *entries;
	size_t count;
};

/* Returns 0 or -ENOMEM. */
int dictionary_init(struct dictionary *dictionary, size_t count, uint64_t seed);
void dictionary_release(struct dictionary *dictionary);
/* The name of entry number `index`, as load writes it. */
void dictionary_name(char name[NAME_SIZE], uint64_t index, uint64_t seed);

/* ---- the whole -------------------------------------------------------------------------------------------- */

struct stage_metrics {
	uint64_t count, ns, max_ns, failed;
};

struct workflow {
	const struct options *opt;
	struct dictionary dictionary;
	int out_fd;
	pthread_mutex_t lock; /* of everything below */
	pthread_cond_t changed;
	struct job *open;
	uint64_t open_count, max_open, next_id;
	uint64_t done, digest, hits, stored_bytes;
	uint64_t running;
	int err; /* 0, or -errno of the first failed stage, -ECANCELED after a signal */
	struct stage_metrics stages[STAGES];
	uint64_t wall_ns;
};

/* Runs all jobs. Returns 0 or -errno; flow->err says the same. All jobs are freed in either case. */
int workflow_run(struct workflow *flow);
/* True when a stage failed or a stop was requested: long stages look at it. */
int workflow_is_cancelled(struct workflow *flow);

#endif
