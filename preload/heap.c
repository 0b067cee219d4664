/* SPDX-License-Identifier: MIT */
/* heap.c - allocation and free records, exact or sampled. */
#include "preload/heap.h"

#include "preload/config.h"
#include "preload/file.h"
#include "preload/hook.h"
#include "preload/sampled.h"
#include "preload/text.h"

uint32_t heap_mode = RSD_HEAP_OFF;
bool heap_counts_usable;
static uint32_t has_degraded; /* or is about to */
static uint64_t budget_grace_ticks, self_usual_ticks;

#define BUDGET_GRACE_NS 100000000u
#define SELF_USUAL_NS 5000u

static void put_long_alloc(struct thread *t, struct lane *lane, enum rsd_event_kind kind, enum rsd_api api,
			   uint64_t now, void *block, size_t size, uint32_t stack)
{
	struct rec_alloc record = { .addr = (uintptr_t)block, .size = size, .stack = stack, .api = (uint16_t)api };

	lane_put(t, lane, kind, now, &record, sizeof(record));
	if (lane->ext)
		lane->ext->last_addr = (uintptr_t)block;
}

/* One allocation record, in the compact form where api and values have one. */
static void put_alloc(struct thread *t, struct lane *lane, enum rsd_event_kind kind, enum rsd_api api, uint64_t now,
		      void *block, size_t size, uint32_t stack)
{
	enum rsd_tag tag = kind == EV_REALLOC_ALLOC && api == API_REALLOC ? RSD_TAG_REALLOC_ALLOC
			   : kind == EV_ALLOC && api == API_MALLOC	  ? RSD_TAG_MALLOC
			   : kind == EV_ALLOC && api == API_CALLOC	  ? RSD_TAG_CALLOC
									  : RSD_TAG_NONE;
	struct rsd_extent *ext = lane_room(t, lane);
	size_t len;

	if (unlikely(!ext))
		return;
	len = tag ? codec_put_alloc(extent_end(ext), (struct codec_state){ ext->last_tick, ext->last_addr }, tag, now,
				    (uintptr_t)block, size, stack)
		  : 0;
	if (unlikely(!len)) {
		put_long_alloc(t, lane, kind, api, now, block, size, stack);
		return;
	}
	ext->last_addr = (uintptr_t)block;
	extent_commit(ext, len, now);
	t->slot->events++;
}

static void put_free(struct thread *t, struct lane *lane, enum rsd_event_kind kind, enum rsd_api api, uint64_t now,
		     void *block)
{
	struct rsd_extent *ext = lane_room(t, lane);
	enum rsd_tag tag = kind == EV_FREE ? RSD_TAG_FREE : RSD_TAG_REALLOC_FREE;
	size_t len;

	if (unlikely(!ext))
		return;
	len = codec_put_free(extent_end(ext), (struct codec_state){ ext->last_tick, ext->last_addr }, tag, now,
			     (uintptr_t)block);
	if (unlikely(!len)) {
		struct rec_free record = { .addr = (uintptr_t)block, .api = api };

		lane_put(t, lane, kind, now, &record, sizeof(record));
		ext->last_addr = (uintptr_t)block;
		return;
	}
	ext->last_addr = (uintptr_t)block;
	extent_commit(ext, len, now);
	t->slot->events++;
}

static void count_alloc(struct thread *t, size_t size)
{
	t->slot->allocs++;
	t->slot->alloc_bytes += size;
}

/* budget=PERCENT: after a first while, a thread whose recording costs more than its share makes all sample. */
static void keep_budget(struct thread *t, uint64_t now)
{
	uint64_t elapsed = now - t->slot->start_tick;

	if (elapsed > budget_grace_ticks && t->slot->self_ticks > elapsed / 100 * config.budget)
		heap_degrade("budget");
}

/*
 * Every RSD_SELF_EVERY-th event is timed to its end: what recording costs is part of each report. A long one (the
 * thread was preempted, or made room in the file, which lane_room_slow times itself) stands for nothing but itself.
 */
static inline void time_self(struct thread *t, uint64_t since)
{
	uint64_t ticks;

	if (likely(t->slot->events % RSD_SELF_EVERY))
		return;
	ticks = clock_now() - since;
	if (ticks < self_usual_ticks)
		t->slot->self_ticks += ticks * RSD_SELF_EVERY;
	if (unlikely(config.budget))
		keep_budget(t, since);
}

/* ---- sampled mode ---- */

static uint64_t random_next(struct thread *t)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 7;
	t->random ^= t->random << 17;
	return t->random;
}

/* -ln(u) of a uniform u in (0, 1]: exponent by clz, mantissa by the series of atanh, to 1e-6. */
static double exponential(struct thread *t)
{
	uint64_t u = (random_next(t) >> 11) + 1;
	int shift = __builtin_clzll(u);
	double m = (double)(u << shift) / 9223372036854775808.0;
	double z = (m - 1) / (m + 1), z2 = z * z;
	double ln_m = 2 * z * (1 + z2 * (1.0 / 3 + z2 * (1.0 / 5 + z2 * (1.0 / 7 + z2 / 9))));

	return (63 - shift) * -0.69314718055994531 - ln_m + 53 * 0.69314718055994531;
}

