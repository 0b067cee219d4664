/* SPDX-License-Identifier: MIT */
/*
 * thread.h - what the recorder keeps per thread, and how a wrapper gets hold of it.
 *
 * A wrapper calls thread_enter(); NULL means "not recording", and it only forwards. To write records it takes
 * a lane. A lane is one stream of records: lane 0 is the usual one; lane 1 is used when a signal handler of the
 * program interrupts the recorder in lane 0. CPU samples have a stream of their own (sampler.c), so our
 * handler never meets a half-written record.
 *
 * Invariants:
 * - only its thread writes a lane; handlers interrupt it in stack discipline;
 * - guard is 0 or the stack address of the function that is writing. When a handler leaves by longjmp the
 *   guard stays: the next entry sees a guard frame that is gone, seals the extent and takes a fresh one, so
 *   even a resumed writer (it keeps its own pointer) cannot damage committed records;
 * - a state outlives its thread: thread end pushes it on a free list, with its extents, for the next thread.
 *
 * TLS: one pointer and one word, initial-exec (any other model may call the allocator on first use).
 */
#ifndef RINGSIDE_PRELOAD_THREAD_H
#define RINGSIDE_PRELOAD_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/codec.h"
#include "preload/clock.h"
#include "preload/compiler.h"
#include "preload/stacks.h"

#define LANE_SCRATCH 1152u

struct lane {
	uintptr_t guard;	/* see above */
	struct rsd_extent *ext; /* NULL: none yet */
	uint64_t ready;		/* data bytes of ext that are populated */
	struct stack_state *stacks;
	uint32_t extents_taken; /* the first ones are small */
	/* What must not lie on the program's stack: the record of a wait, and texts. */
	struct rec_span span;
	char scratch[LANE_SCRATCH] __attribute__((aligned(8)));
};

/* A lock that the thread holds, see order.h. */
#define HELD_MAX 16u
struct held_lock {
	const void *lock, *site;
	uint32_t kind; /* enum rsd_wait */
};

/* CALL_EINTR: with EINTR, see span_retry. CALL_SHORT: after a part of what was to be moved, see io.h. */
enum call_cut { CALL_WHOLE, CALL_EINTR, CALL_SHORT };

struct thread {
	struct rsd_thread *slot; /* in the dump */
	uint32_t index;
	uint32_t tid;
	/* Bytes until the next sampled allocation, see heap.c. 0: every call is looked at. */
	uint64_t skip_bytes;
	/* Of heap_exact.h. */
	uint64_t free_limit;	 /* frees whose hash is below this are looked at */
	uint32_t timing;	 /* enum heap_timing of the next call */
	uint32_t until_attended; /* calls until heap_attend */
	bool is_watched_next;	 /* and then the next one is HEAP_WATCHED */
	uint64_t watch_tick, watch_cpu_ns;
	struct lane lane[2];
	bool is_late; /* lent to a thread whose own state is gone; given back after each event */

	/* Off-CPU accounting: where the last reading of the thread's CPU clock was taken. */
	uint64_t checkpoint_tick, checkpoint_cpu_ns;

	uint64_t counted_skip_bytes; /* in place of skip_bytes while everything is counted */
	uint64_t random;

	/* CPU sampling, see sampler.c. */
	struct rsd_extent *samples;
	uint64_t samples_ready;
	struct stack_state *sample_stacks;
	int timer; /* kernel timer id, -1 none */
	void *perf;
	uint8_t sampling;    /* handler is running */
	uint8_t cut;	     /* an enum call_cut: how a sample's signal may have ended a system call */
	uint32_t tick_phase; /* which ticks are kept */

	uintptr_t pointer; /* where libc keeps what is the thread's own */
	uint32_t held_len; /* more than HELD_MAX: the last ones are not told apart */
	struct held_lock held[HELD_MAX];

	uint32_t exit_passes;
	uint64_t next_free; /* free list, tagged */
	struct thread *next_made;
};

extern __thread struct thread *thread_self HIDDEN __attribute__((tls_model("initial-exec")));

/*
 * The page every entry looks at. All 0 before start and in a new child of fork: it is MADV_WIPEONFORK, which catches
 * fork, _Fork and clone alike.
 */
enum { LIFE_UNKNOWN = 0, LIFE_RECORDING = 1, LIFE_OFF = 2 };
struct life {
	uint32_t state;
	uint32_t is_heap_plain; /* 1: recording, and heap_exact.h is all there is to do. See heap_update */
};
extern struct life *life HIDDEN;

/* thread_enter_slow - start, fork child, new thread, thread in its last steps; NULL when not recording. */
struct thread *thread_enter_slow(void);

/* thread_enter - the calling thread's state, or NULL when this call is not to be recorded. errno is kept. */
static inline struct thread *thread_enter(void)
{
	struct thread *t = thread_self;

	if (likely(t && life->state == LIFE_RECORDING))
		return t;
	return thread_enter_slow();
}

