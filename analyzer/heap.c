/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "analyzer/heap.h"

/* ---- sites ---------------------------------------------------------------------------------------------------- */

/* The site of a stack; site 0 when memory ran out, so that totals stay right. */
static uint32_t site_index(struct heap *h, struct stack_id stack)
{
	bool is_new;
	uint64_t *index = map_at(&h->site_of, stack.v, &is_new);

	if (!index)
		goto out;
	if (!is_new)
		return (uint32_t)*index;
	if (h->sites_len == h->sites_cap) {
		size_t cap = 2 * h->sites_cap;
		struct heap_site *sites = realloc(h->sites, cap * sizeof(*sites));

		if (!sites)
			goto out;
		h->sites = sites;
		h->sites_cap = cap;
	}
	*index = h->sites_len;
	h->sites[h->sites_len++] = (struct heap_site){ .stack = stack };
	return (uint32_t)*index;
out:
	h->failed = true;
	return 0;
}

/* Before a site's live numbers change: keep what they were at the last maximum. */
static void save_peak(struct heap *h, struct heap_site *site)
{
	if (site->epoch == h->epoch)
		return;
	site->epoch = h->epoch;
	site->peak_bytes = site->live_bytes;
	site->peak_blocks = site->live_blocks;
}

static void note_peak(struct heap *h, uint64_t tick)
{
	if (h->total.live_bytes <= h->total.peak_bytes)
		return;
	h->total.peak_bytes = h->total.live_bytes;
	h->total.peak_blocks = h->total.live_blocks;
	h->peak_tick = tick;
	h->epoch++;
}

/* ---- blocks --------------------------------------------------------------------------------------------------- */

/* How many blocks, in HEAP_ONEths, and bytes a record stands for. */
static void weigh(const struct heap *h, uint64_t size, bool is_sampled, uint64_t *ones, uint64_t *bytes)
{
	double weight;

	*ones = HEAP_ONE;
	*bytes = size;
	if (!is_sampled || h->sample_mean <= 0)
		return;
	weight = size ? 1 / -expm1(-(double)size / h->sample_mean) : 1;
	*ones = (uint64_t)llround(weight * HEAP_ONE);
	*bytes = (uint64_t)llround(weight * (double)size);
}

static uint64_t *last_alloc(struct heap *h, uint32_t thread)
{
	return &h->last_alloc[thread < h->rec->threads_len ? thread + 1 : 0];
}

static void take_out(struct heap *h, const struct block *b)
{
	struct heap_site *site = &h->sites[b->site];
	uint64_t ones, bytes;

	weigh(h, b->size, b->is_sampled, &ones, &bytes);
	save_peak(h, site);
	site->live_blocks -= ones;
	site->live_bytes -= bytes;
	h->total.live_blocks -= ones;
	h->total.live_bytes -= bytes;
}

void heap_alloc(struct heap *h, const struct pass_event *e, uint64_t addr, uint64_t size, struct stack_id stack,
		bool is_sampled)
{
	uint32_t index = site_index(h, stack);
	struct heap_site *site;
	struct block old, b = { .addr = addr,
				.size = size,
				.tick = e->tick,
				.site = index,
				.thread = e->thread & 0x7fffffff,
				.is_sampled = is_sampled };
	uint64_t ones, bytes;
	bool had_old;

	if (!addr)
		return;
	if (live_add(&h->live, &b, &old, &had_old)) {
		h->failed = true;
		return;
	}
	if (had_old) {
		take_out(h, &old);
		h->missed_frees++;
	}
	weigh(h, size, is_sampled, &ones, &bytes);
	site = &h->sites[index];
	save_peak(h, site);
	site->allocations += ones, h->total.allocations += ones;
	site->allocated_bytes += bytes, h->total.allocated_bytes += bytes;
	site->live_blocks += ones, h->total.live_blocks += ones;
	site->live_bytes += bytes, h->total.live_bytes += bytes;
	h->sampled += is_sampled;
	*last_alloc(h, e->thread) = addr;
	note_peak(h, e->tick);
}

static void count_end(struct heap *h, const struct block *b, const struct pass_event *e, bool is_temporary)
{
	struct heap_site *site = &h->sites[b->site];
	uint64_t ones, bytes, age = e->tick > b->tick ? e->tick - b->tick : 0;

	weigh(h, b->size, b->is_sampled, &ones, &bytes);
	site->frees += ones, h->total.frees += ones;
	site->lifetime_ticks += age, h->total.lifetime_ticks += age;
	if (is_temporary)
		site->temporary += ones, h->total.temporary += ones;
	if (b->thread != (e->thread & 0x7fffffff))
		site->other_thread_frees += ones, h->total.other_thread_frees += ones;
}

void heap_free(struct heap *h, const struct pass_event *e, uint64_t addr)
{
	struct block b;
	uint64_t *last;
	bool is_temporary;

	if (!addr)
		return;
	if (!live_remove(&h->live, addr, &b)) {
		h->unknown_frees++;
		return;
	}
	last = last_alloc(h, b.thread);
	is_temporary = *last == addr && !b.is_sampled;
	if (*last == addr)
		*last = 0;
	count_end(h, &b, e, is_temporary);
	take_out(h, &b);
}

/* ---- the pass ------------------------------------------------------------------------------------------------- */

