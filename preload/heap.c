/* SPDX-License-Identifier: MIT */
/* heap.c - allocation and free records, exact or sampled. */
#include "preload/heap.h"

#include "preload/config.h"
#include "preload/file.h"
#include "preload/heap_exact.h"
#include "preload/hook.h"
#include "preload/live.h"
#include "preload/sampled.h"
#include "preload/text.h"

#define BUDGET_GRACE_NS 100000000u
#define SELF_USUAL_NS 5000u
#define WATCHED_ONE_IN 4u /* of those that are timed */

uint32_t heap_mode = RSD_HEAP_OFF;
bool heap_is_counted, heap_has_boot_blocks;
static uint32_t has_degraded; /* or is about to */
static uint64_t budget_grace_ticks, self_usual_ticks;
static uint64_t free_limit;    /* see heap_is_chosen; of 2^32 */
static uint32_t attend_every;  /* calls, on average */
static uint32_t timed_one_in;  /* of those that are attended to; 0: none is timed */
static uint64_t reading_ticks; /* what a reading of the clock adds to a duration */
static uint64_t long_ticks;    /* a call that took longer may have waited */

/* ---- records -------------------------------------------------------------------------------------------------- */

static void put_long_alloc(struct thread *t, struct lane *lane, enum rsd_event_kind kind, enum rsd_api api,
			   uint64_t now, void *block, size_t size, uint32_t stack)
{
	struct rec_alloc record = { .addr = (uintptr_t)block, .size = size, .stack = stack, .api = (uint16_t)api };

	lane_put(t, lane, kind, now, &record, sizeof(record));
	if (lane->ext)
		codec_move_to(&lane->ext->stream, now, (uintptr_t)block);
}

static void put_long_free(struct thread *t, struct lane *lane, enum rsd_event_kind kind, enum rsd_api api, uint64_t now,
			  void *block, uint32_t stack)
{
	struct rec_free record = { .addr = (uintptr_t)block, .stack = stack, .api = api };

	lane_put(t, lane, kind, now, &record, sizeof(record));
	if (lane->ext)
		codec_move_to(&lane->ext->stream, now, (uintptr_t)block);
}

__attribute__((noinline)) void heap_put_alloc_slow(struct thread *t, struct lane *lane, enum rsd_event_kind kind,
						   enum rsd_api api, uint64_t now, void *block, size_t size,
						   uint32_t stack)
{
	enum rsd_tag tag = heap_tag(kind, api);
	struct rsd_extent *ext = lane_room(t, lane);
	size_t len = 0;

	if (ext && tag)
		len = codec_put_alloc(extent_end(ext), &ext->stream, tag, now, (uintptr_t)block, size, stack);
	if (len)
		heap_commit(t, ext, len);
	else if (ext)
		put_long_alloc(t, lane, kind, api, now, block, size, stack);
}

__attribute__((noinline)) void heap_put_free_slow(struct thread *t, struct lane *lane, enum rsd_event_kind kind,
						  enum rsd_api api, uint64_t now, void *block)
{
	enum rsd_tag tag = kind == EV_FREE ? RSD_TAG_FREE : RSD_TAG_REALLOC_FREE;
	struct rsd_extent *ext = lane_room(t, lane);
	size_t len = 0;

	if (ext)
		len = codec_put_free(extent_end(ext), &ext->stream, tag, now, (uintptr_t)block);
	if (len)
		heap_commit(t, ext, len);
	else if (ext)
		put_long_free(t, lane, kind, api, now, block, 0);
}

__attribute__((noinline)) void heap_put_free_at_slow(struct thread *t, struct lane *lane, enum rsd_api api,
						     uint64_t now, void *block, uint32_t stack)
{
	put_long_free(t, lane, EV_FREE, api, now, block, stack);
}

/* ---- what recording costs ------------------------------------------------------------------------------------- */

