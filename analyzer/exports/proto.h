/* SPDX-License-Identifier: MIT */
/*
 * proto.h - protocol buffers, written field by field. The wire format is a tag and a varint or bytes; a generator and
 * its run-time library would be more than what is here.
 */
#ifndef RINGSIDE_EXPORTS_PROTO_H
#define RINGSIDE_EXPORTS_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "analyzer/util/buf.h"

void proto_varint(struct buf *b, uint64_t value);
/* Fields; a value of 0 is left out as proto3 does. */
void proto_u64(struct buf *b, unsigned field, uint64_t value);
/* proto_present - the same also for 0, where proto2 tells a field that is 0 from one that is not there. */
void proto_present(struct buf *b, unsigned field, uint64_t value);
void proto_fixed64(struct buf *b, unsigned field, uint64_t value);
void proto_double(struct buf *b, unsigned field, double value);
void proto_bytes(struct buf *b, unsigned field, const void *data, size_t len);
/* proto_message - another buffer as a field; it is cleared for the next one. */
void proto_message(struct buf *b, unsigned field, struct buf *message);
/* proto_packed - numbers as one field. */
void proto_packed(struct buf *b, unsigned field, const uint64_t *values, size_t len);

#endif
