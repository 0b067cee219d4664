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
	return w->ext ? reach_capacity(w->ext) - w->at : 0;
}

static bool is_orphan(const struct reach_writer *w)
{
	return (uint32_t)raw1(SYS_getppid, 0) != w->parent;
}

/* When there is none, the last one stays: it has room for the end. */
static void next_extent(struct reach_writer *w)
{
	unsigned units = w->bytes ? UNITS : FIRST_UNITS;
	struct rsd_extent *ext = NULL;

	if (!w->is_full && w->bytes + units * RSD_UNIT <= REACH_BYTES_MOST && !is_orphan(w))
		ext = file_extent(RSD_EXTENT_REACH, units, 0, w->number, 0);
	if (!ext) {
		w->is_full = true;
		return;
	}
	w->ext = ext;
	w->at = 0;
	w->bytes += units * RSD_UNIT;
	extent_publish(w->ext);
}

static void commit(struct reach_writer *w)
{
	__atomic_store_n(&w->ext->used, w->at, __ATOMIC_RELEASE);
}

static void append(struct reach_writer *w, const struct rsd_reach *head, const void *payload)
{
	__builtin_memcpy(place(w), head, sizeof(*head));
	if (head->len)
		__builtin_memcpy(place(w) + sizeof(*head), payload, head->len);
	w->at += (sizeof(*head) + head->len + 7) & ~(size_t)7;
	commit(w);
}

void reach_put(struct reach_writer *w, struct rsd_reach head, const void *payload, size_t len)
{
	size_t size = (sizeof(head) + len + 7) & ~(size_t)7;

	/* The first extent is small: behind it another one may be needed at once. */
	for (int tries = 0; tries < 2 && room(w) < size && !w->is_full; tries++)
		next_extent(w);
	head.len = (uint32_t)len;
	if (!w->is_full && room(w) >= size)
		append(w, &head, payload);
}

void reach_put_end(struct reach_writer *w, const struct reach_end *end)
{
	struct rsd_reach head = { .kind = REACH_END, .len = sizeof(*end) };

	if (w->ext && !is_orphan(w))
		append(w, &head, end);
}

void reach_open(struct reach_writer *w, enum rsd_reach_kind kind, uintptr_t from)
{
	w->open = NULL;
	if (room(w) < sizeof(*w->open) + 2 * POINTER_MAX)
		next_extent(w);
	if (w->is_full)
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
