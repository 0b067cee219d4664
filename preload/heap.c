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

uint32_t heap_mode = RSD_HEAP_OFF;
bool heap_is_counted, heap_has_boot_blocks;
static uint32_t has_degraded; /* or is about to */
static uint64_t budget_grace_ticks, self_usual_ticks;

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
			  void *block)
{
	struct rec_free record = { .addr = (uintptr_t)block, .api = api };

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
		put_long_free(t, lane, kind, api, now, block);
}

/* ---- what recording costs ------------------------------------------------------------------------------------- */

/* budget=PERCENT: after a first while, a thread whose recording costs more than its share makes all sample. */
static void keep_budget(struct thread *t, uint64_t now)
{
	uint64_t elapsed = now - t->slot->start_tick;

	if (elapsed > budget_grace_ticks && t->slot->self_ticks > elapsed / 100 * config.budget)
		heap_degrade("budget");
}

__attribute__((noinline)) void heap_add_self(struct thread *t, uint64_t since)
{
	uint64_t ticks = clock_now() - since;

	if (ticks < self_usual_ticks)
		t->slot->self_ticks += ticks * RSD_SELF_EVERY;
	if (unlikely(config.budget))
		keep_budget(t, since);
}

/* ---- sampled -------------------------------------------------------------------------------------------------- */

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

static void sample_free(struct thread *t, enum rsd_api api, void *block, uint64_t tick)
{
	struct lane *lane;
	uint32_t entry;

	if (likely(!sampled_remove(block, &entry)))
		return;
	live_remove(entry);
	lane = lane_enter(t);
	if (!lane)
		return;
	heap_put_free(t, lane, EV_FREE, api, tick ? tick : clock_now(), block);
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

void heap_free(enum rsd_api api, void *block, uint64_t tick)
{
	struct thread *t = thread_enter();

	if (unlikely(!t))
		return;
	if (heap_is_counted)
		count_free(t, block, tick != 0);
	if (heap_mode == RSD_HEAP_EXACT)
		heap_exact_free(t, api, block, tick ? tick : clock_now());
	else if (heap_mode == RSD_HEAP_SAMPLE)
		sample_free(t, api, block, tick);
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
		sample_free(t, api, old, before);
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
}

void heap_begin(void)
{
	heap_is_counted = config.heap != RSD_HEAP_OFF && (config.heaptrace || config.inittrace);
	budget_grace_ticks = clock_ticks(BUDGET_GRACE_NS);
	self_usual_ticks = clock_ticks(SELF_USUAL_NS);
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
