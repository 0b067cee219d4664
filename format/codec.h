/* SPDX-License-Identifier: MIT */
/*
 * codec.h - the short forms of the two hot shapes, writer and reader side by side.
 *
 * Tight, where little happened since the record before. FREE and REALLOC_FREE are the first 4 bytes of this, MALLOC,
 * CALLOC and REALLOC_ALLOC all 8:
 *
 *      31            20 19  16 15              4 3   0     31        20 19                  0
 *     +----------------+------+-----------------+-----+   +------------+---------------------+
 *     | offset / 16    | group| tick delta      | tag |   | size       | stack               |
 *     +----------------+------+-----------------+-----+   +------------+---------------------+
 *
 * Compact. FREE and REALLOC_FREE, 8 bytes:
 *
 *      63                              28 27                    4 3   0
 *     +----------------------------------+-----------------------+-----+
 *     | address delta / 8, signed 36 bit | tick delta, 24 bit    | tag |
 *     +----------------------------------+-----------------------+-----+
 *
 * MALLOC, CALLOC and REALLOC_ALLOC, 12 bytes:
 *
 *      63       56 55                  28 27                    4 3   0     31    24 23            0
 *     +-----------+----------------------+-----------------------+-----+   +--------+---------------+
 *     | size 0..7 | addr. delta / 8, s28 | tick delta, 24 bit    | tag |   | size 8+| stack, 24 bit |
 *     +-----------+----------------------+-----------------------+-----+   +--------+---------------+
 *
 * FREE_AT is a FREE that is followed by 4 bytes with its stack, in both forms.
 *
 * The tag of a tight form is that of the compact one plus RSD_TAG_TIGHT. Tick deltas are to the previous record of the
 * extent (its base for the first). Compact address deltas are to the previous address. A tight form says where in a
 * place of 64 KiB the address is, and the place is the last one of its group: allocators keep blocks of one size
 * together, so a program goes back and forth between a few places. What fits neither is written as the long struct
 * of record.h. Every record, in whatever form, sets the previous tick; the heap shapes (alloc, free) also set the
 * previous address and the last place of its group.
 */
#ifndef RINGSIDE_FORMAT_CODEC_H
#define RINGSIDE_FORMAT_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "format/record.h"

#define CODEC_TICK_BITS 24
#define CODEC_FREE_ADDR_BITS 36
#define CODEC_ALLOC_ADDR_BITS 28
#define CODEC_SIZE_MAX 0xffffu
#define CODEC_STACK_MAX 0xffffffu
#define CODEC_TIGHT_TICK_BITS 12
#define CODEC_PLACE_BITS 16 /* a place is 64 KiB */
#define CODEC_TIGHT_SIZE_BITS 12
#define CODEC_TIGHT_STACK_BITS 20
#define CODEC_RECORD_MAX 128u /* no record of ours is longer */

/* The group of a place: spread, since places that are in use at one time lie in equal distances. */
static inline unsigned codec_group(uint64_t place)
{
	return (unsigned)(place * UINT64_C(0x9e3779b97f4a7c15) >> 60);
}

/* codec_move_to - after a record with an address: where the stream stands now. */
static inline void codec_move_to(struct rsd_stream *stream, uint64_t tick, uint64_t addr)
{
	uint64_t place = addr >> CODEC_PLACE_BITS;

	stream->tick = tick;
	stream->addr = addr;
	stream->place[codec_group(place)] = place;
}

static inline bool codec_fits_signed(int64_t value, int bits)
{
	return (uint64_t)(value + (INT64_C(1) << (bits - 1))) >> bits == 0;
}

/*
 * The first word of a tight form, or 0 when it does not fit. One test for tick, alignment and place, since this is on
 * the hottest path; `excess`: what else must be 0.
 */
static inline uint32_t codec_tight(const struct rsd_stream *stream, enum rsd_tag tag, uint64_t tick, uint64_t addr,
				   uint64_t excess)
{
	uint64_t place = addr >> CODEC_PLACE_BITS, tick_delta = tick - stream->tick;
	unsigned group = codec_group(place);

	excess |= tick_delta >> CODEC_TIGHT_TICK_BITS | (addr & 15) | (place ^ stream->place[group]);
	if (__builtin_expect(excess != 0, 0))
		return 0;
	return ((uint32_t)tag + RSD_TAG_TIGHT) | (uint32_t)tick_delta << 4 | group << 16 | (uint32_t)addr << 16;
}

/*
 * codec_put_tight_free - the tight form of a free at `p`; tag: of the compact form.
 * codec_put_tight_alloc - that of an allocation.
 *
 * Returns:  4 or 8 and the stream has moved on; 0 when it does not fit, then nothing was written.
 * Cost:     three stores.
 */
