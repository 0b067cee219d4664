/* SPDX-License-Identifier: MIT */
/*
 * wire.h - protocol buffers, read field by field out of bytes that may be anything. What exports/proto.h writes.
 *
 *     struct wire w = { data, data + size, NULL };
 *     struct wire_field f;
 *
 *     while (wire_next(&w, &f))
 *             ...
 *     if (w.fault)
 *             ... at w.at
 */
#ifndef RINGSIDE_IMPORTS_WIRE_H
#define RINGSIDE_IMPORTS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire {
	const uint8_t *at, *end;
	const char *fault; /* why it can't go on; NULL: it is well so far */
};

struct wire_field {
	uint32_t number;
	bool is_bytes;	     /* else a number */
	uint64_t value;	     /* the number */
	const uint8_t *data; /* the bytes: a text, a message or packed numbers */
	size_t len;
};

/* wire_next - false at the end and at a fault. Groups, which nobody writes any more, are a fault. */
bool wire_next(struct wire *w, struct wire_field *f);

/* wire_varint - one number. */
bool wire_varint(struct wire *w, uint64_t *value);

/* wire_inside - the bytes of a field as a message of its own; empty for a number. */
struct wire wire_inside(const struct wire_field *f);

#endif
