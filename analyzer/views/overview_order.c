/* SPDX-License-Identifier: MIT */
/* overview_order.c - what comes first in a report. */
#include <stdlib.h>

#include "analyzer/views/overview.h"

/* Larger first; 0 when equal. */
static int larger(uint64_t x, uint64_t y)
{
	return x == y ? 0 : x > y ? -1 : 1;
}

static int heap_order(const void *a, const void *b)
{
	const struct heap_site *x = *(const struct heap_site *const *)a, *y = *(const struct heap_site *const *)b;
	int order = larger(x->peak_bytes, y->peak_bytes);

	order = order ? order : larger(x->allocated_bytes, y->allocated_bytes);
	order = order ? order : larger(x->allocations, y->allocations);
	return order ? order : -larger(x->stack.v, y->stack.v);
}

static int cpu_order(const void *a, const void *b)
{
	const struct cpu_site *x = *(const struct cpu_site *const *)a, *y = *(const struct cpu_site *const *)b;
	int order = larger(x->cpu_ns, y->cpu_ns);

	return order ? order : -larger(x->stack.v, y->stack.v);
}

static int wait_order(const void *a, const void *b)
{
	const struct wait_site *x = *(const struct wait_site *const *)a, *y = *(const struct wait_site *const *)b;
	int order = larger(x->blocked_ns, y->blocked_ns);

	order = order ? order : -larger(x->wait, y->wait);
	return order ? order : -larger(x->stack.v, y->stack.v);
}

static void order(const void **list, size_t *len, size_t top, int (*compare)(const void *a, const void *b))
{
	if (*len)
		qsort(list, *len, sizeof(*list), compare);
	if (*len > top)
		*len = top;
}

const struct heap_site **overview_heap_sites(const struct heap *h, size_t top, size_t *len)
{
	const void **list = malloc((h->sites_len + 1) * sizeof(*list));

	*len = 0;
	for (size_t i = 0; list && i < h->sites_len; i++)
		if (h->sites[i].allocations)
			list[(*len)++] = &h->sites[i];
	if (list)
		order(list, len, top, heap_order);
	for (size_t i = 0; list && i < *len; i++)
		stacks_want(h->rec->stacks, ((const struct heap_site *)list[i])->stack);
	return (const struct heap_site **)list;
}

const struct cpu_site **overview_cpu_sites(const struct cpu *c, size_t top, size_t *len)
{
	const void **list = malloc((c->sites_len + 1) * sizeof(*list));

	*len = 0;
	for (size_t i = 0; list && i < c->sites_len; i++)
		if (c->sites[i].samples || c->sites[i].cpu_ns)
			list[(*len)++] = &c->sites[i];
	if (list)
		order(list, len, top, cpu_order);
	for (size_t i = 0; list && i < *len; i++)
		stacks_want(c->rec->stacks, ((const struct cpu_site *)list[i])->stack);
	return (const struct cpu_site **)list;
}

const struct wait_site **overview_wait_sites(const struct waits *w, size_t top, size_t *len)
{
	const void **list = malloc((w->sites_len + 1) * sizeof(*list));

	*len = 0;
	for (size_t i = 0; list && i < w->sites_len; i++)
		list[(*len)++] = &w->sites[i];
	if (list)
		order(list, len, top, wait_order);
	for (size_t i = 0; list && i < *len; i++)
		stacks_want(w->rec->stacks, ((const struct wait_site *)list[i])->stack);
	return (const struct wait_site **)list;
}

const char *overview_end(const struct recording *rec, char *out)
{
	const struct rsd_header *h = &rec->reader.header;

	switch (h->end_kind) {
	case RSD_END_EXIT:
		snprintf(out, 32, "exit:%d", h->end_code);
		break;
	case RSD_END_SIGNAL:
		snprintf(out, 32, "signal:%d", h->end_code);
		break;
	case RSD_END_EXEC:
		snprintf(out, 32, "exec");
		break;
	default:
		snprintf(out, 32, "%s", rec->is_live ? "running" : "unknown");
	}
	return out;
}
