/* SPDX-License-Identifier: MIT */
/*
 * threads.h - one line of accounts per thread: wall = on the CPU + blocked + runnable + unknown.
 *
 * blocked is time off the CPU inside blocking calls, short ones included as far as time off the CPU can be theirs;
 * runnable is the rest of the time off the CPU that falls between two readings of the thread's clock: it could
 * have run, but no CPU was free. unknown is what is left over, never hidden and never below 0.
 */
#ifndef RINGSIDE_THREADS_H
#define RINGSIDE_THREADS_H

#include "analyzer/read/pass.h"

struct thread_row {
	uint32_t tid, index;
	char name[17];	 /* unsafe text */
	const char *exe; /* of its process, for merged reports; owned by the recording */
	uint64_t start_ns, wall_ns;
	uint64_t cpu_ns, blocked_ns, runnable_ns, unknown_ns;
	uint64_t span_ns; /* of blocked_ns: in recorded spans */
	uint64_t spans;
	uint64_t allocations, allocated_bytes;
	uint64_t longest_ns; /* longest blocked stretch */
	uint32_t waiting;    /* waits.def: where it was when the recording ended; 0: in no blocking call */
	uint64_t waiting_ns; /* for so long */
	uint64_t blocked_by_kind[RSD_WAITS];
	struct stack_id created_by;
	uint64_t start_routine; /* run-time address, 0: the first thread */
	uint64_t self_ns;	/* inside the recorder, estimated */
	bool has_ended;
};

struct threads {
	struct recording *rec;
	struct thread_row *rows;
	size_t rows_len, rows_cap;
	uint64_t *excess_ns; /* by thread index: off the CPU and not in a recorded span */
	uint64_t self_ns;    /* all threads */
};

int threads_init(struct threads *t, struct recording *rec);
void threads_release(struct threads *t);
struct pass_sink threads_sink(struct threads *t);

/* threads_finish - balance the accounts; rows that are no thread go, the others are ordered by their start. */
void threads_finish(struct threads *t);
int threads_merge(struct threads *into, const struct threads *from);

#endif
