/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/heap.h"
#include "analyzer/util/list.h"

#define AHEAD 16u
#define SMALLEST 8 /* bytes: of smaller blocks a program has few */

/* ---- sites ---------------------------------------------------------------------------------------------------- */

static uint32_t new_site(struct heap *h, struct stack_id stack)
{
	if (list_grow((void **)&h->sites, &h->sites_cap, h->sites_len, sizeof(*h->sites)) ||
	    stack_index_put(&h->site_of, stack, (uint32_t)h->sites_len)) {
		h->failed = true;
		return 0;
	}
	h->sites[h->sites_len] = (struct heap_site){ .stack = stack };
	stacks_expect(h->rec->stacks, stack);
	return (uint32_t)h->sites_len++;
}

/* The site of a stack; site 0, that of the empty one, also when memory ran out, so that totals stay right. */
static inline uint32_t site_index(struct heap *h, struct stack_id stack)
{
	uint32_t index = stack_index_get(&h->site_of, stack);

	return index || !stack.v ? index : new_site(h, stack);
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

static inline void note_peak(struct heap *h, uint64_t tick)
{
	if (h->live_bytes <= h->peak_bytes)
		return;
	h->peak_bytes = h->live_bytes;
	h->peak_tick = tick;
	h->variance.peak_bytes = h->variance.live_bytes;
	h->epoch++;
}

/* ---- blocks --------------------------------------------------------------------------------------------------- */

static struct heap_thread *thread_of(struct heap *h, uint32_t thread)
{
	return &h->threads[thread < h->rec->threads_len ? thread + 1 : 0];
}

/* A sampled block comes (1) or goes (-1). */
static void vary(struct heap *h, uint64_t size, int sign)
{
	double blocks = weight_variance(h->sample_mean, size), bytes = blocks * (double)size * (double)size;

	h->variance.live_bytes += sign * bytes;
	if (sign < 0)
		return;
	h->sampled++;
	h->variance.allocations += blocks;
	h->variance.allocated_bytes += bytes;
}

static inline void take_out(struct heap *h, struct heap_site *site, const struct block *b, struct weight w)
{
	if (b->is_sampled)
		vary(h, b->size, -1);
	save_peak(h, site);
	site->live_blocks -= w.ones;
	site->live_bytes -= w.bytes;
	h->live_bytes -= w.bytes;
}

/* A block whose free was not recorded: its address was handed out again. */
static void lose(struct heap *h, const struct block *b)
{
	take_out(h, &h->sites[b->site], b, weight_of(h->sample_mean, b->size, b->is_sampled));
	h->missed_frees++;
}

void heap_alloc(struct heap *h, const struct pass_event *e, uint64_t addr, uint64_t size, struct stack_id stack,
		bool is_sampled)
{
	struct block old, b = { .addr = addr,
				.size = size,
				.site = site_index(h, stack),
				.thread = e->thread & 0x7fffffff,
				.is_sampled = is_sampled };
	struct weight w = weight_of(h->sample_mean, size, is_sampled);
	struct heap_thread *thread;
	struct heap_site *site;
	bool had_old;

	if (!addr)
		return;
	thread = thread_of(h, e->thread);
	thread->last_alloc = addr;
	if (size < h->size_min || size > h->size_max)
		return;
	if (live_add(&h->live, &b, &old, &had_old)) {
		h->failed = true;
		return;
	}
	if (had_old)
		lose(h, &old);
	site = &h->sites[b.site];
	save_peak(h, site);
	site->allocations += w.ones;
	site->allocated_bytes += w.bytes;
	thread->allocations += w.ones;
	thread->allocated_bytes += w.bytes;
	site->live_blocks += w.ones;
	site->live_bytes += w.bytes;
	h->live_bytes += w.bytes;
	if (is_sampled)
		vary(h, size, 1);
	note_peak(h, e->tick);
}

void heap_free(struct heap *h, const struct pass_event *e, uint64_t addr)
{
	struct heap_site *site;
	struct block b;
	struct weight w;
	struct heap_thread *thread;

	if (!addr)
		return;
	if (!live_remove(&h->live, addr, &b)) {
		struct pass_event free = *e;

		free.addr = addr;
		early_add(&h->early, &free);
		return;
	}
	w = weight_of(h->sample_mean, b.size, b.is_sampled);
	site = &h->sites[b.site];
	site->frees += w.ones;
	thread = thread_of(h, b.thread);
	if (thread->last_alloc == addr) {
		thread->last_alloc = 0;
		if (!b.is_sampled)
			site->temporary += w.ones;
	}
	if (b.thread != (e->thread & 0x7fffffff))
		site->other_thread_frees += w.ones;
	take_out(h, site, &b, w);
}

/* ---- the pass ------------------------------------------------------------------------------------------------- */

/* The table of blocks is larger than the caches: it is asked for what comes in a few events before it is needed. */
static void on_blocks(void *self, const struct pass_event *e, size_t len, size_t ahead)
{
	struct heap *h = self;
	struct pass_event free;

	for (size_t i = 0; i < len; i++) {
		if (i + AHEAD < len + ahead)
			live_prefetch(&h->live, e[i + AHEAD].addr);
		if (e[i].kind == EV_FREE || e[i].kind == EV_REALLOC_FREE)
			heap_free(h, &e[i], e[i].addr);
		else {
			heap_alloc(h, &e[i], e[i].addr, e[i].size, recording_stack(h->rec, e[i].stack),
				   e[i].kind == EV_SAMPLED_ALLOC);
			if (early_take(&h->early, &e[i], &free))
				heap_free(h, &free, free.addr);
		}
	}
}

int heap_init(struct heap *h, struct recording *rec)
{
	*h = (struct heap){
		.rec = rec, .epoch = 1, .size_max = UINT64_MAX, .sample_mean = (double)rec->reader.header.sample_bytes
	};
	early_init(&h->early, &rec->clock, early_is_whole(rec));
	h->threads = calloc(rec->threads_len + 1, sizeof(*h->threads));
	new_site(h, (struct stack_id){ 0 });
	if (h->threads && !h->failed)
		return 0;
	heap_release(h);
	return -ENOMEM;
}

void heap_release(struct heap *h)
{
	live_release(&h->live);
	stack_index_release(&h->site_of);
	free(h->sites);
	free(h->threads);
	*h = (struct heap){ 0 };
}

struct pass_sink heap_sink(struct heap *h)
{
	return (struct pass_sink){ .self = h, .on_blocks = on_blocks };
}

/* Counts become whole here, once and by site, so that the sites sum up to the totals. */
static void settle(struct heap_site *s)
{
	uint64_t *counts[] = { &s->allocations, &s->frees,	 &s->temporary,
			       &s->live_blocks, &s->peak_blocks, &s->other_thread_frees };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		*counts[i] = weight_count(*counts[i]) * WEIGHT_ONE;
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
	to->other_thread_frees += from->other_thread_frees;
}

void heap_finish(struct heap *h)
{
	h->peak_ns = h->peak_tick ? clock_ns(&h->rec->clock, h->peak_tick) : 0;
	h->total = (struct heap_site){ 0 };
	h->unknown_frees = early_unknown(&h->early);
	for (size_t i = 0; i < h->sites_len; i++) {
		save_peak(h, &h->sites[i]);
		settle(&h->sites[i]);
		heap_site_add(&h->total, &h->sites[i]);
	}
}

/* The upper half of a score interval: with few samples the variance is known as badly as the total. */
static uint64_t interval(double variance, double one_more)
{
	const double z = 1.96;

	return (uint64_t)llround(z * sqrt((variance > 0 ? variance : 0) + z * z / 4 * one_more) +
				 z * z / 2 * sqrt(one_more));
}

struct heap_intervals heap_intervals(const struct heap *h)
{
	double blocks = weight_variance(h->sample_mean, SMALLEST), bytes = blocks * SMALLEST * SMALLEST;
	const struct heap_variance *v = &h->variance;

	if (!h->sampled)
		return (struct heap_intervals){ 0 };
	return (struct heap_intervals){ .allocations = interval(v->allocations, blocks),
					.allocated_bytes = interval(v->allocated_bytes, bytes),
					.live_bytes = interval(v->live_bytes, bytes),
					.peak_bytes = interval(v->peak_bytes, bytes) };
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
	into->variance.allocations += from->variance.allocations;
	into->variance.allocated_bytes += from->variance.allocated_bytes;
	into->variance.live_bytes += from->variance.live_bytes;
	into->variance.peak_bytes += from->variance.peak_bytes;
	into->failed |= from->failed;
	return into->failed ? -ENOMEM : 0;
}

/* What C++ puts between a container and the memory it asks for. */
const char heap_drop_frames[] =
	"^operator new(\\[\\])?\\(|^(std|__gnu_cxx)::.*::(_M_)?(allocate|allocate_at_least|_S_allocate)\\(";

int heap_profile(const struct heap *h, struct profile *p)
{
	p->drop_frames = heap_drop_frames;
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
			(int64_t)weight_count(s->live_blocks),
			(int64_t)s->allocated_bytes,
			(int64_t)weight_count(s->allocations),
			(int64_t)s->peak_bytes,
			(int64_t)weight_count(s->peak_blocks),
			(int64_t)weight_count(s->temporary),
			(int64_t)weight_count(s->frees),
		};

		if (s->allocations && profile_add(p, s->stack, 0, values))
			return -ENOMEM;
	}
	return 0;
}