static void on_alloc(void *self, const struct pass_event *e)
{
	struct heap *h = self;
	const struct rec_alloc *rec = &e->ev->alloc;

	heap_alloc(h, e, rec->addr, rec->size, recording_stack(h->rec, rec->stack), e->ev->kind == EV_SAMPLED_ALLOC);
}

static void on_free(void *self, const struct pass_event *e)
{
	heap_free(self, e, e->ev->free.addr);
}

int heap_init(struct heap *h, struct recording *rec)
{
	*h = (struct heap){ .rec = rec, .epoch = 1, .sample_mean = (double)rec->reader.header.sample_bytes };
	map_init(&h->site_of);
	h->sites_cap = 64;
	h->sites = calloc(h->sites_cap, sizeof(*h->sites));
	h->last_alloc = calloc(rec->threads_len + 1, sizeof(*h->last_alloc));
	if (!h->sites || !h->last_alloc || map_put(&h->site_of, 0, 0)) {
		heap_release(h);
		return -ENOMEM;
	}
	h->sites_len = 1;
	return 0;
}

void heap_release(struct heap *h)
{
	live_release(&h->live);
	map_release(&h->site_of);
	free(h->sites);
	free(h->last_alloc);
	*h = (struct heap){ 0 };
}

struct pass_sink heap_sink(struct heap *h)
{
	return (struct pass_sink){ .self = h,
				   .on = { [EV_ALLOC] = on_alloc,
					   [EV_REALLOC_ALLOC] = on_alloc,
					   [EV_SAMPLED_ALLOC] = on_alloc,
					   [EV_FREE] = on_free,
					   [EV_REALLOC_FREE] = on_free } };
}

/* Counts become whole here, once and by site, so that the sites sum up to the totals. */
static void settle(struct heap_site *s)
{
	uint64_t *counts[] = { &s->allocations, &s->frees,	 &s->temporary,
			       &s->live_blocks, &s->peak_blocks, &s->other_thread_frees };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		*counts[i] = heap_count(*counts[i]) * HEAP_ONE;
}

void heap_site_add(struct heap_site *to, const struct heap_site *from)
{
	to->allocations += from->allocations;
	to->frees += from->frees;
	to->temporary += from->temporary;
	to->allocated_bytes += from->allocated_bytes;
	to->live_blocks += from->live_blocks;
	to->live_bytes += from->live_bytes;
	to->peak_blocks += from->peak_blocks;
	to->peak_bytes += from->peak_bytes;
	to->lifetime_ticks += from->lifetime_ticks;
	to->other_thread_frees += from->other_thread_frees;
}

void heap_finish(struct heap *h)
{
	h->peak_ns = h->peak_tick ? clock_ns(&h->rec->clock, h->peak_tick) : 0;
	h->total = (struct heap_site){ 0 };
	for (size_t i = 0; i < h->sites_len; i++) {
		save_peak(h, &h->sites[i]);
		settle(&h->sites[i]);
		heap_site_add(&h->total, &h->sites[i]);
	}
}

int heap_merge(struct heap *into, const struct heap *from)
{
	for (size_t i = 0; i < from->sites_len; i++) {
		uint32_t index = site_index(into, from->sites[i].stack); /* may move the sites */

		heap_site_add(&into->sites[index], &from->sites[i]);
	}
	heap_site_add(&into->total, &from->total);
	into->unknown_frees += from->unknown_frees;
	into->missed_frees += from->missed_frees;
	into->sampled += from->sampled;
	into->failed |= from->failed;
	return into->failed ? -ENOMEM : 0;
}

/* What C++ puts between a container and the memory it asks for. */
static const char allocator_frames[] =
	"^operator new(\\[\\])?\\(|^(std|__gnu_cxx)::.*::(_M_)?(allocate|allocate_at_least|_S_allocate)\\(";

int heap_profile(const struct heap *h, struct profile *p)
{
	p->drop_frames = allocator_frames;
	profile_define(p, "inuse_space", UNIT_BYTES, "bytes live at the end");
	profile_define(p, "inuse_objects", UNIT_COUNT, "blocks live at the end");
	profile_define(p, "alloc_space", UNIT_BYTES, "bytes allocated over the whole run");
	profile_define(p, "alloc_objects", UNIT_COUNT, "allocations over the whole run");
	profile_define(p, "peak_space", UNIT_BYTES, "bytes live at the moment of the highest total");
	profile_define(p, "peak_objects", UNIT_COUNT, "blocks live at the moment of the highest total");
	profile_define(p, "temporary", UNIT_COUNT, "blocks freed before their thread's next allocation");
	profile_define(p, "free_objects", UNIT_COUNT, "blocks freed again");
	for (size_t i = 0; i < h->sites_len; i++) {
		const struct heap_site *s = &h->sites[i];
		int64_t values[PROFILE_VALUES] = {
			(int64_t)s->live_bytes,
			(int64_t)heap_count(s->live_blocks),
			(int64_t)s->allocated_bytes,
			(int64_t)heap_count(s->allocations),
			(int64_t)s->peak_bytes,
			(int64_t)heap_count(s->peak_blocks),
			(int64_t)heap_count(s->temporary),
			(int64_t)heap_count(s->frees),
		};

		if (s->allocations && profile_add(p, s->stack, 0, values))
			return -ENOMEM;
	}
	return 0;
}