/* budget=PERCENT: after a first while, a thread whose recording costs more than its share makes all sample. */
static void keep_budget(struct thread *t, uint64_t now)
{
	uint64_t elapsed = now - t->slot->start_tick;

	if (elapsed > budget_grace_ticks && t->slot->self_ticks > elapsed / 100 * config.budget)
		heap_degrade("budget");
}

static uint64_t random_next(struct thread *t)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 7;
	t->random ^= t->random << 17;
	return t->random;
}

/*
 * The reading of the CPU clock is what a wait of a call is told by, see heap_timed. It is a system call, so not all
 * that are timed have one; and it comes some calls before: threads that fight for the allocator's lock meet each other
 * more often when one of them has been away.
 */
static void mark_timed(struct thread *t, uint64_t now)
{
	if (attend_every == RSD_SELF_EVERY && (random_next(t) >> 32) % WATCHED_ONE_IN) {
		t->timing = HEAP_TIMED;
		return;
	}
	t->watch_tick = now;
	t->watch_cpu_ns = clock_thread_cpu_ns();
	if (attend_every == RSD_SELF_EVERY)
		t->is_watched_next = true;
	else
		t->timing = HEAP_WATCHED;
}

/* Steps from 1 to twice the mean, less 1. */
static void plan_attention(struct thread *t)
{
	t->until_attended = 1 + (uint32_t)(random_next(t) >> 32) % (2 * attend_every - 1);
}

__attribute__((noinline)) void heap_attend(struct thread *t, uint64_t since)
{
	uint64_t now = clock_now(), ticks = now - since;

	if (ticks < self_usual_ticks)
		t->slot->self_ticks += ticks * attend_every;
	if (unlikely(config.budget))
		keep_budget(t, since);
	if (t->is_watched_next) {
		t->is_watched_next = false;
		t->timing = HEAP_WATCHED;
	} else if (timed_one_in && (random_next(t) >> 32) % timed_one_in == 0) {
		mark_timed(t, now);
	}
	plan_attention(t);
}

/* ---- timed ---------------------------------------------------------------------------------------------------- */

/* A wait that has ended meanwhile has read the CPU clock too, see thread_checkpoint: it isn't this call's. */
static void watch(struct thread *t)
{
	if (t->checkpoint_tick <= t->watch_tick)
		return;
	t->watch_tick = t->checkpoint_tick;
	t->watch_cpu_ns = t->checkpoint_cpu_ns;
}

enum heap_timing heap_begin_timed(struct thread *t)
{
	enum heap_timing timing = t ? (enum heap_timing)t->timing : HEAP_UNTIMED;

	if (likely(timing == HEAP_UNTIMED))
		return HEAP_UNTIMED;
	t->timing = HEAP_UNTIMED;
	if (timing == HEAP_WATCHED)
		watch(t);
	return heap_is_plain(t) ? timing : HEAP_UNTIMED;
}

void heap_timed(const struct regs *from, enum heap_timing timing, enum rsd_api api, size_t size, uint64_t before,
		uint64_t after)
{
	struct thread *t = thread_self;
	struct rec_timed record = { .size = size, .api = (uint16_t)api };
	struct lane *lane = heap_is_plain(t) ? lane_enter(t) : NULL;
	uint64_t ticks = after - before;

	if (!lane)
		return;
	record.dur_ticks = ticks > reading_ticks ? ticks - reading_ticks : 0;
	record.flags = timing == HEAP_WATCHED ? RSD_TIMED_WATCHED : 0;
	if (timing == HEAP_WATCHED && ticks > long_ticks) {
		record.cpu_ns = clock_thread_cpu_ns() - t->watch_cpu_ns;
		record.since_ticks = after - t->watch_tick;
	}
	record.stack = lane_stack(lane, from);
	lane_put(t, lane, EV_TIMED, after, &record, sizeof(record));
	lane_exit(lane);
}

/* The least of some: what is more is something else. */
static uint64_t measure_reading(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 100; i++) {
		uint64_t before = clock_now(), ticks = clock_now() - before;

		if (ticks < least)
			least = ticks;
	}
	return least;
}

