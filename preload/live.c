/* SPDX-License-Identifier: MIT */
/* live.c - see live.h. Numbers of free entries are a stack; its head is tagged, so that a reused head differs. */
#include "preload/live.h"

#include <stddef.h>

#include "preload/file.h"
#include "preload/raw.h"

#define ENTRIES ((uint32_t)1 << 20)
#define EXTENTS (ENTRIES / RSD_LIVE_PER_UNIT + 1)

static struct rsd_extent *extents[EXTENTS];
static uint32_t *next_free; /* by entry number - 1 */
static uint64_t free_head;  /* tag << 32 | entry number */
static uint32_t made;

bool live_begin(void)
{
	for (unsigned i = 0; i < EXTENTS; i++)
		if (extents[i])
			extents[i] = NULL;
	free_head = made = 0;
	if (!next_free)
		next_free = raw_map(ENTRIES * sizeof(*next_free));
	return next_free != NULL;
}

static uint32_t pop(void)
{
	uint64_t head = __atomic_load_n(&free_head, __ATOMIC_ACQUIRE), next;

	do {
		if (!(uint32_t)head)
			return 0;
		next = ((head >> 32) + 1) << 32 | __atomic_load_n(&next_free[(uint32_t)head - 1], __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(&free_head, &head, next, true, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE));
	return (uint32_t)head;
}

static void push(uint32_t entry)
{
	uint64_t head = __atomic_load_n(&free_head, __ATOMIC_RELAXED), next;

	do {
		__atomic_store_n(&next_free[entry - 1], (uint32_t)head, __ATOMIC_RELAXED);
		next = ((head >> 32) + 1) << 32 | entry;
	} while (!__atomic_compare_exchange_n(&free_head, &head, next, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

static struct rsd_live *entry_at(uint32_t entry)
{
	struct rsd_extent *ext = __atomic_load_n(&extents[(entry - 1) / RSD_LIVE_PER_UNIT], __ATOMIC_ACQUIRE);

	return ext ? (struct rsd_live *)extent_data(ext) + (entry - 1) % RSD_LIVE_PER_UNIT : NULL;
}

/* An entry that never was: its extent is made by whoever comes first. Two may: the loser's stays unpublished. */
static struct rsd_live *make(uint32_t entry)
{
	uint32_t i = (entry - 1) / RSD_LIVE_PER_UNIT;
	struct rsd_extent *none = NULL, *ext;
	struct rsd_live *live;

	if (!__atomic_load_n(&extents[i], __ATOMIC_ACQUIRE)) {
		ext = file_extent(RSD_EXTENT_LIVE, 1, 0, i * RSD_LIVE_PER_UNIT + 1, sizeof(*ext));
		if (!ext)
			return NULL;
		if (__atomic_compare_exchange_n(&extents[i], &none, ext, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			extent_publish(ext);
	}
	live = entry_at(entry);
	return live && file_populate(live, sizeof(*live)) == 0 ? live : NULL;
}

static uint32_t fresh(void)
{
	uint32_t entry;

	if (__atomic_load_n(&made, __ATOMIC_RELAXED) >= ENTRIES)
		return 0;
	entry = __atomic_add_fetch(&made, 1, __ATOMIC_RELAXED);
	return entry <= ENTRIES && make(entry) ? entry : 0;
}

uint32_t live_add(const struct rsd_live *block)
{
	uint32_t entry = pop();
	struct rsd_live *live;

	if (!entry)
		entry = fresh();
	live = entry ? entry_at(entry) : NULL;
	if (!live)
		return 0;
	live->size = block->size;
	live->tick = block->tick;
	live->stack = block->stack;
	live->thread = block->thread;
	/* The address last: an entry without one is free. */
	__atomic_store_n(&live->addr, block->addr, __ATOMIC_RELEASE);
	return entry;
}

void live_remove(uint32_t entry)
{
	struct rsd_live *live = entry ? entry_at(entry) : NULL;

	/* A program that frees a block twice at once must not free the entry twice. */
	if (live && __atomic_exchange_n(&live->addr, 0, __ATOMIC_ACQ_REL))
		push(entry);
}
