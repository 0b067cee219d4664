/* SPDX-License-Identifier: MIT */
/*
 * fuzz_packed.c - a compressed dump: u16 choices, then the file as it is.
 *
 * Bytes changed inside a zstd frame mostly make it one that can't be unpacked. So the mutator also unpacks the dump,
 * changes that, and packs it again, in pieces of other sizes and with a table that may lie.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "analyzer/read/pack.h"
#include "analyzer/read/packed.h"
#include "tests/fuzz/dump_form.h"
#include "tests/fuzz/dump_mutator.h"
#include "tests/fuzz/report.h"
#include "tests/fuzz/target.h"

#define PIECES_MAX 64u
#define FOLDED_MAX 16384u
#define HEAD 2u

static int file;
static const char *path;
static char copy[64]; /* where the unpacked dump goes */

static void remove_copy(void)
{
	unlink(copy);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	stdout = target_output();
	file = target_file(&path);
	snprintf(copy, sizeof(copy), "/dev/shm/ringside-fuzz.%d.rsd", (int)getpid());
	atexit(remove_copy);
	return 0;
}

static void write_input(const uint8_t *data, size_t size)
{
	target_resize(file, size - HEAD);
	target_write(file, 0, data + HEAD, size - HEAD);
}

static void unpack(bool is_back)
{
	struct buf error = { 0 };
	struct pack_result result;

	pack_file(path, copy, is_back, &result, &error);
	buf_release(&error);
	remove_copy();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < HEAD)
		return 0;
	write_input(data, size);
	report_all(path, data[0] | (unsigned)data[1] << 8, stdout);
	/* Files are made for it, which takes longest: for some. */
	if (!(size % 8))
		unpack(size % 16);
	return 0;
}

/* ---- mutation -------------------------------------------------------------------------------------------------- */

static unsigned state;

static uint32_t draw(uint32_t limit)
{
	state = state * 1103515245u + 12345u;
	return (state >> 8) % limit;
}

/* The raw dump, up to what a form holds; its size. */
static size_t raw_of(const uint8_t *data, size_t size, uint8_t *raw)
{
	struct packed *p;
	const char *fault;
	uint64_t offset;
	size_t len = 0;

	write_input(data, size);
	if (packed_open(&p, file, size - HEAD, &fault, &offset))
		return 0;
	while (len < FORM_BYTES_MAX && len + 4096 <= packed_size(p) && !packed_read(p, len, raw + len, 4096))
		len += 4096;
	packed_close(p);
	return len;
}

static void put_u32(struct buf *out, uint32_t value)
{
	buf_add(out, &value, 4);
}

static uint32_t perhaps_a_lie(uint32_t value)
{
	static const uint32_t lies[] = { 0, 1, UINT32_MAX, PACKED_PIECE_MAX, PACKED_PIECE_MAX + 1, 0x80000000 };

	return draw(60) ? value : draw(2) ? value + draw(5) - 2 : lies[draw(sizeof(lies) / sizeof(*lies))];
}

static void add_piece(struct buf *out, const uint8_t *raw, size_t size)
{
	size_t bound = ZSTD_compressBound(size);
	char *room = malloc(bound);
	size_t len = ZSTD_compress(room, bound, raw, size, 1);

	if (!ZSTD_isError(len))
		buf_add(out, room, len);
	free(room);
}

static void pack(struct buf *out, const uint8_t *raw, size_t size)
{
	size_t piece = 4096u << draw(7), done = 0;
	uint32_t sizes[PIECES_MAX][2], len = 0;
	bool has_sums = !draw(4);

	for (; done < size && len < PIECES_MAX; len++) {
		size_t before = out->len, n = len + 1 == PIECES_MAX || size - done < piece ? size - done : piece;

		add_piece(out, raw + done, n);
		done += n;
		sizes[len][0] = (uint32_t)(out->len - before);
		sizes[len][1] = (uint32_t)n;
	}
	put_u32(out, PACKED_TABLE_MAGIC);
	put_u32(out, perhaps_a_lie(len * (has_sums ? 12 : 8) + PACKED_FOOTER_SIZE));
	for (uint32_t i = 0; i < len; i++) {
		put_u32(out, perhaps_a_lie(sizes[i][0]));
		put_u32(out, perhaps_a_lie(sizes[i][1]));
		if (has_sums)
			put_u32(out, 0);
	}
	put_u32(out, perhaps_a_lie(len));
	buf_add_char(out, has_sums ? (char)0x80 : 0);
	put_u32(out, PACKED_FOOTER_MAGIC);
}

static size_t change_dump(uint8_t *data, size_t size, size_t max_size)
{
	static _Alignas(64) uint8_t raw[FORM_BYTES_MAX];
	static uint8_t folded[FOLDED_MAX];
	static struct form f;
	struct buf out = { 0 };
	size_t len = raw_of(data, size, raw);

	form_fold(&out, (uint16_t)(data[0] | data[1] << 8), 0, (uint16_t)(len / RSD_UNIT), raw, len);
	if (out.len <= FOLDED_MAX) {
		memcpy(folded, out.data, out.len);
		form_parse(&f, folded, dump_mutate(folded, out.len, FOLDED_MAX, state));
		memset(raw, 0, len);
		form_expand(&f, raw);
		len = f.units < FORM_UNITS_MAX ? f.units * RSD_UNIT : FORM_BYTES_MAX;
	}
	buf_clear(&out);
	buf_add(&out, &f.choices, HEAD);
	pack(&out, raw, len);
	if (!out.failed && out.len <= max_size) {
		memcpy(data, out.data, out.len);
		size = out.len;
	}
	buf_release(&out);
	memset(raw, 0, sizeof(raw));
	return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	state = seed;
	return size > HEAD && draw(3) ? change_dump(data, size, max_size) : LLVMFuzzerMutate(data, size, max_size);
}