/* Only where heap_exact.h is all there is to do: everywhere else a call is something else than what it is usually. */
static void begin_timing(void)
{
	bool is_possible = config.heap == RSD_HEAP_EXACT && !heap_is_counted && clock_is_tsc;
	uint64_t every = is_possible ? config.alloctime : 0;

	attend_every = every && every < RSD_SELF_EVERY ? (uint32_t)every : RSD_SELF_EVERY;
	timed_one_in = (uint32_t)(every / attend_every);
	reading_ticks = every ? measure_reading() : 0;
	long_ticks = clock_ticks(RSD_TIMED_LONG_NS);
	file_header->time_every = attend_every * timed_one_in;
}

/* ---- sampled -------------------------------------------------------------------------------------------------- */

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

static uint64_t next_gap(struct thread *t)
{
	return (uint64_t)((double)config.sample_bytes * exponential(t)) + 1;
}

/*
 * Does a sampling point fall into these bytes? The distance to the next one is skip_bytes, where wrappers count down
 * without coming here; while everything is counted it must not be there.
 */
static bool is_sampled(struct thread *t, size_t size)
{
	uint64_t *left = heap_is_counted ? &t->counted_skip_bytes : &t->skip_bytes;

	if (!*left)
		*left = next_gap(t);
	if (size < *left) {
		*left -= size;
		return false;
	}
	*left = next_gap(t);
	return true;
}

static void put_sampled(struct thread *t, struct lane *lane, enum rsd_api api, const struct rsd_live *live)
{
	void *block = (void *)(uintptr_t)live->addr;
	uint32_t entry = live_add(live);

	if (sampled_add(block, entry)) {
		put_long_alloc(t, lane, EV_SAMPLED_ALLOC, api, live->tick, block, live->size, live->stack);
		return;
	}
	live_remove(entry);
	file_count(COUNT_LOST_SAMPLED, 1);
}

static void sample_alloc(struct thread *t, const struct regs *from, enum rsd_api api, void *block, size_t size)
{
	struct rsd_live live = { .addr = (uintptr_t)block, .size = size, .thread = t->index };
	struct lane *lane;

	if (likely(!is_sampled(t, size)))
		return;
	lane = lane_enter(t);
	if (!lane)
		return;
	live.tick = clock_now();
	live.stack = lane_stack(lane, from);
	put_sampled(t, lane, api, &live);
	lane_exit(lane);
}

/* Few are sampled, so each has its stack if any is to have one. */
static void sample_free(struct thread *t, const struct regs *from, enum rsd_api api, void *block, uint64_t tick)
{
	struct lane *lane;
	uint32_t entry;

	if (likely(!sampled_remove(block, &entry)))
		return;
	live_remove(entry);
	lane = lane_enter(t);
	if (!lane)
		return;
	heap_put_free_at(t, lane, api, tick ? tick : clock_now(), block, config.freestack ? lane_stack(lane, from) : 0);
	lane_exit(lane);
}

/* ---- counted: for heaptrace and inittrace --------------------------------------------------------------------- */

static void count_alloc(struct thread *t, void *block, size_t size)
{
	t->slot->allocs++;
	t->slot->alloc_bytes += size;
	if (real.malloc_usable_size)
		t->slot->usable_live += real.malloc_usable_size(block);
}

/* Not after the block was given back: then realloc has counted it. */
static void count_free(struct thread *t, void *block, bool is_gone)
{
	t->slot->frees++;
	if (!is_gone && real.malloc_usable_size)
		t->slot->usable_live -= real.malloc_usable_size(block);
}

/* ---- what the wrappers call ----------------------------------------------------------------------------------- */

void heap_alloc(const struct regs *from, enum rsd_api api, void *block, size_t size)
{
	struct thread *t = thread_enter();

	if (unlikely(!t))
		return;
	if (heap_is_counted)
		count_alloc(t, block, size);
	if (heap_mode == RSD_HEAP_EXACT)
		heap_exact_alloc(t, from, api, clock_now(), block, size);
	else if (heap_mode == RSD_HEAP_SAMPLE)
		sample_alloc(t, from, api, block, size);
	thread_settle(t);
}

