/* SPDX-License-Identifier: MIT */
/*
 * notes.c - the recorder's end of include/ringside.h.
 *
 * Names are few and come as literals: their string ids are cached by address and checked by content. Messages are
 * stored as they come.
 */
#include <ringside.h>

#include "preload/file.h"
#include "preload/hook.h"
#include "preload/raw.h"
#include "preload/reach.h"
#include "preload/text.h"
#include "preload/thread.h"

#define NAMES 1024u
#define NAME_MAX_LEN 63u

struct name {
	const char *at; /* NULL: free; set last */
	uint32_t id;
	char text[NAME_MAX_LEN + 1];
};

static struct name *names;
static uint64_t next_id;
static uint32_t names_generation; /* of the dump the ids belong to, which may lie where that of the parent lay */

EXPORT uint64_t ringside_note_v1(int op, uint64_t id, uint64_t parent, const char *name, const char *text,
				 double value);
EXPORT void ringside_pool_v1(int op, const void *pool, const char *name, const void *block, size_t size);

static struct name *name_table(void)
{
	struct name *table = __atomic_load_n(&names, __ATOMIC_ACQUIRE), *mine;

	if (table && names_generation == file_generation)
		return table;
	mine = raw_map(NAMES * sizeof(*mine));
	if (!mine)
		return NULL;
	names_generation = file_generation;
	/* Another thread may do the same: one table is lost, no name is. */
	__atomic_store_n(&names, mine, __ATOMIC_RELEASE);
	return mine;
}

static uint32_t name_id(const char *s)
{
	struct name *table = name_table(), *n;
	const char *none = NULL;
	size_t len;

	if (!s)
		return 0;
	len = text_len(s);
	if (!table || len > NAME_MAX_LEN)
		return meta_string(s, len);
	n = &table[((uintptr_t)s * 0x9e3779b97f4a7c15u) >> 54];
	if (__atomic_load_n(&n->at, __ATOMIC_ACQUIRE) == s && text_same(n->text, s))
		return n->id;
	if (!__atomic_compare_exchange_n(&n->at, &none, (const char *)1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return meta_string(s, len); /* the place belongs to another name */
	n->id = meta_string(s, len);
	__builtin_memcpy(n->text, s, len + 1);
	__atomic_store_n(&n->at, s, __ATOMIC_RELEASE);
	return n->id;
}

static const uint8_t note_kinds[] = {
	[RINGSIDE_TASK_BEGIN] = EV_TASK_BEGIN,
	[RINGSIDE_TASK_END] = EV_TASK_END,
	[RINGSIDE_REGION_BEGIN] = EV_REGION_BEGIN,
	[RINGSIDE_REGION_END] = EV_REGION_END,
	[RINGSIDE_LOG] = EV_LOG,
	[RINGSIDE_COUNTER] = EV_COUNTER,
	[RINGSIDE_MARK] = EV_MARK,
};

EXPORT uint64_t ringside_note_v1(int op, uint64_t id, uint64_t parent, const char *name, const char *text, double value)
{
	struct regs from = REGS_OF_CALLER();
	struct rec_note record = { .id = id, .parent = parent };
	struct thread *t;
	struct lane *lane;

	if (op < 0 || op > RINGSIDE_MARK || !note_kinds[op] || !(t = thread_enter()))
		return 0;
	if (op == RINGSIDE_TASK_BEGIN || op == RINGSIDE_REGION_BEGIN)
		record.id = __atomic_add_fetch(&next_id, 1, __ATOMIC_RELAXED);
	lane = lane_enter(t);
	if (!lane)
		return record.id;
	record.name = name_id(name);
	record.text = text ? meta_string(text, text_len(text)) : 0;
	__builtin_memcpy(&record.value, &value, sizeof(value));
	record.stack = lane_stack(lane, &from);
	lane_put(t, lane, (enum rsd_event_kind)note_kinds[op], clock_now(), &record, sizeof(record));
	lane_leave(t, lane);
	if (unlikely(op == RINGSIDE_MARK))
		reach_mark(record.name);
	return record.id;
}

EXPORT void ringside_pool_v1(int op, const void *pool, const char *name, const void *block, size_t size)
{
	struct regs from = REGS_OF_CALLER();
	struct rec_pool record = { .pool = (uintptr_t)pool, .addr = (uintptr_t)block, .size = size };
	struct thread *t = block ? thread_enter() : NULL;
	struct lane *lane = t ? lane_enter(t) : NULL;

	if (!lane)
		return;
	record.name = name_id(name);
	record.stack = lane_stack(lane, &from);
	lane_put(t, lane, op == RINGSIDE_POOL_ALLOC ? EV_POOL_ALLOC : EV_POOL_FREE, clock_now(), &record,
		 sizeof(record));
	lane_leave(t, lane);
}
