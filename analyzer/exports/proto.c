/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "analyzer/exports/proto.h"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2 };

void proto_varint(struct buf *b, uint64_t value)
{
	char bytes[10];
	size_t len = 0;

	do {
		bytes[len] = (char)(value & 0x7f);
		value >>= 7;
		bytes[len++] |= (char)(value ? 0x80 : 0);
	} while (value);
	buf_add(b, bytes, len);
}

void proto_u64(struct buf *b, unsigned field, uint64_t value)
{
	if (value)
		proto_present(b, field, value);
}

void proto_present(struct buf *b, unsigned field, uint64_t value)
{
	proto_varint(b, field << 3 | WIRE_VARINT);
	proto_varint(b, value);
}

void proto_fixed64(struct buf *b, unsigned field, uint64_t value)
{
	char bytes[8];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(value >> 8 * i & 0xff);
	proto_varint(b, field << 3 | WIRE_FIXED64);
	buf_add(b, bytes, sizeof(bytes));
}

void proto_double(struct buf *b, unsigned field, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	proto_fixed64(b, field, bits);
}

void proto_bytes(struct buf *b, unsigned field, const void *data, size_t len)
{
	proto_varint(b, field << 3 | WIRE_BYTES);
	proto_varint(b, len);
	buf_add(b, data, len);
}

void proto_message(struct buf *b, unsigned field, struct buf *message)
{
	proto_bytes(b, field, message->data, message->len);
	b->failed |= message->failed;
	buf_clear(message);
}

void proto_packed(struct buf *b, unsigned field, const uint64_t *values, size_t len)
{
	struct buf packed = { 0 };

	for (size_t i = 0; i < len; i++)
		proto_varint(&packed, values[i]);
	proto_message(b, field, &packed);
	buf_release(&packed);
}
