/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tests/fuzz/dump_form.h"
#include "tests/fuzz/target.h"

#define ZEROS_MIN 12u /* so many in a row end a piece */
#define CUT_STEP 257u

void form_parse(struct form *f, const uint8_t *data, size_t size)
{
	size_t at = FORM_HEAD;

	f->len = 0;
	f->choices = size > 1 ? (uint16_t)(data[0] | data[1] << 8) : 0;
	f->cut = size > 2 ? data[2] : 0;
	f->units = size > 4 ? (uint16_t)(data[3] | data[4] << 8) : 0;
	while (f->len < FORM_PIECES_MAX && size >= at + FORM_PIECE_HEAD) {
		struct form_piece *piece = &f->pieces[f->len];

		memcpy(&piece->offset, data + at, 4);
		memcpy(&piece->len, data + at + 4, 2);
		at += FORM_PIECE_HEAD;
		if (piece->offset >= FORM_BYTES_MAX)
			return;
		if (piece->len > size - at)
			piece->len = (uint16_t)(size - at);
		if (piece->len > FORM_BYTES_MAX - piece->offset)
			piece->len = (uint16_t)(FORM_BYTES_MAX - piece->offset);
		piece->bytes = data + at;
		at += piece->len;
		f->len++;
	}
}

uint64_t form_size(const struct form *f)
{
	uint64_t size = (uint64_t)f->units * RSD_UNIT, cut = f->cut * CUT_STEP;

	return cut < size ? size - cut : 0;
}

void form_expand(const struct form *f, uint8_t *dump)
{
	for (size_t i = 0; i < f->len; i++)
		memcpy(dump + f->pieces[i].offset, f->pieces[i].bytes, f->pieces[i].len);
}

void form_write(const struct form *f, int fd)
{
	uint64_t size = form_size(f);

	target_resize(fd, size);
	for (size_t i = 0; i < f->len; i++) {
		const struct form_piece *piece = &f->pieces[i];

		if (piece->offset < size)
			target_write(fd, piece->offset, piece->bytes,
				     piece->len < size - piece->offset ? piece->len : size - piece->offset);
	}
}

static size_t zeros_at(const uint8_t *p, size_t left)
{
	size_t n = 0;
	uint64_t word = 0;

	/* Most of a dump: not byte by byte. */
	for (; left - n >= sizeof(word) && !word; n += word ? 0 : sizeof(word))
		memcpy(&word, p + n, sizeof(word));
	while (n < left && !p[n])
		n++;
	return n;
}

/* Where the piece that begins at `p` ends. */
static size_t piece_len(const uint8_t *p, size_t left)
{
	size_t at = 0;

	while (at < left && at < UINT16_MAX) {
		size_t zeros = zeros_at(p + at, left - at < ZEROS_MIN ? left - at : ZEROS_MIN);

		if (zeros == ZEROS_MIN || zeros == left - at)
			break;
		at += zeros + 1;
	}
	return at < UINT16_MAX ? at : UINT16_MAX;
}

void form_fold(struct buf *out, uint16_t choices, uint8_t cut, uint16_t units, const uint8_t *dump, size_t size)
{
	const uint8_t head[FORM_HEAD] = { (uint8_t)choices, (uint8_t)(choices >> 8), cut, (uint8_t)units,
					  (uint8_t)(units >> 8) };
	size_t at = 0;

	buf_add(out, head, sizeof(head));
	while ((at += zeros_at(dump + at, size - at)) < size) {
		uint16_t len = (uint16_t)piece_len(dump + at, size - at);
		uint32_t offset = (uint32_t)at;

		buf_add(out, &offset, 4);
		buf_add(out, &len, 2);
		buf_add(out, dump + at, len);
		at += len;
	}
}
