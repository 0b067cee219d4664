/* SPDX-License-Identifier: MIT */
/* reach_write.c - see reach_write.h. */
#include "preload/reach_write.h"

#include "preload/file.h"
#include "preload/raw.h"

#define FIRST_UNITS 1u
#define UNITS 16u

static char *place(const struct reach_writer *w)
{
	return (char *)(w->ext + 1) + w->at;
}

static uint64_t room(const struct reach_writer *w)
{
	return w->ext ? (uint64_t)w->ext->units * RSD_UNIT - sizeof(*w->ext) - w->at : 0;
}

static bool is_orphan(const struct reach_writer *w)
{
	return (uint32_t)raw1(SYS_getppid, 0) != w->parent;
}

static void next_extent(struct reach_writer *w)
{
	unsigned units = w->bytes ? UNITS : FIRST_UNITS;

	w->ext = NULL;
	if (w->is_full || w->bytes + units * RSD_UNIT > REACH_BYTES_MOST || is_orphan(w)) {
		w->is_full = true;
		return;
	}
	w->ext = file_extent(RSD_EXTENT_REACH, units, 0, w->number, 0);
	w->at = 0;
	if (!w->ext) {
		w->is_full = true;
		return;
	}
	w->bytes += units * RSD_UNIT;
	extent_publish(w->ext);
}

static void commit(struct reach_writer *w)
{
	__atomic_store_n(&w->ext->used, w->at, __ATOMIC_RELEASE);
}

void reach_put(struct reach_writer *w, struct rsd_reach head, const void *payload, size_t len)
{
	size_t size = (sizeof(head) + len + 7) & ~(size_t)7;

	if (room(w) < size)
		next_extent(w);
	/* The first extent is small: another one may be needed at once. */
	if (w->ext && room(w) < size)
		next_extent(w);
	if (!w->ext)
		return;
	head.len = (uint32_t)len;
	__builtin_memcpy(place(w), &head, sizeof(head));
	if (len)
		__builtin_memcpy(place(w) + sizeof(head), payload, len);
	w->at += size;
	commit(w);
}

void reach_open(struct reach_writer *w, enum rsd_reach_kind kind, uintptr_t from)
{
	w->open = NULL;
	if (room(w) < sizeof(*w->open) + 2 * POINTER_MAX)
		next_extent(w);
	if (!w->ext)
		return;
	w->open = (struct rsd_reach *)place(w);
	*w->open = (struct rsd_reach){ .kind = (uint16_t)kind, .from = from };
	w->at += sizeof(*w->open);
	w->stream = (struct pointer_stream){ from, from };
}

void reach_close(struct reach_writer *w, uintptr_t to)
{
	if (!w->open)
		return;
	w->open->to = to;
	w->open->len = (uint32_t)(place(w) - (char *)(w->open + 1));
	w->at = (w->at + 7) & ~(uint64_t)7;
	w->open = NULL;
	commit(w);
}

/* The record goes on in another extent. */
void reach_pointer_slow(struct reach_writer *w, uintptr_t location, uintptr_t value)
{
	enum rsd_reach_kind kind;

	if (!w->open) {
		w->cut++;
		return;
	}
	kind = (enum rsd_reach_kind)w->open->kind;
	reach_close(w, location);
	next_extent(w);
	reach_open(w, kind, location);
	if (!w->open) {
		w->cut++;
		return;
	}
	w->at += pointer_put((uint8_t *)place(w), &w->stream, location, value);
	w->pointers++;
}
