/* SPDX-License-Identifier: MIT */
/* order.c - see order.h. */
#include "preload/order.h"

#include "preload/file.h"
#include "preload/raw.h"

#define SEEN_SLOTS 16384u
#define SEEN_PROBES 32u

bool order_is_on;

/* Hashes of what was held and what was taken; 0: free. One for the process: an order is told once. */
static uint64_t seen[SEEN_SLOTS];

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 32;
}

/* Has nobody told this order yet? Then it is told now. */
static bool is_new(uint64_t key)
{
	for (uint32_t i = 0; i < SEEN_PROBES; i++) {
		uint64_t *at = &seen[(key + i) % SEEN_SLOTS], old = __atomic_load_n(at, __ATOMIC_RELAXED);

		if (old == key)
			return false;
		if (!old)
			return __atomic_compare_exchange_n(at, &old, key, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	}
	return false; /* the table is full here: the order stays untold */
}

static void record(struct thread *t, const struct held_lock *held, uint32_t held_len, const void *lock,
		   enum rsd_wait kind, const void *site, const struct regs *from)
{
	struct rec_order record = { .held = (uintptr_t)held[held_len - 1].lock,
				    .taken = (uintptr_t)lock,
				    .held_site = (uintptr_t)held[held_len - 1].site,
				    .taken_site = (uintptr_t)site,
				    .held_wait = (uint16_t)held[held_len - 1].kind,
				    .taken_wait = (uint16_t)kind };
	struct lane *lane = lane_enter(t);

	if (!lane)
		return;
	for (uint32_t i = 0; i + 1 < held_len && i < RSD_ORDER_OTHERS; i++)
		record.others[i] = (uintptr_t)held[held_len - 2 - i].lock;
	record.stack = lane_stack(lane, from);
	lane_put(t, lane, EV_ORDER, clock_now(), &record, sizeof(record));
	lane_exit(lane);
}

void order_nested(struct thread *t, const void *lock, enum rsd_wait kind, const void *site, const struct regs *from)
{
	uint32_t len = t->held_len < HELD_MAX ? t->held_len : HELD_MAX;
	uint64_t key = 1;

	/* A lock that it holds already: a recursive mutex, a second read lock. */
	for (uint32_t i = 0; i < len; i++) {
		if (t->held[i].lock == lock)
			return;
		key = mix(key, (uintptr_t)t->held[i].lock);
	}
	key = mix(key, (uintptr_t)lock) | 1;
	if (unlikely(is_new(key)))
		record(t, t->held, len, lock, kind, site, from);
}

void order_remove(struct thread *t, const void *lock)
{
	uint32_t len = t->held_len;

	if (len > HELD_MAX) {
		t->held_len = len - 1; /* one of those that had no room, as far as can be told */
		return;
	}
	for (uint32_t i = len; i-- > 0;) {
		if (t->held[i].lock != lock)
			continue;
		for (; i + 1 < len; i++)
			t->held[i] = t->held[i + 1];
		t->held_len = len - 1;
		return;
	}
}