void thread_give_back(struct thread *t);

/* thread_settle - done with what thread_enter returned, without having entered a lane. */
static inline void thread_settle(struct thread *t)
{
	if (unlikely(t->is_late))
		thread_give_back(t);
}

/* lane_make_stacks - a state for captures of the configured depth, NULL: no memory. */
struct stack_state *lane_make_stacks(void);

/* lane_forget_stacks - for another thread, another dump, or after a capture that was abandoned. NULL is nothing. */
void lane_forget_stacks(struct stack_state *stacks);

/* lane_enter_busy - the guard is set: stale, or nested. NULL: nested twice, counted as lost. */
struct lane *lane_enter_busy(struct thread *t, uintptr_t sp);

static inline struct lane *lane_enter(struct thread *t)
{
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
	struct lane *lane = &t->lane[0];

	if (likely(!lane->guard)) {
		lane->guard = sp;
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		return lane;
	}
	return lane_enter_busy(t, sp);
}

/* lane_exit - done with a lane, not yet with the thread: who called thread_enter settles. */
static inline void lane_exit(struct lane *lane)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	lane->guard = 0;
}

static inline void lane_leave(struct thread *t, struct lane *lane)
{
	lane_exit(lane);
	thread_settle(t);
}

/* lane_room_slow - populate more of the extent or take a new one. NULL: lost, counted. */
struct rsd_extent *lane_room_slow(struct thread *t, struct lane *lane);

/*
 * lane_room - an extent with CODEC_RECORD_MAX writable bytes at extent_end. Write a record there, then extent_commit.
 * The writer keeps to this extent, whatever becomes of the lane while a signal handler switches stacks or forks.
 * Returns NULL when there is no room in the file: the event is counted as lost.
 */
static inline struct rsd_extent *lane_room(struct thread *t, struct lane *lane)
{
	struct rsd_extent *ext = lane->ext;

	if (likely(ext && ext->used + CODEC_RECORD_MAX <= lane->ready))
		return ext;
	return lane_room_slow(t, lane);
}

static inline uint8_t *extent_end(struct rsd_extent *ext)
{
	return (uint8_t *)(ext + 1) + ext->used;
}

/* extent_commit - the `size` bytes written at extent_end, after which the stream has moved on, count from now on. */
static inline void extent_commit(struct rsd_extent *ext, size_t size)
{
	__atomic_store_n(&ext->used, ext->used + size, __ATOMIC_RELEASE);
}

/*
 * lane_put - append a long record whose head this fills in. `size` is sizeof the struct.
 * Safety: owner thread, between lane_enter and lane_leave. No allocation, no lock; errno kept.
 */
void lane_put(struct thread *t, struct lane *lane, enum rsd_event_kind kind, uint64_t tick, void *record, size_t size);

/* lane_stack - the stack id for a wrapper's caller. */
static inline __attribute__((always_inline)) uint32_t lane_stack(struct lane *lane, const struct regs *from)
{
	return stack_capture(lane->stacks, from, false);
}

/* thread_put - lane_enter, lane_put, lane_leave for a record without a stack. */
void thread_put(struct thread *t, enum rsd_event_kind kind, uint64_t tick, void *record, size_t size);

/*
 * What pthread_create hands to the new thread's first entry.
 */
struct thread_birth {
	uint32_t creator; /* index + 1 */
	uint32_t creator_stack;
	uint64_t start_routine;
};
struct thread *thread_register(const struct thread_birth *birth);

/* thread_checkpoint - read the CPU clock and keep it in the slot, for reports of a dead process. */
void thread_checkpoint(struct thread *t, uint64_t now, uint64_t *cpu_ns, uint64_t *since_ticks);

/* thread_finish - last words of the calling thread: name, CPU time, end. Its state is recycled. */
void thread_finish(struct thread *t);

/*
 * thread_mute - the calling thread, or all threads, will not be recorded from now on, nor will new threads and
 * children: no system call is made any more. thread_unmute - it was not necessary after all. Only for a registered
 * thread.
 */
void thread_mute(bool is_all);
void thread_unmute(struct thread *t);
bool thread_is_mute(void);

/* thread_each - call `visit` with every state of this process, those of ended threads included. */
void thread_each(void (*visit)(struct thread *t));

/* thread_begin - once at start; thread_begin_child - in a child of fork, for its only thread. */
void thread_begin(void);
void thread_begin_child(void);

/* thread_give_key - the program has used up all keys and may have ours. False: it has it already, or not just now. */
bool thread_give_key(void);

/* thread_returns - a start routine has ended. Without our key nothing else tells the end of the thread. */
void thread_returns(void);

/* thread_finish_process - for all threads that still run at exit: their CPU time. */
void thread_finish_process(void);

/* thread_slot - a slot by index, NULL if there is none: for the lines of schedtrace. */
struct rsd_thread *thread_slot(uint32_t index);

#endif
