/* SPDX-License-Identifier: MIT */
/* findings_heap.c - rules about memory. */
#include "analyzer/models/findings.h"
#include "analyzer/show/render.h"

#define KB UINT64_C(1024)

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static const struct heap_site *top_site(const struct heap *h, uint64_t (*key)(const struct heap_site *s))
{
	const struct heap_site *top = NULL;

	for (size_t i = 0; i < h->sites_len; i++)
		if (key(&h->sites[i]) && (!top || key(&h->sites[i]) > key(top)))
			top = &h->sites[i];
	return top;
}

static uint64_t live_bytes(const struct heap_site *s)
{
	return s->live_bytes;
}

static uint64_t peak_bytes(const struct heap_site *s)
{
	return s->peak_bytes;
}

static uint64_t temporary(const struct heap_site *s)
{
	return s->temporary;
}

/* Only a program that ended by itself had its chance to free. */
static bool has_exited(const struct analysis *a)
{
	return a->rec.reader.header.end_kind == RSD_END_EXIT && !a->is_filtered;
}

void rule_leak(struct findings *f, const struct analysis *a)
{
	const struct heap_site *top = top_site(&a->heap, live_bytes);
	char all[RENDER_NUMBER_MAX], blocks[RENDER_NUMBER_MAX], bytes[RENDER_NUMBER_MAX];
	struct buf where = { 0 };
	uint64_t live = a->heap.total.live_bytes;

	if (!top || !has_exited(a) || live < 4 * KB)
		return;
	place_name(&where, a->rec.stacks, top->stack);
	findings_add(f, RULE_leak,
		     live >= 1024 * KB || live >= a->heap.total.peak_bytes / 2 ? SEVERITY_MEDIUM : SEVERITY_LOW,
		     top->stack, "%s were never freed; the largest part, %s in %s block%s, was allocated by %s.",
		     render_bytes(all, (int64_t)live), render_bytes(bytes, (int64_t)top->live_bytes),
		     render_count(blocks, (int64_t)weight_count(top->live_blocks)),
		     weight_count(top->live_blocks) == 1 ? "" : "s", buf_string(&where));
	buf_release(&where);
}

void rule_growth(struct findings *f, const struct analysis *a)
{
	const struct heap_site *top = top_site(&a->heap, peak_bytes);
	char peak[RENDER_NUMBER_MAX], when[RENDER_NUMBER_MAX];
	struct buf where = { 0 };

	if (!top || a->heap.total.peak_bytes < 1024 * KB || percent(top->peak_bytes, a->heap.total.peak_bytes) < 30)
		return;
	place_name(&where, a->rec.stacks, top->stack);
	findings_add(f, RULE_growth, SEVERITY_LOW, top->stack,
		     "%.0f %% of the heap's peak (%s at %s) was allocated by %s.",
		     percent(top->peak_bytes, a->heap.total.peak_bytes),
		     render_bytes(peak, (int64_t)a->heap.total.peak_bytes),
		     render_duration(when, (int64_t)a->heap.peak_ns), buf_string(&where));
	buf_release(&where);
}

void rule_temporary(struct findings *f, const struct analysis *a)
{
	const struct heap_site *top = top_site(&a->heap, temporary);
	uint64_t allocations = weight_count(a->heap.total.allocations), count = weight_count(a->heap.total.temporary);
	char text[RENDER_NUMBER_MAX];
	struct buf where = { 0 };

	if (!top || count < 1000 || percent(count, allocations) < 10)
		return;
	place_name(&where, a->rec.stacks, top->stack);
	findings_add(f, RULE_temporary, percent(count, allocations) >= 50 ? SEVERITY_MEDIUM : SEVERITY_LOW, top->stack,
		     "%.0f %% of the allocations (%s) were freed before the next one; %.0f %% of these by %s.",
		     percent(count, allocations), render_count(text, (int64_t)count),
		     percent(top->temporary, a->heap.total.temporary), buf_string(&where));
	buf_release(&where);
}