static void exact_free(struct thread *t, const struct regs *from, enum rsd_api api, void *block, uint64_t tick)
{
	if (heap_is_chosen(t, tick))
		heap_exact_free_at(t, from, api, block, tick);
	else
		heap_exact_free(t, api, block, tick);
}

void heap_free(const struct regs *from, enum rsd_api api, void *block, uint64_t tick)
{
	struct thread *t = thread_enter();

	if (unlikely(!t))
		return;
	if (heap_is_counted)
		count_free(t, block, tick != 0);
	if (heap_mode == RSD_HEAP_EXACT)
		exact_free(t, from, api, block, tick ? tick : clock_now());
	else if (heap_mode == RSD_HEAP_SAMPLE)
		sample_free(t, from, api, block, tick);
	thread_settle(t);
}

void heap_realloc(const struct regs *from, enum rsd_api api, uint64_t before, void *old, void *block, size_t size)
{
	struct thread *t = thread_enter();

	if (unlikely(!t))
		return;
	if (heap_is_counted) {
		count_free(t, old, true);
		count_alloc(t, block, size);
	}
	if (heap_mode == RSD_HEAP_EXACT) {
		heap_exact_realloc(t, from, api, before, clock_now(), old, block, size);
	} else if (heap_mode == RSD_HEAP_SAMPLE) {
		sample_free(t, from, api, old, before);
		sample_alloc(t, from, api, block, size);
	}
	thread_settle(t);
}

/* ---- modes ---------------------------------------------------------------------------------------------------- */

static bool begin_sampling(void)
{
	return sampled_begin() && live_begin();
}

/* Which allocations and frees come here at all, see hook_heap.c. */
static void enter_mode(enum rsd_heap_mode mode)
{
	if (mode != RSD_HEAP_EXACT && !heap_is_counted && !heap_has_boot_blocks)
		sampled_switch(mode == RSD_HEAP_OFF);
	__atomic_store_n(&heap_mode, mode, __ATOMIC_RELEASE);
	heap_update();
}

void heap_update(void)
{
	life->is_heap_plain =
		life->state == LIFE_RECORDING && heap_mode == RSD_HEAP_EXACT && !heap_is_counted && clock_is_tsc;
}

void heap_begin_thread(struct thread *t)
{
	t->counted_skip_bytes = 0;
	t->skip_bytes = heap_mode == RSD_HEAP_OFF ? UINT64_MAX : 0;
	t->timing = HEAP_UNTIMED;
	t->is_watched_next = false;
	t->free_limit = free_limit;
	plan_attention(t);
}

void heap_begin(void)
{
	heap_is_counted = config.heap != RSD_HEAP_OFF && (config.heaptrace || config.inittrace);
	budget_grace_ticks = clock_ticks(BUDGET_GRACE_NS);
	self_usual_ticks = clock_ticks(SELF_USUAL_NS);
	free_limit = config.freestack ? ((uint64_t)1 << 32) / config.freestack : 0;
	begin_timing();
	if (config.heap == RSD_HEAP_SAMPLE && !begin_sampling())
		config.heap = RSD_HEAP_OFF;
	has_degraded = 0;
	enter_mode((enum rsd_heap_mode)config.heap);
}

void heap_degrade(const char *why)
{
	char buf[256];
	struct text t = text_on(buf, sizeof(buf));

	/* Asked again and again once the limit is near; the table of sampled blocks is made once, by one thread. */
	if (heap_mode != RSD_HEAP_EXACT || __atomic_exchange_n(&has_degraded, 1, __ATOMIC_ACQ_REL) || !begin_sampling())
		return;
	enter_mode(RSD_HEAP_SAMPLE);
	file_count(COUNT_DEGRADED, 1);
	text_str(&t, why);
	text_str(&t, ": heap exact until ");
	text_duration(&t, clock_ns(clock_now() - file_header->start.tick));
	text_str(&t, ", then sampled; frees of older blocks are not seen after that");
	meta_notice(buf);
}
