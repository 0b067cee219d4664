/* SPDX-License-Identifier: MIT */
/*
 * worker.h - a process that answers questions, and may die of one.
 *
 * It is forked from this one and shares one stretch of memory with it: a question, its answer, and a few things to do
 * ahead while nobody asks. Nothing in that memory is believed; an answer is copied before it is looked at.
 *
 * Cost:     two switches of process a question: ask for much at once. 0.3 ms to start.
 * Safety:   one thread.
 */
#ifndef RINGSIDE_WORKER_H
#define RINGSIDE_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/util/buf.h"

#define WORKER_QUESTION_MAX 16384u
#define WORKER_ANSWER_MAX (1u << 20)
#define WORKER_AHEAD_MAX 64u /* things to do ahead that wait; more are forgotten */

struct worker_job {
	/* In the worker: answer `question`, at most WORKER_ANSWER_MAX bytes; returns how many. */
	size_t (*answer)(void *self, const void *question, size_t len, void *out);
	/* In the worker: what worker_tell said. */
	void (*ahead)(void *self, const void *message, size_t len);
	void *self;
	bool has_network;     /* see sandbox_enter */
	unsigned seconds_max; /* of CPU time for a question; ten times that by the clock */
};

struct worker;

/* worker_new - start it. NULL when no process or memory can be had. */
struct worker *worker_new(const struct worker_job *job);
/* worker_free - end it, whatever it is doing. worker_kill - the same, without waiting for that; then only free it. */
void worker_free(struct worker *w);
void worker_kill(struct worker *w);

/*
 * worker_ask - one question and its answer.
 *
 * about:    a number that names the question's subject, for worker_culprit. Not 0.
 * answer:   cleared first.
 * Returns:  0, -ENOMEM, or -EPIPE when there is no worker any more: it died or was ended for taking too long.
 */
int worker_ask(struct worker *w, uint32_t about, const void *question, size_t len, struct buf *answer);

/* worker_tell - what it may do before it is asked. */
void worker_tell(struct worker *w, uint32_t about, const void *message, size_t len);

/* After -EPIPE: worker_culprit - what it was busy with, 0 if nothing. worker_end - how it came, as a half-sentence. */
uint32_t worker_culprit(const struct worker *w);
void worker_end(const struct worker *w, struct buf *out);

#endif
