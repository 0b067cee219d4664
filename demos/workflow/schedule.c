/* SPDX-License-Identifier: MIT */
/*
 * schedule.c - which stage runs next, and who runs it.
 *
 * Invariants, all under flow->lock: a stage is in `started` of its job from the moment a worker took it, and in
 * `done` when it succeeded; `running` counts the stages between the two. Older jobs come first, and of a job the
 * later stage: that keeps few jobs open. After an error nothing is started any more and workers go home as soon as
 * their stage is over; whoever waits is woken by the end of a running stage, and without one there is no reason to
 * wait.
 */
#include "workflow/workflow.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/books.h"
#include "common/stop.h"

#define MAX_WORKERS 64

/* The first reason stays. With the lock held; workflow_is_cancelled looks without it. */
static void give_up(struct workflow *flow, int err)
{
	if (!flow->err && err)
		__atomic_store_n(&flow->err, err, __ATOMIC_RELAXED);
}

static int is_ready(const struct job *job, int id)
{
	return !(job->started & 1u << id) && (job->done & stages[id].needs) == stages[id].needs;
}

static uint64_t count_ready(const struct workflow *flow)
{
	uint64_t count = 0;

	for (const struct job *job = flow->open; job; job = job->next) {
		for (int id = 0; id < STAGES; id++)
			count += is_ready(job, id);
	}
	return count;
}

/* Keeps max_open jobs open as long as there are any left. The list is in the order of their ids. */
static int open_jobs(struct workflow *flow)
{
	while (flow->open_count < flow->max_open && flow->next_id <= flow->opt->jobs) {
		struct job *job = job_new(flow, flow->next_id), **end = &flow->open;

		if (!job)
			return -ENOMEM;
		flow->next_id++;
		flow->open_count++;
		while (*end)
			end = &(*end)->next;
		*end = job;
	}
	return 0;
}

/* Takes a finished job off the list; freeing it is the caller's, without the lock: a job has thousands of blocks. */
static void close_job(struct workflow *flow, struct job *job)
{
	struct job **link = &flow->open;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	flow->open_count--;
	flow->done++;
	flow->digest += job->digest;
	flow->hits += job->hits;
}

/* NULL: nothing can be started now. */
static struct job *find_ready(const struct workflow *flow, int *stage)
{
	for (struct job *job = flow->open; job; job = job->next) {
		for (int id = STAGES - 1; id >= 0; id--) {
			if (is_ready(job, id)) {
				*stage = id;
				return job;
			}
		}
	}
	return NULL;
}

/* With the lock held; waits. NULL: the work is over, or was cancelled. */
static struct job *take_stage(struct workflow *flow, int *stage)
{
	for (;;) {
		struct job *job;

		if (stop_requested())
			give_up(flow, -ECANCELED);
		if (!flow->err)
			give_up(flow, open_jobs(flow));
		if (flow->err || !flow->open)
			return NULL;
		job = find_ready(flow, stage);
		if (job)
			return job;
		book_wait("cond", NULL, pthread_cond_wait(&flow->changed, &flow->lock));
	}
}

static int run_stage(struct job *job, int id, uint64_t *dur_ns)
{
	const struct options *opt = job->flow->opt;
	ringside_region region = ringside_region_begin(job->task, stages[id].name);
	uint64_t start_ns = clock_now_ns();
	int err = stages[id].run(job);

	if (!err && job->id == opt->fail_job && opt->fail_stage && !strcmp(opt->fail_stage, stages[id].name))
		err = -EBADMSG;
	*dur_ns = clock_now_ns() - start_ns;
	ringside_region_end(region);
	if (err)
		ringside_logf(job->task, "error", "job %lu, %s: %s", job->id, stages[id].name, strerror(-err));
	return err;
}

/* With the lock held. Returns whether the job is finished and the caller's to free. */
static int finish_stage(struct workflow *flow, struct job *job, int id, int err, uint64_t dur_ns)
{
	int is_finished = 0;
	struct stage_metrics *metrics = &flow->stages[id];

	metrics->count++;
	metrics->ns += dur_ns;
	metrics->failed += err != 0;
	if (dur_ns > metrics->max_ns)
		metrics->max_ns = dur_ns;
	if (err) {
		give_up(flow, err);
	} else {
		job->done |= 1u << id;
		is_finished = job->done == (1u << STAGES) - 1;
		if (is_finished)
			close_job(flow, job);
	}
	pthread_cond_broadcast(&flow->changed);
	return is_finished;
}

static void *worker_run(void *arg)
{
	struct workflow *flow = arg;
	struct job *job;
	int id;

	pthread_mutex_lock(&flow->lock);
	while ((job = take_stage(flow, &id))) {
		uint64_t dur_ns;
		int err, is_finished;

		job->started |= 1u << id;
		flow->running++;
		ringside_counter("ready stages", (double)count_ready(flow));
		pthread_mutex_unlock(&flow->lock);
		err = run_stage(job, id, &dur_ns);
		pthread_mutex_lock(&flow->lock);
		flow->running--;
		is_finished = finish_stage(flow, job, id, err, dur_ns);
		if (!is_finished)
			continue;
		pthread_mutex_unlock(&flow->lock);
		job_free(job);
		pthread_mutex_lock(&flow->lock);
	}
	pthread_cond_broadcast(&flow->changed);
	pthread_mutex_unlock(&flow->lock);
	return NULL;
}

int workflow_is_cancelled(struct workflow *flow)
{
	return stop_requested() || __atomic_load_n(&flow->err, __ATOMIC_RELAXED);
}

static int run_workers(struct workflow *flow)
{
	pthread_t threads[MAX_WORKERS];
	uint64_t count = 0;
	int err = 0;

	for (; count < flow->opt->max_workers && !err; count += !err)
		err = book_thread(&threads[count], "worker", (unsigned int)count + 1, worker_run, flow);
	for (uint64_t i = 0; i < count; i++)
		book_wait("join", NULL, pthread_join(threads[i], NULL));
	return -err;
}

int workflow_run(struct workflow *flow)
{
	uint64_t start_ns = clock_now_ns();
	int err = 0;

	flow->next_id = 1;
	flow->max_open = flow->opt->is_parallel ? flow->opt->max_workers * 2 : 1;
	if (flow->opt->is_parallel)
		err = run_workers(flow);
	else
		worker_run(flow);
	while (flow->open) {
		struct job *job = flow->open;

		flow->open = job->next;
		job_free(job);
	}
	give_up(flow, err);
	flow->wall_ns = clock_now_ns() - start_ns;
	return flow->err;
}
