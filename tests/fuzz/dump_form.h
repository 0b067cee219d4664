/* SPDX-License-Identifier: MIT */
/*
 * dump_form.h - how a dump is written as an input of a fuzzer: nothing but the bytes that are not 0.
 *
 * A dump counts in units of 64 KiB of which most are empty; whole, each would be half a megabyte to copy and to mutate.
 *
 *     u16 choices | u8 cut | u16 units | pieces: u32 offset | u16 len | len bytes
 *
 * The file has `units` units less cut * 257 bytes. A piece that is cut short or begins behind FORM_BYTES_MAX ends it.
 */
#ifndef RINGSIDE_TESTS_FUZZ_DUMP_FORM_H
#define RINGSIDE_TESTS_FUZZ_DUMP_FORM_H

#include <stddef.h>
#include <stdint.h>

#include "analyzer/util/buf.h"
#include "format/record.h"

#define FORM_HEAD 5u
#define FORM_PIECE_HEAD 6u
#define FORM_PIECES_MAX 512u
#define FORM_UNITS_MAX 40u /* with data; more may be counted, as a hole */
#define FORM_BYTES_MAX (FORM_UNITS_MAX * RSD_UNIT)

struct form_piece {
	uint32_t offset;
	uint16_t len;
	const uint8_t *bytes; /* of the input */
};

struct form {
	uint16_t choices; /* the target's: which filters and forms of output */
	uint8_t cut;
	uint16_t units;
	struct form_piece pieces[FORM_PIECES_MAX];
	size_t len;
};

void form_parse(struct form *f, const uint8_t *data, size_t size);
uint64_t form_size(const struct form *f);

/* form_expand - into a whole dump of at most FORM_BYTES_MAX bytes, zeroed before where it is written at all. */
void form_expand(const struct form *f, uint8_t *dump);
/* form_write - into a file, see target_file. */
void form_write(const struct form *f, int fd);
/* form_fold - a dump as an input. */
void form_fold(struct buf *out, uint16_t choices, uint8_t cut, uint16_t units, const uint8_t *dump, size_t size);

#endif
