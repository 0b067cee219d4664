/* SPDX-License-Identifier: MIT */
/*
 * sampler.h - CPU samples: a signal per thread, driven by the thread's own CPU time.
 *
 * A POSIX timer on the thread CPU clock up to the kernel's tick rate: it never interrupts a blocked thread, so no
 * call returns EINTR. Above the tick rate a software cpu-clock perf event where the system allows one; its
 * descriptor is closed at once, the event lives on in a one-page mapping. The signal is the highest
 * free real-time one, hidden from the program by hook_signal.c.
 */
#ifndef RINGSIDE_PRELOAD_SAMPLER_H
#define RINGSIDE_PRELOAD_SAMPLER_H

#include <stdbool.h>

#include "preload/thread.h"

/* The signal in use, 0: none. */
extern int sampler_signal;

/* sampler_begin - choose source and signal, install the handler; again in a child (timers are not inherited). */
void sampler_begin(void);

/* sampler_thread_begin, _end - arm and disarm the calling thread. */
void sampler_thread_begin(struct thread *t);
void sampler_thread_end(struct thread *t);

/*
 * sampler_thread_blocks - the calling thread has blocked our signal. Those of a perf event would queue up, one for each
 * sample, and when the queue is full the kernel sends SIGIO instead, which kills. A timer has one in the queue.
 */
void sampler_thread_blocks(struct thread *t);

/* sampler_yield - the program wants our signal: disarm all threads, for good. */
void sampler_yield(void);

/*
 * sampler_block, _unblock - keep the signal out around fork. The old mask is kept by the caller; only our signal's bit
 * of it is restored, because the program's fork handlers may have changed the others for good.
 */
void sampler_block(uint64_t *old_mask);
void sampler_unblock(const uint64_t *old_mask);

#endif