static inline size_t codec_put_tight_free(void *p, struct rsd_stream *stream, enum rsd_tag tag, uint64_t tick,
					  uint64_t addr)
{
	uint32_t word = codec_tight(stream, tag, tick, addr, 0);

	if (__builtin_expect(!word, 0))
		return 0;
	__builtin_memcpy(p, &word, 4);
	stream->tick = tick;
	stream->addr = addr;
	return 4;
}

static inline size_t codec_put_tight_alloc(void *p, struct rsd_stream *stream, enum rsd_tag tag, uint64_t tick,
					   uint64_t addr, uint64_t size, uint32_t stack)
{
	uint64_t word =
		codec_tight(stream, tag, tick, addr, size >> CODEC_TIGHT_SIZE_BITS | stack >> CODEC_TIGHT_STACK_BITS);

	if (__builtin_expect(!word, 0))
		return 0;
	word |= (size << CODEC_TIGHT_STACK_BITS | stack) << 32;
	__builtin_memcpy(p, &word, 8);
	stream->tick = tick;
	stream->addr = addr;
	return 8;
}

/* codec_put_free - the shortest form of a free. Returns 4, 8, or 0 when it fits neither and nothing was written. */
static inline size_t codec_put_free(void *p, struct rsd_stream *stream, enum rsd_tag tag, uint64_t tick, uint64_t addr)
{
	uint64_t tick_delta = tick - stream->tick;
	int64_t addr_delta = (int64_t)(addr - stream->addr);
	size_t tight = codec_put_tight_free(p, stream, tag, tick, addr);
	uint64_t word;

	if (tight)
		return tight;
	if (tick_delta >> CODEC_TICK_BITS || addr_delta & 7 ||
	    !codec_fits_signed(addr_delta >> 3, CODEC_FREE_ADDR_BITS))
		return 0;
	word = (uint64_t)tag | tick_delta << 4 | (uint64_t)(addr_delta >> 3) << 28;
	__builtin_memcpy(p, &word, 8);
	codec_move_to(stream, tick, addr);
	return 8;
}

/* codec_put_free_at - the shortest form of a free with its stack. Returns 8, 12, or 0 when it fits neither. */
static inline size_t codec_put_free_at(void *p, struct rsd_stream *stream, uint64_t tick, uint64_t addr, uint32_t stack)
{
	size_t len = codec_put_free(p, stream, RSD_TAG_FREE, tick, addr);
	uint8_t *first = p;

	if (!len)
		return 0;
	*first = (uint8_t)((*first & 0xf0) | (len == 4 ? RSD_TAG_TIGHT_FREE_AT : RSD_TAG_FREE_AT));
	__builtin_memcpy(first + len, &stack, 4);
	return len + 4;
}

/* codec_put_alloc - the shortest form of an allocation. Returns 8, 12, or 0 when it fits neither. */
static inline size_t codec_put_alloc(void *p, struct rsd_stream *stream, enum rsd_tag tag, uint64_t tick, uint64_t addr,
				     uint64_t size, uint32_t stack)
{
	uint64_t tick_delta = tick - stream->tick;
	int64_t addr_delta = (int64_t)(addr - stream->addr);
	size_t tight = codec_put_tight_alloc(p, stream, tag, tick, addr, size, stack);
	uint64_t word;
	uint32_t rest;

	if (tight)
		return tight;
	if (tick_delta >> CODEC_TICK_BITS || size > CODEC_SIZE_MAX || stack > CODEC_STACK_MAX || addr_delta & 7 ||
	    !codec_fits_signed(addr_delta >> 3, CODEC_ALLOC_ADDR_BITS))
		return 0;
	word = (uint64_t)tag | tick_delta << 4 | ((uint64_t)(addr_delta >> 3) & 0xfffffff) << 28 | size << 56;
	rest = stack | (uint32_t)(size >> 8) << 24;
	__builtin_memcpy(p, &word, 8);
	__builtin_memcpy((char *)p + 8, &rest, 4);
	codec_move_to(stream, tick, addr);
	return 12;
}

/* What a short form holds besides tick and address, which are in the stream. */
struct codec_short {
	enum rsd_tag tag; /* of the compact form: RSD_TAG_FREE to RSD_TAG_REALLOC_FREE */
	uint32_t stack;	  /* of a free 0, unless it has one */
	uint64_t size;	  /* of a free 0 */
};

