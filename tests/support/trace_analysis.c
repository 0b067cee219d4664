/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/trace_analysis.h"

void traced_open(struct traced *d, const struct trace *t, const struct analysis_filter *filter)
{
	char *path = trace_write(t, SIZE_MAX);
	struct buf error = { 0 };

	d->symbols = symbols_new(NULL);
	d->stacks = stacks_new(d->symbols);
	if (analysis_open(&d->a, path, d->stacks, filter, NULL, &error)) {
		fprintf(stderr, "%s\n", buf_string(&error));
		abort();
	}
	unlink(path);
	free(path);
	buf_release(&error);
}

void traced_release(struct traced *d)
{
	analysis_release(&d->a);
	stacks_free(d->stacks);
	symbols_free(d->symbols);
}

struct stack_id traced_stack(struct traced *d, uint32_t id)
{
	return recording_stack(&d->a.rec, id);
}

const struct heap_site *traced_heap_site(struct traced *d, uint32_t stack)
{
	for (size_t i = 0; i < d->a.heap.sites_len; i++)
		if (d->a.heap.sites[i].stack.v == traced_stack(d, stack).v)
			return &d->a.heap.sites[i];
	return NULL;
}

const struct cpu_site *traced_cpu_site(struct traced *d, uint32_t stack)
{
	for (size_t i = 0; i < d->a.cpu.sites_len; i++)
		if (d->a.cpu.sites[i].stack.v == traced_stack(d, stack).v)
			return &d->a.cpu.sites[i];
	return NULL;
}

const struct wait_site *traced_wait_site(struct traced *d, enum rsd_wait wait, uint32_t stack)
{
	for (size_t i = 0; i < d->a.waits.sites_len; i++)
		if (d->a.waits.sites[i].wait == wait && d->a.waits.sites[i].stack.v == traced_stack(d, stack).v)
			return &d->a.waits.sites[i];
	return NULL;
}

const struct lock *traced_lock(struct traced *d, uint64_t address)
{
	for (size_t i = 0; i < d->a.locks.locks_len; i++)
		if (d->a.locks.locks[i].address == address)
			return &d->a.locks.locks[i];
	return NULL;
}

const struct lock_holder *traced_holder(struct traced *d, uint64_t lock, uint32_t stack)
{
	for (size_t i = 0; i < d->a.locks.holders_len; i++)
		if (d->a.locks.locks[d->a.locks.holders[i].lock].address == lock &&
		    d->a.locks.holders[i].stack.v == traced_stack(d, stack).v)
			return &d->a.locks.holders[i];
	return NULL;
}
