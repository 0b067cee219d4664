/* SPDX-License-Identifier: MIT */
/*
 * pointers.h - pairs of a place in memory and the pointer that stands there, packed; writer and reader side by side.
 *
 * Two numbers of 7 bits a byte, the lowest first, all but the last byte with the upper bit set:
 *
 *     (location - the last location) / 8
 *     the difference of value to the last value: (d << 1 ^ d >> 63) of d = difference / 8, times 2; when it is no
 *     multiple of 8, of d = difference, times 2 plus 1
 *
 * Locations are multiples of 8 and ascend. Both begin at `from` of the record (record.h).
 */
#ifndef RINGSIDE_FORMAT_POINTERS_H
#define RINGSIDE_FORMAT_POINTERS_H

#include <stddef.h>
#include <stdint.h>

#define POINTER_MAX 20u /* bytes of the longest pair */

struct pointer_stream {
	uint64_t location, value;
};

static inline size_t pointer_put_number(uint8_t *p, uint64_t number)
{
	size_t len = 0;

	for (; number >= 0x80; number >>= 7)
		p[len++] = (uint8_t)(number | 0x80);
	p[len++] = (uint8_t)number;
	return len;
}

/* 0 when no number of 64 bits ends within `left` bytes. */
static inline size_t pointer_get_number(const uint8_t *p, size_t left, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < left && i < 10; i++) {
		*number |= (uint64_t)(p[i] & 0x7f) << 7 * i;
		if (!(p[i] & 0x80))
			return i + 1;
	}
	return 0;
}

/* pointer_put - at most POINTER_MAX bytes at p; addresses are below 2^62. Returns how many. */
static inline size_t pointer_put(uint8_t *p, struct pointer_stream *s, uint64_t location, uint64_t value)
{
	int64_t d = (int64_t)(value - s->value);
	uint64_t odd = d & 7 ? 1 : 0;
	size_t len = pointer_put_number(p, (location - s->location) / 8);

	if (!odd)
		d /= 8;
	len += pointer_put_number(p + len, ((uint64_t)d << 1 ^ (uint64_t)(d >> 63)) << 1 | odd);
	s->location = location;
	s->value = value;
	return len;
}

/* pointer_get - the next pair into *s. Returns its length, 0 when there is none. */
static inline size_t pointer_get(const uint8_t *p, size_t left, struct pointer_stream *s)
{
	uint64_t step, d;
	size_t len = pointer_get_number(p, left, &step), more;

	if (!len)
		return 0;
	more = pointer_get_number(p + len, left - len, &d);
	if (!more)
		return 0;
	s->location += step * 8;
	s->value += (d >> 2 ^ -(d >> 1 & 1)) * (d & 1 ? 1 : 8);
	return len + more;
}

#endif
