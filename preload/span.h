/* SPDX-License-Identifier: MIT */
/*
 * span.h - one timed call, in five visible steps of a wrapper:
 *
 *     HOOK_READY(sem_wait);
 *     struct span s = span_begin(WAIT_SEM, (uintptr_t)sem);
 *     int ret = real.sem_wait(sem);
 *     span_end(&s, ret ? errno : 0, 0, REGS_OF_CALLER());
 *     return ret;
 *
 * No lane is held across the real call: it may be a cancellation point, signal handlers of the program run inside
 * it, and it may be left by longjmp; then the begun span is simply never recorded.
 * A call shorter than the `block` threshold is only counted and summed in the thread's slot.
 * errno after span_end is what the real call left.
 */
#ifndef RINGSIDE_PRELOAD_SPAN_H
#define RINGSIDE_PRELOAD_SPAN_H

#include <errno.h>

#include "preload/thread.h"

/* Thresholds in ticks, UINT64_MAX for off. block_ticks also says whether spans are recorded at all. */
extern uint64_t span_block_ticks HIDDEN, span_locktrace_ticks HIDDEN, span_iotrace_ticks HIDDEN;

struct span {
	struct thread *t; /* NULL: not recorded */
	uint64_t start;
	uint64_t object;
	enum rsd_wait kind;
	uint32_t peer;
};

void span_setup(void);

/* span_is_off - no call is timed. Before span_setup, too. */
static inline bool span_is_off(void)
{
	return span_block_ticks == UINT64_MAX;
}

static inline struct span span_begin(enum rsd_wait kind, uint64_t object)
{
	struct span s = { NULL, 0, object, kind, 0 };

	if (unlikely(span_is_off()))
		return s;
	s.t = thread_enter();
	if (unlikely(!s.t))
		return s;
	if (unlikely(s.t->is_late)) {
		thread_give_back(s.t);
		s.t = NULL;
		return s;
	}
	s.start = clock_now();
	s.t->slot->waiting_object = object;
	s.t->slot->waiting_since = s.start;
	s.t->slot->waiting = kind;
	return s;
}

/* span_record - the long ones: a record with its stack. */
void span_record(const struct span *s, uint64_t now, int err, uint64_t amount, const struct regs *from);

/* span_is_ours - else nothing is recorded: another process by now, or the thread's state is gone (a handler forked). */
static inline bool span_is_ours(const struct span *s)
{
	return likely(s->t && s->t == thread_self && life->state == LIFE_RECORDING);
}

/* span_close - the call ended at `now`. Only when span_is_ours. */
static inline void span_close(const struct span *s, uint64_t now, int err, uint64_t amount, const struct regs *from)
{
	struct rsd_thread_wait *sum = &s->t->slot->wait[s->kind];
	uint64_t dur = now - s->start;

	s->t->slot->waiting = 0;
	/* A call in a handler of the program's must not leave it for the call that the handler's signal has ended. */
	s->t->cut = CALL_WHOLE;
	sum->calls++;
	if (likely(dur < span_block_ticks))
		sum->short_ticks += dur;
	else
		span_record(s, now, err, amount, from);
}

static inline void span_end(const struct span *s, int err, uint64_t amount, struct regs from)
{
	if (span_is_ours(s))
		span_close(s, clock_now(), err, amount, &from);
}

/*
 * span_retry - the call failed with EINTR: because of a sample's signal, and nothing else? Then it is made again. It
 * had only just begun, so that a relative timeout is still right.
 */
static inline bool span_retry(const struct span *s, bool has_failed, int err)
{
	if (likely(!has_failed || err != EINTR) || !span_is_ours(s) || s->t->cut != CALL_EINTR)
		return false;
	s->t->cut = CALL_WHOLE;
	return true;
}

/* ret = call, and again as long as span_retry says: with errno as it was at first. */
#define SPAN_CALL(s, ret, call, failed, err)                                                                           \
	do {                                                                                                           \
		int errno_ = (s).t ? errno : 0;                                                                        \
                                                                                                                       \
		if ((s).t)                                                                                             \
			(s).t->cut = CALL_WHOLE;                                                                       \
		for (;;) {                                                                                             \
			(ret) = (call);                                                                                \
			if (likely(!span_retry(&(s), (failed), (err))))                                                \
				break;                                                                                 \
			errno = errno_;                                                                                \
		}                                                                                                      \
	} while (0)

/* span_count - a call that did not wait: counted only. */
static inline void span_count(enum rsd_wait kind)
{
	struct thread *t = thread_self;

	if (likely(t && life->state == LIFE_RECORDING))
		t->slot->wait[kind].calls++;
}

#endif
