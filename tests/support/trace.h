/* SPDX-License-Identifier: MIT */
/*
 * trace.h - small dumps made by hand for the analyzer's tests: no recorder, no clock, every byte known.
 *
 * Ticks are nanoseconds (RSD_TICK_MONO_NS) and the recording begins at TRACE_START, so an event at TRACE_START + 5
 * is at 5 ns of the report. Memory failures end the test.
 */
#ifndef RINGSIDE_TESTS_TRACE_H
#define RINGSIDE_TESTS_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "format/codec.h"
#include "format/record.h"

#define TRACE_START UINT64_C(1000000)

/* Where an extent of records stands. */
struct trace_lane {
	size_t unit; /* of its extent */
	struct rsd_stream stream;
};

struct trace {
	uint8_t *data; /* the file; moves when a unit is added: keep no pointers */
	size_t units;
	size_t threads_unit, nodes_unit, meta_unit, fds_unit, live_unit; /* 0: not there yet */
	uint32_t nodes;
	uint64_t seq;
};

void trace_init(struct trace *t);
void trace_release(struct trace *t);

/* Good until the next trace_ call that adds something. */
struct rsd_header *trace_header(struct trace *t);
struct rsd_extent *trace_extent(struct trace *t, size_t unit);
struct rsd_thread *trace_thread(struct trace *t, uint32_t index);

/* trace_add_thread - slot `index`, started at TRACE_START, running. */
void trace_add_thread(struct trace *t, uint32_t index, uint32_t tid, const char *name);
/* trace_end - the process ended with `status` after `ns`. */
void trace_end(struct trace *t, uint64_t ns, int status);

/* trace_stack - a stack of one outermost frame at `outer` and one at `inner` that it called; 0 leaves one out. */
uint32_t trace_stack(struct trace *t, uint64_t outer, uint64_t inner);
/* trace_add_live - a sampled block that is alive, allocated at `ns`. */
void trace_add_live(struct trace *t, uint32_t thread, uint64_t ns, uint64_t addr, uint64_t size, uint32_t stack);

/* trace_string - a name; returns its id. */
uint32_t trace_string(struct trace *t, uint32_t id, const char *text);
/* trace_fd - the slot of an open descriptor. */
void trace_add_fd(struct trace *t, uint32_t fd, const struct rsd_fd *slot);

/* trace_lane - a new extent of records of a thread; ns are since TRACE_START from here on. */
struct trace_lane trace_lane(struct trace *t, enum rsd_extent_kind kind, uint32_t thread, uint64_t ns);

void trace_alloc(struct trace *t, struct trace_lane *lane, uint64_t ns, uint64_t addr, uint64_t size, uint32_t stack);
void trace_free(struct trace *t, struct trace_lane *lane, uint64_t ns, uint64_t addr);
void trace_realloc(struct trace *t, struct trace_lane *lane, uint64_t ns, uint64_t old, uint64_t addr, uint64_t size,
		   uint32_t stack);
/* trace_put - any long record: its head is filled in here. size: of the struct. */
void trace_put(struct trace *t, struct trace_lane *lane, enum rsd_event_kind kind, uint64_t ns, void *record,
	       size_t size);
void trace_span(struct trace *t, struct trace_lane *lane, uint64_t end_ns, uint64_t dur_ns, enum rsd_wait wait,
		uint64_t object, uint32_t stack);
void trace_hold(struct trace *t, struct trace_lane *lane, uint64_t ns, uint64_t object, uint32_t stack);
void trace_sample(struct trace *t, struct trace_lane *lane, uint64_t ns, uint32_t thread, uint32_t stack,
		  uint32_t weight);

/* trace_write - the first `size` bytes (SIZE_MAX: all) to a new temporary file; its path, which the caller frees. */
char *trace_write(const struct trace *t, size_t size);
size_t trace_size(const struct trace *t);

#endif