static inline int64_t codec_sign_extend(uint64_t value, int bits)
{
	return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

static inline bool codec_is_free(enum rsd_tag tag)
{
	return tag == RSD_TAG_FREE || tag == RSD_TAG_REALLOC_FREE;
}

static inline size_t codec_get_tight(const void *p, size_t left, struct rsd_stream *stream, struct codec_short *out)
{
	uint32_t word, rest;

	__builtin_memcpy(&word, p, 4);
	out->tag = (enum rsd_tag)((word & 15) - RSD_TAG_TIGHT);
	if (!codec_is_free(out->tag)) {
		if (left < 8)
			return 0;
		__builtin_memcpy(&rest, (const char *)p + 4, 4);
		out->size = rest >> CODEC_TIGHT_STACK_BITS;
		out->stack = rest & ((1u << CODEC_TIGHT_STACK_BITS) - 1);
	}
	stream->tick += word >> 4 & ((1u << CODEC_TIGHT_TICK_BITS) - 1);
	stream->addr = stream->place[word >> 16 & (RSD_GROUPS - 1)] << CODEC_PLACE_BITS | (word >> 16 & 0xfff0);
	return codec_is_free(out->tag) ? 4 : 8;
}

static inline size_t codec_get_compact(const void *p, size_t left, struct rsd_stream *stream, struct codec_short *out)
{
	uint64_t word;
	uint32_t rest;
	int64_t addr_delta;

	if (left < 8)
		return 0;
	__builtin_memcpy(&word, p, 8);
	out->tag = (enum rsd_tag)(word & 15);
	addr_delta = codec_sign_extend(word >> 28, CODEC_FREE_ADDR_BITS);
	if (!codec_is_free(out->tag)) {
		if (left < 12)
			return 0;
		__builtin_memcpy(&rest, (const char *)p + 8, 4);
		out->size = word >> 56 | (rest >> 24) << 8;
		out->stack = rest & CODEC_STACK_MAX;
		addr_delta = codec_sign_extend(word >> 28 & 0xfffffff, CODEC_ALLOC_ADDR_BITS);
	}
	codec_move_to(stream, stream->tick + (word >> 4 & 0xffffff), stream->addr + (uint64_t)addr_delta * 8);
	return codec_is_free(out->tag) ? 8 : 12;
}

/* FREE_AT: as FREE, and then the stack. */
static inline size_t codec_get_free_at(const void *p, size_t left, struct rsd_stream *stream, struct codec_short *out)
{
	bool is_tight = (*(const uint8_t *)p & 15) == RSD_TAG_TIGHT_FREE_AT;
	size_t len = is_tight ? 4 : 8;
	uint64_t word = 0;

	if (left < len + 4)
		return 0;
	__builtin_memcpy(&word, p, len);
	word = (word & ~UINT64_C(15)) | (is_tight ? RSD_TAG_FREE + RSD_TAG_TIGHT : RSD_TAG_FREE);
	if (is_tight)
		codec_get_tight(&word, len, stream, out);
	else
		codec_get_compact(&word, len, stream, out);
	__builtin_memcpy(&out->stack, (const char *)p + len, 4);
	return len + 4;
}

/*
 * codec_get_short - decode the record at `p`, of which `left` (4 or more) bytes are readable, if it is in a short form.
 *
 * stream:   moved on to this record.
 * Returns:  its length, or 0 when it is long or no record: then nothing has changed but *out.
 */
static inline size_t codec_get_short(const void *p, size_t left, struct rsd_stream *stream, struct codec_short *out)
{
	unsigned tag = *(const uint8_t *)p & 15;

	out->size = out->stack = 0;
	if (tag >= RSD_TAG_FREE + RSD_TAG_TIGHT && tag <= RSD_TAG_REALLOC_FREE + RSD_TAG_TIGHT)
		return codec_get_tight(p, left, stream, out);
	if (tag >= RSD_TAG_FREE && tag <= RSD_TAG_REALLOC_FREE)
		return codec_get_compact(p, left, stream, out);
	if (tag == RSD_TAG_FREE_AT || tag == RSD_TAG_TIGHT_FREE_AT)
		return codec_get_free_at(p, left, stream, out);
	return 0;
}

/*
 * One decoded record: the fields of its shape are set, the rest is 0. For short forms kind, tick, addr,
 * size, stack and api are set as the long form would.
 */
struct rsd_event {
	enum rsd_event_kind kind;
	uint64_t tick;
	union {
		struct rec_alloc alloc;
		struct rec_free free;
		struct rec_pages pages;
		struct rec_span span;
		struct rec_hold hold;
		struct rec_wake wake;
		struct rec_order order;
		struct rec_sample sample;
		struct rec_thread thread;
		struct rec_fd fd;
		struct rec_note note;
		struct rec_pool pool;
		struct rec_proc proc;
		struct rec_timed timed;
		struct rec_memory memory;
	};
};

/*
 * codec_get - decode the record at `p` of which `left` bytes are readable.
 *
 * stream:   moved on to this record.
 * Returns:  its length in bytes (a multiple of 4); ev->kind may be a number that this version does not know,
 *           then only kind and tick are set. 0 when the bytes are no record: damaged, or longer than `left`.
 */
size_t codec_get(const void *p, size_t left, struct rsd_stream *stream, struct rsd_event *ev);

#endif
