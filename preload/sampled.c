/* SPDX-License-Identifier: MIT */
/* sampled.c - see sampled.h. Memory is reserved once and touched as it fills. */
#include "preload/sampled.h"

#include <stddef.h>

#include "preload/raw.h"

#define SLOTS ((size_t)1 << 20)
#define PROBES 64u
#define FILTER ((size_t)1 << SAMPLED_FILTER_BITS)
#define GONE 1u /* a slot that was used: searches go on behind it */

const uint8_t *sampled_filter;
static uint64_t *slots;
static uint32_t *numbers; /* by slot: written by who added the block, read by who frees it */
static uint8_t *filter;
static uint8_t no_filter[FILTER]; /* never written: one page of zeros, mapped 16 times */

bool sampled_begin(void)
{
	slots = raw_map(SLOTS * sizeof(*slots));
	numbers = raw_map(SLOTS * sizeof(*numbers));
	filter = raw_map(FILTER);
	return slots && numbers && filter;
}

void sampled_switch(bool is_off)
{
	__atomic_store_n(&sampled_filter, is_off ? no_filter : filter, __ATOMIC_RELEASE);
}

/*
 * Upper bits for both: the low ones of a product know only the low ones of the address, and blocks some MiB apart,
 * as large ones are, would all want one slot.
 */
static uint64_t first_slot(uint64_t h)
{
	return h >> 28;
}

static void filter_change(uint64_t h, int by)
{
	uint8_t *at = &filter[h >> (64 - SAMPLED_FILTER_BITS)], old = __atomic_load_n(at, __ATOMIC_RELAXED);

	do
		if (old == 255)
			return;
	while (!__atomic_compare_exchange_n(at, &old, (uint8_t)(old + by), true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
}

bool sampled_add(void *block, uint32_t number)
{
	uint64_t h = sampled_hash(block);

	filter_change(h, 1);
	for (unsigned i = 0; i < PROBES; i++) {
		uint64_t *at = &slots[(first_slot(h) + i) % SLOTS], old = __atomic_load_n(at, __ATOMIC_RELAXED);

		if (old > GONE)
			continue;
		if (__atomic_compare_exchange_n(at, &old, (uint64_t)(uintptr_t)block, false, __ATOMIC_RELEASE,
						__ATOMIC_RELAXED)) {
			__atomic_store_n(&numbers[at - slots], number, __ATOMIC_RELAXED);
			return true;
		}
	}
	filter_change(h, -1);
	return false;
}

bool sampled_remove(void *block, uint32_t *number)
{
	uint64_t h = sampled_hash(block);

	if (__builtin_expect(!__atomic_load_n(&filter[h >> (64 - SAMPLED_FILTER_BITS)], __ATOMIC_RELAXED), 1))
		return false;
	for (unsigned i = 0; i < PROBES; i++) {
		uint64_t *at = &slots[(first_slot(h) + i) % SLOTS], old = __atomic_load_n(at, __ATOMIC_ACQUIRE);

		if (!old)
			return false;
		if (old == (uint64_t)(uintptr_t)block) {
			*number = __atomic_load_n(&numbers[at - slots], __ATOMIC_RELAXED);
			__atomic_store_n(at, GONE, __ATOMIC_RELEASE);
			filter_change(h, -1);
			return true;
		}
	}
	return false;
}
