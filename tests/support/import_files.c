/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "analyzer/exports/proto.h"
#include "tests/support/import_files.h"

static void put_type(struct buf *out, uint64_t name, uint64_t unit)
{
	struct buf m = { 0 };

	proto_u64(&m, 1, name);
	proto_u64(&m, 2, unit);
	proto_message(out, 1, &m);
	buf_release(&m);
}

static void put_location(struct buf *out, uint64_t id, const uint64_t *functions, const uint64_t *lines, size_t len)
{
	struct buf m = { 0 }, line = { 0 };

	proto_u64(&m, 1, id);
	proto_u64(&m, 2, 7);
	proto_u64(&m, 3, 0x1000 + id);
	for (size_t i = 0; i < len; i++) {
		proto_u64(&line, 1, functions[i]);
		proto_u64(&line, 2, lines[i]);
		proto_message(&m, 4, &line);
	}
	proto_message(out, 4, &m);
	buf_release(&m);
	buf_release(&line);
}

static void put_function(struct buf *out, uint64_t id, uint64_t name)
{
	struct buf m = { 0 };

	proto_u64(&m, 1, id);
	proto_u64(&m, 2, name);
	proto_u64(&m, 3, name);
	proto_u64(&m, 4, 10);
	proto_message(out, 5, &m);
	buf_release(&m);
}

static void put_samples(struct buf *out)
{
	const uint64_t stack[] = { 1, 2 }, values[] = { 1000, 10, 2 };
	struct buf m = { 0 }, label = { 0 };

	proto_packed(&m, 1, stack, 2);
	proto_packed(&m, 2, values, 3);
	proto_u64(&label, 1, 12);
	proto_u64(&label, 2, 13);
	proto_message(&m, 3, &label);
	proto_message(out, 2, &m);
	proto_u64(&m, 1, 2);
	proto_u64(&m, 2, 24);
	proto_u64(&m, 2, 1);
	proto_u64(&m, 2, 1);
	proto_u64(&label, 1, 2);
	proto_u64(&label, 3, 24);
	proto_message(&m, 3, &label);
	proto_message(out, 2, &m);
	buf_release(&m);
	buf_release(&label);
}

void import_pprof_heap(struct buf *out)
{
	static const char *const texts[] = { "",       "alloc_space",  "bytes", "alloc_objects", "count",
					     "slow",   "milliseconds", "leaf",	"middle",	 "main",
					     "tool.c", "/bin/tool",    "kind",	"mutex",	 "abcd" };
	struct buf m = { 0 };

	put_type(out, 1, 2);
	put_type(out, 3, 4);
	put_type(out, 5, 6);
	put_samples(out);
	proto_u64(&m, 1, 7);
	proto_u64(&m, 2, 0x1000);
	proto_u64(&m, 3, 0x2000);
	proto_u64(&m, 5, 11);
	proto_u64(&m, 6, 14);
	proto_message(out, 3, &m);
	put_location(out, 1, (const uint64_t[]){ 3, 4 }, (const uint64_t[]){ 11, 22 }, 2);
	put_location(out, 2, (const uint64_t[]){ 5 }, (const uint64_t[]){ 33 }, 1);
	for (uint64_t i = 0; i < 3; i++)
		put_function(out, 3 + i, 7 + i);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		proto_bytes(out, 6, texts[i], strlen(texts[i]));
	proto_u64(out, 10, 1500000000);
	proto_u64(out, 14, 1);
	buf_release(&m);
}

void import_heaptrack_small(struct buf *out)
{
	buf_add_string(out, "v 10400 3\n"
			    "X /bin/tool --fast\n"
			    "I 1000 5e298f\n"
			    "s 9 /bin/tool\n"
			    "s 4 leaf\ns 6 middle\ns 4 main\ns 6 tool.c\n"
			    "i 1001 1 2 5 b 3 5 16\n"
			    "i 1002 1 4 5 21\n"
			    "t 2 0\nt 1 1\n"
			    "a 64 2\na 32 1\n"
			    "# a comment\n"
			    "c 8\n"
			    "+ 0\n"
			    "- 0\n"
			    "+ 0\n"
			    "+ 1\n"
			    "+ 0\n"
			    "R 100\n"
			    "+ 1\n"
			    "- 1\n"
			    "- 0\n"
			    "c 10\n");
}

void import_gzip(struct buf *data)
{
	uLong bound = compressBound(data->len) + 64;
	unsigned char *room = malloc(bound);
	z_stream z = { 0 };

	deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	z.next_in = (unsigned char *)data->data;
	z.avail_in = (uInt)data->len;
	z.next_out = room;
	z.avail_out = (uInt)bound;
	deflate(&z, Z_FINISH);
	buf_clear(data);
	buf_add(data, room, bound - z.avail_out);
	deflateEnd(&z);
	free(room);
}

void import_zstd(struct buf *data)
{
	size_t bound = ZSTD_compressBound(data->len);
	void *room = malloc(bound);
	size_t len = ZSTD_compress(room, bound, data->data, data->len, 3);

	buf_clear(data);
	buf_add(data, room, len);
	free(room);
}