static bool is_sampled(struct thread *t, size_t size)
{
	bool hit;

	if (!t->sample_countdown)
		t->sample_countdown = (int64_t)((double)config.sample_bytes * exponential(t)) + 1;
	t->sample_countdown -= (int64_t)size;
	hit = t->sample_countdown <= 0;
	if (hit)
		t->sample_countdown = 0;
	return hit;
}

static void sample_alloc(struct thread *t, const struct regs *from, enum rsd_api api, void *block, size_t size)
{
	struct lane *lane;

	count_alloc(t, size);
	if (likely(!is_sampled(t, size)) || !sampled_add(block)) {
		thread_settle(t);
		return;
	}
	lane = lane_enter(t);
	if (!lane)
		return;
	put_long_alloc(t, lane, EV_SAMPLED_ALLOC, api, clock_now(), block, size, lane_stack(lane, from));
	lane_leave(t, lane);
}

static void sample_free(struct thread *t, enum rsd_api api, void *block, uint64_t tick)
{
	struct lane *lane;

	t->slot->frees++;
	if (likely(!sampled_remove(block)) || !(lane = lane_enter(t))) {
		thread_settle(t);
		return;
	}
	put_free(t, lane, EV_FREE, api, tick ? tick : clock_now(), block);
	lane_leave(t, lane);
}

/* ---- what the wrappers call ---- */

void heap_alloc(const struct regs *from, enum rsd_api api, void *block, size_t size)
{
	struct thread *t = thread_enter();
	struct lane *lane;
	uint64_t now;

	if (unlikely(!t))
		return;
	if (unlikely(heap_counts_usable))
		t->slot->usable_live += real.malloc_usable_size(block);
	if (heap_mode != RSD_HEAP_EXACT) {
		sample_alloc(t, from, api, block, size);
		return;
	}
	lane = lane_enter(t);
	if (unlikely(!lane))
		return;
	now = clock_now();
	count_alloc(t, size);
	put_alloc(t, lane, EV_ALLOC, api, now, block, size, lane_stack(lane, from));
	time_self(t, now);
	lane_leave(t, lane);
}

void heap_free(enum rsd_api api, void *block, uint64_t tick)
{
	struct thread *t = thread_enter();
	struct lane *lane;

	if (unlikely(!t))
		return;
	if (unlikely(heap_counts_usable && !tick))
		t->slot->usable_live -= real.malloc_usable_size(block);
	if (heap_mode != RSD_HEAP_EXACT) {
		sample_free(t, api, block, tick);
		return;
	}
	lane = lane_enter(t);
	if (unlikely(!lane))
		return;
	if (!tick)
		tick = clock_now();
	t->slot->frees++;
	put_free(t, lane, EV_FREE, api, tick, block);
	time_self(t, tick);
	lane_leave(t, lane);
}

void heap_realloc(const struct regs *from, enum rsd_api api, uint64_t before, void *old, void *block, size_t size)
{
	struct thread *t = thread_enter();
	struct lane *lane;
	uint64_t now;

	if (unlikely(!t))
		return;
	if (unlikely(heap_counts_usable))
		t->slot->usable_live += real.malloc_usable_size(block);
	if (heap_mode != RSD_HEAP_EXACT) {
		sample_free(t, api, old, before);
		t = thread_enter(); /* sample_free may have given it back */
		if (likely(t))
			sample_alloc(t, from, api, block, size);
		return;
	}
	lane = lane_enter(t);
	if (unlikely(!lane))
		return;
	now = clock_now();
	t->slot->frees++;
	count_alloc(t, size);
	put_free(t, lane, EV_REALLOC_FREE, api, before, old);
	put_alloc(t, lane, EV_REALLOC_ALLOC, api, now, block, size, lane_stack(lane, from));
	time_self(t, now);
	lane_leave(t, lane);
}

void heap_begin(void)
{
	heap_counts_usable = config.heaptrace != 0;
	budget_grace_ticks = clock_ticks(BUDGET_GRACE_NS);
	self_usual_ticks = clock_ticks(SELF_USUAL_NS);
	if (config.heap == RSD_HEAP_SAMPLE && !sampled_begin())
		config.heap = RSD_HEAP_OFF;
	has_degraded = 0;
	heap_mode = config.heap;
}

void heap_degrade(const char *why)
{
	char buf[256];
	struct text t = text_on(buf, sizeof(buf));

	/* Asked again and again once the limit is near; the table of sampled blocks is made once, by one thread. */
	if (heap_mode != RSD_HEAP_EXACT || __atomic_exchange_n(&has_degraded, 1, __ATOMIC_ACQ_REL) || !sampled_begin())
		return;
	__atomic_store_n(&heap_mode, RSD_HEAP_SAMPLE, __ATOMIC_RELEASE);
	file_count(COUNT_DEGRADED, 1);
	text_str(&t, why);
	text_str(&t, ": heap exact until ");
	text_duration(&t, clock_ns(clock_now() - file_header->start.tick));
	text_str(&t, ", then sampled; frees of older blocks are not seen after that");
	meta_notice(buf);
}
