/* SPDX-License-Identifier: MIT */
/*
 * activity.h - each thread's time as one stretch after another: it waited in a call, or it ran or could have.
 *
 * A stretch is told when it has ended, so those of one thread come in order, and between threads the one that ended
 * earlier comes about first. Between two waits the thread's CPU clock says how much of the time it was on a CPU; the
 * rest it was ready to run, or in waits too short to be recorded. Where no clock was read it is not known: cpu_ns and
 * ready_ns then sum up to less than the stretch.
 */
#ifndef RINGSIDE_ACTIVITY_H
#define RINGSIDE_ACTIVITY_H

#include "analyzer/models/waits.h"
#include "analyzer/read/pass.h"

/* What a thread can be doing, in the words of reports. */
enum doing {
	DOING_CPU,
	DOING_READY, /* off the CPU and in no recorded wait: it could have run, or its wait was too short */
	DOING_LOCK,
	DOING_SYNC, /* conditions, semaphores, barriers, joins */
	DOING_IO,
	DOING_SLEEP,
	DOING_OTHER,
	DOING_IDLE,    /* waits for work, see activity_is_idle */
	DOING_UNKNOWN, /* no clock was read */
	DOINGS
};

struct stretch {
	uint32_t thread;     /* index */
	uint32_t wait;	     /* waits.def; 0: it ran, or could have */
	uint64_t begin, end; /* ticks */
	uint64_t cpu_ns, ready_ns, blocked_ns;
	/* Of a wait. */
	struct stack_id stack;
	uint64_t object, amount; /* see rec_span */
	uint32_t peer;		 /* tid of the lock's owner when it began, or 0 */
	uint32_t err;
	bool is_unfinished; /* the recording ended inside it */
};

struct activity {
	/* Set by the caller. */
	void *self;
	void (*stretch)(void *self, const struct stretch *s);
	/* Private. */
	struct recording *rec;
	struct activity_thread *threads; /* by index */
};

/* activity_init - after self and stretch were set. 0 or -ENOMEM. */
int activity_init(struct activity *a, struct recording *rec);
void activity_release(struct activity *a);
struct pass_sink activity_sink(struct activity *a);
/* activity_finish - after the pass: what each thread did last. */
void activity_finish(struct activity *a);

/*
 * activity_is_idle - does a thread that waits so wait for work, rather than in the middle of it? For connections,
 * timers, children, other threads' ends; in a pool (several threads of one start routine) also for a condition or
 * semaphore.
 */
bool activity_is_idle(unsigned wait, bool is_in_pool);

enum doing wait_doing(unsigned wait, bool is_idle);
/* doing_name - "cpu", "ready", "locks", ...; doing_key - "cpu_ns", ... in JSON; doing_letter - one character for it. */
const char *doing_name(enum doing doing);
const char *doing_key(enum doing doing);
char doing_letter(enum doing doing);

/*
 * stretch_share - what of a stretch falls between two ticks, spread evenly; adds ns[DOING_...] to ns[DOINGS].
 * is_idle: of its wait.
 */
void stretch_share(const struct stretch *s, const struct clock *clock, uint64_t from, uint64_t to, bool is_idle,
		   uint64_t ns[DOINGS]);

/*
 * threads_in_pools - by thread index: do other threads run the same start routine? The caller frees it; NULL: no
 * memory.
 */
bool *threads_in_pools(const struct recording *rec);

#endif
