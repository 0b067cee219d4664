/* SPDX-License-Identifier: MIT */
/*
 * reach_write.h - records of a snapshot into the dump, by the copy of the process that makes it.
 *
 * The copy shares nothing with the process but the file: extents are taken by the same atomic add. When the process has
 * ended without waiting, its dump may be cut any moment: then nothing is taken any more.
 */
#ifndef RINGSIDE_PRELOAD_REACH_WRITE_H
#define RINGSIDE_PRELOAD_REACH_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/pointers.h"
#include "format/record.h"

#define REACH_BYTES_MOST ((uint64_t)1 << 30) /* of one snapshot in the dump */

struct reach_writer {
	uint32_t number, parent;
	struct rsd_extent *ext;
	uint64_t at; /* bytes of ext, the open record included */
	uint64_t bytes;
	bool is_full;
	struct rsd_reach *open; /* a record that pointers are put into */
	struct pointer_stream stream;
	uint64_t pointers, cut;
};

/* reach_put - one whole record; `head` has no length yet. Payloads of up to 32 KiB. */
void reach_put(struct reach_writer *w, struct rsd_reach head, const void *payload, size_t len);

/* reach_put_end - REACH_END, for which there is always room. */
void reach_put_end(struct reach_writer *w, const struct reach_end *end);

/* reach_open - pointers from `from` on come now, until reach_close says where they end. */
void reach_open(struct reach_writer *w, enum rsd_reach_kind kind, uintptr_t from);
void reach_close(struct reach_writer *w, uintptr_t to);
void reach_pointer_slow(struct reach_writer *w, uintptr_t location, uintptr_t value);

/* Bytes for data in an extent, without those that are kept for the end. */
static inline uint64_t reach_capacity(const struct rsd_extent *ext)
{
	return (uint64_t)ext->units * RSD_UNIT - sizeof(*ext) - sizeof(struct rsd_reach) - sizeof(struct reach_end);
}

static inline bool reach_has_room(const struct reach_writer *w)
{
	return w->open && w->at + POINTER_MAX + 8 <= reach_capacity(w->ext);
}

/* reach_pointer - `value` stands at `location`, which is above the one before. */
static inline void reach_pointer(struct reach_writer *w, uintptr_t location, uintptr_t value)
{
	if (__builtin_expect(!reach_has_room(w), 0)) {
		reach_pointer_slow(w, location, value);
		return;
	}
	w->at += pointer_put((uint8_t *)(w->ext + 1) + w->at, &w->stream, location, value);
	w->pointers++;
}

#endif
