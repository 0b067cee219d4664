/* SPDX-License-Identifier: MIT */
#include "analyzer/imports/wire.h"

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

bool wire_varint(struct wire *w, uint64_t *value)
{
	unsigned shift = 0;

	*value = 0;
	for (const uint8_t *at = w->at; at < w->end && shift < 64; shift += 7) {
		*value |= (uint64_t)(*at & 0x7f) << shift;
		if (*at++ & 0x80)
			continue;
		w->at = at;
		return true;
	}
	w->fault = shift < 64 ? "a number that goes beyond the end" : "a number of more than 64 bits";
	return false;
}

static bool fixed(struct wire *w, size_t size, uint64_t *value)
{
	if ((size_t)(w->end - w->at) < size) {
		w->fault = "a number that goes beyond the end";
		return false;
	}
	*value = 0;
	for (size_t i = 0; i < size; i++)
		*value |= (uint64_t)*w->at++ << 8 * i;
	return true;
}

static bool bytes(struct wire *w, struct wire_field *f)
{
	uint64_t len;

	if (!wire_varint(w, &len))
		return false;
	if (len > (size_t)(w->end - w->at)) {
		w->fault = "a field that goes beyond the end";
		return false;
	}
	f->is_bytes = true;
	f->data = w->at;
	f->len = (size_t)len;
	w->at += len;
	return true;
}

bool wire_next(struct wire *w, struct wire_field *f)
{
	uint64_t tag;

	*f = (struct wire_field){ 0 };
	if (w->fault || w->at == w->end || !wire_varint(w, &tag))
		return false;
	f->number = tag >> 3 <= UINT32_MAX ? (uint32_t)(tag >> 3) : 0;
	if (f->number)
		switch (tag & 7) {
		case VARINT:
			return wire_varint(w, &f->value);
		case FIXED64:
			return fixed(w, 8, &f->value);
		case FIXED32:
			return fixed(w, 4, &f->value);
		case BYTES:
			return bytes(w, f);
		default:
			break;
		}
	w->fault = "a field of no known kind";
	return false;
}

struct wire wire_inside(const struct wire_field *f)
{
	return (struct wire){ .at = f->data, .end = f->is_bytes ? f->data + f->len : f->data };
}
