/* SPDX-License-Identifier: MIT */
/* trace_analysis.h - a hand-made dump through all models in one call. */
#ifndef RINGSIDE_TESTS_TRACE_ANALYSIS_H
#define RINGSIDE_TESTS_TRACE_ANALYSIS_H

#include "analyzer/models/analysis.h"
#include "tests/support/trace.h"

struct traced {
	struct symbols *symbols;
	struct stacks *stacks;
	struct analysis a;
};

/* traced_open - write the trace, analyse it, remove the file. Ends the test when it can't be read. */
void traced_open(struct traced *d, const struct trace *t, const struct analysis_filter *filter);
void traced_release(struct traced *d);

/* The stack that the dump calls `id`. */
struct stack_id traced_stack(struct traced *d, uint32_t id);

/* Sites by stack; NULL when there is none. */
const struct heap_site *traced_heap_site(struct traced *d, uint32_t stack);
const struct cpu_site *traced_cpu_site(struct traced *d, uint32_t stack);
const struct wait_site *traced_wait_site(struct traced *d, enum rsd_wait wait, uint32_t stack);
const struct lock *traced_lock(struct traced *d, uint64_t address);
const struct lock_holder *traced_holder(struct traced *d, uint64_t lock, uint32_t stack);

#endif
