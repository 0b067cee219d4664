/* SPDX-License-Identifier: MIT */
/* birth.c - packets for new threads, from a lock-free list of slots in mapped memory. */
#include "preload/birth.h"

#include "preload/raw.h"
#include "preload/thread.h"

#define PACKETS 1024u

struct birth {
	uint32_t is_used;
	uint32_t creator;
	uint32_t stack;
	uintptr_t start;
	void *arg;
};

static struct birth *packets;

static struct birth *packet_take(void)
{
	struct birth *table = __atomic_load_n(&packets, __ATOMIC_ACQUIRE), *mine;

	if (!table) {
		mine = raw_map(PACKETS * sizeof(*mine));
		if (!mine)
			return NULL;
		if (__atomic_compare_exchange_n(&packets, &table, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			table = mine;
		else
			raw_unmap(mine, PACKETS * sizeof(*mine));
	}
	for (unsigned i = 0; i < PACKETS; i++) {
		uint32_t is_free = 0;

		if (!__atomic_load_n(&table[i].is_used, __ATOMIC_RELAXED) &&
		    __atomic_compare_exchange_n(&table[i].is_used, &is_free, 1, false, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED))
			return &table[i];
	}
	return NULL;
}

struct birth *birth_make(struct regs from, uintptr_t start, void *arg)
{
	struct thread *t = thread_enter();
	struct birth *birth = t ? packet_take() : NULL;
	struct lane *lane;

	if (t && !birth)
		thread_settle(t);
	if (!birth)
		return NULL;
	birth->creator = t->index + 1;
	birth->start = start;
	birth->arg = arg;
	birth->stack = 0;
	lane = lane_enter(t);
	if (lane) {
		birth->stack = lane_stack(lane, &from);
		lane_leave(t, lane);
	}
	return birth;
}

void birth_packets(uintptr_t *from, uintptr_t *to)
{
	*from = (uintptr_t)__atomic_load_n(&packets, __ATOMIC_ACQUIRE);
	*to = *from ? *from + PACKETS * sizeof(*packets) : 0;
}

void birth_free(struct birth *birth)
{
	birth->arg = NULL; /* what it pointed to is not pointed to from here any more, see reach.h */
	__atomic_store_n(&birth->is_used, 0, __ATOMIC_RELEASE);
}

/* Register the thread and free the packet; the start routine and its argument are returned. */
static struct birth begin(void *packet)
{
	struct birth birth = *(struct birth *)packet;
	struct thread_birth words = { birth.creator, birth.stack, birth.start };

	birth_free(packet);
	if (life->state == LIFE_RECORDING && !thread_self)
		thread_register(&words);
	return birth;
}

void *birth_start_posix(void *packet)
{
	struct birth birth = begin(packet);
	void *result = ((void *(*)(void *))birth.start)(birth.arg);

	thread_returns();
	return result;
}

int birth_start_c11(void *packet)
{
	struct birth birth = begin(packet);
	int result = ((int (*)(void *))birth.start)(birth.arg);

	thread_returns();
	return result;
}
