/* SPDX-License-Identifier: MIT */
/*
 * early.h - frees that come a moment before the allocation of their block.
 *
 * The processor reads its time stamp counter when it likes: a thread that takes a pointer from another one and frees it
 * at once may be stamped while it still waits for the pointer, up to some hundred ns before the allocation was. A fence
 * before the reading costs 11 ns each (measured: 0 of 25 recordings of a program that does nothing else were wrong,
 * instead of 17); to remember the last frees of unknown blocks costs nothing.
 */
#ifndef RINGSIDE_EARLY_H
#define RINGSIDE_EARLY_H

#include "analyzer/read/pass.h"

#define EARLY_MAX 32u
#define EARLY_NS 2000u

/* Ready when zeroed, but for the window. */
struct early {
	struct pass_event list[EARLY_MAX];
	unsigned len;
	uint64_t window;   /* ticks */
	uint64_t given_up; /* frees of blocks that never came */
};

/* early_init - is_whole: the recording has every allocation from the start. */
void early_init(struct early *e, const struct clock *clock, bool is_whole);

/* early_is_whole - an exact recording without a ring or limit. */
bool early_is_whole(const struct recording *rec);

/* early_add - a free of a block that is not known. */
void early_add(struct early *e, const struct pass_event *free);

/* early_find - the free that belongs to this allocation, taken out; false: none. */
bool early_find(struct early *e, const struct pass_event *alloc, struct pass_event *free);

/* early_take - the same, when there is anything to look for. */
static inline bool early_take(struct early *e, const struct pass_event *alloc, struct pass_event *free)
{
	return __builtin_expect(e->len != 0, 0) && early_find(e, alloc, free);
}

/* early_unknown - all frees of blocks that never came; after the pass. */
static inline uint64_t early_unknown(const struct early *e)
{
	return e->given_up + e->len;
}

#endif
