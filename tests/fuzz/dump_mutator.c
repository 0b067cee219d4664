/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "format/codec.h"
#include "format/kinds.h"
#include "tests/fuzz/dump_form.h"
#include "tests/fuzz/dump_mutator.h"
#include "tests/fuzz/target.h"

static uint64_t state;

static uint32_t draw(uint32_t limit)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33) % limit;
}

/* What makes code go other ways: few ids and addresses that meet again, and the ends of all ranges. */
static uint32_t word(void)
{
	static const uint32_t edges[] = { UINT32_MAX, INT32_MAX, 0x80000000, 0xffff, 0x10000, 0x100, RSD_UNIT - 1 };

	switch (draw(8)) {
	case 0:
	case 1:
		return 0;
	case 2:
		return 0x1000u * (1 + draw(6));
	case 3:
		return edges[draw(sizeof(edges) / sizeof(*edges))];
	case 4:
		return draw(1u << 30);
	default:
		return draw(24);
	}
}

static uint64_t number(void)
{
	return draw(6) ? word() : (uint64_t)word() << 32 | word();
}

static struct rsd_header *header_of(uint8_t *dump)
{
	return (struct rsd_header *)dump;
}

/* A unit that begins an extent of this kind (0: any); 0 when there is none. */
static unsigned find_extent(const uint8_t *dump, unsigned kind)
{
	unsigned found = 0, met = 0;

	for (unsigned unit = 1; unit < FORM_UNITS_MAX; unit++) {
		const struct rsd_extent *ext = (const struct rsd_extent *)(dump + (size_t)unit * RSD_UNIT);

		if (ext->magic == RSD_EXTENT_MAGIC && (!kind || ext->kind == kind) && !draw(++met))
			found = unit;
	}
	return found;
}

static unsigned begin_extent(struct form *f, uint8_t *dump, unsigned kind)
{
	struct rsd_header *h = header_of(dump);
	unsigned unit =
		h->next_unit && h->next_unit < FORM_UNITS_MAX ? (unsigned)h->next_unit : 1 + draw(FORM_UNITS_MAX - 1);

	*(struct rsd_extent *)(dump + (size_t)unit * RSD_UNIT) =
		(struct rsd_extent){ .magic = RSD_EXTENT_MAGIC,
				     .kind = (uint16_t)kind,
				     .units = 1,
				     .thread = draw(4),
				     .first = kind == RSD_EXTENT_NODES || kind == RSD_EXTENT_LIVE,
				     .seq = draw(64),
				     .base = h->start };
	if (h->next_unit <= unit)
		h->next_unit = unit + 1;
	if (f->units <= unit)
		f->units = (uint16_t)(unit + 1);
	return unit;
}

static void put_long(uint8_t *p, size_t size, unsigned kind, uint64_t tick)
{
	for (size_t at = 0; at < size; at += 4) {
		uint32_t w = word();

		memcpy(p + at, &w, 4);
	}
	((struct rec_head *)p)->head = RSD_HEAD(kind, size, draw(8) ? 0 : draw(4096));
	((struct rec_head *)p)->tick = tick;
}

static size_t put_record(uint8_t *p, size_t room, struct rsd_stream *stream)
{
	uint64_t tick = stream->tick + draw(5000), addr = 0x10000 + 16 * draw(12);
	unsigned kind = 1 + draw(EV_LIMIT - 1);
	size_t size = kind_info(kind) ? kind_info(kind)->size : 12;

	if (room < CODEC_RECORD_MAX)
		return 0;
	switch (draw(4)) {
	case 0:
		return codec_put_alloc(p, stream, RSD_TAG_MALLOC + draw(3), tick, addr, draw(8000), draw(20));
	case 1:
		return codec_put_free(p, stream, draw(2) ? RSD_TAG_FREE : RSD_TAG_REALLOC_FREE, tick, addr);
	default:
		put_long(p, size, kind, draw(12) ? tick : number());
		stream->tick = tick;
		return size;
	}
}

static void add_records(struct form *f, uint8_t *dump)
{
	unsigned kind = draw(4) ? RSD_EXTENT_EVENTS : RSD_EXTENT_SAMPLES;
	unsigned unit = draw(8) ? find_extent(dump, kind) : 0;
	struct rsd_extent *ext;
	uint8_t *data;

	if (!unit)
		unit = begin_extent(f, dump, kind);
	ext = (struct rsd_extent *)(dump + (size_t)unit * RSD_UNIT);
	data = (uint8_t *)(ext + 1);
	ext->used &= ~UINT64_C(3);
	if (!ext->stream.tick)
		ext->stream.tick = ext->base.tick;
	for (unsigned n = 1 + draw(12); n-- && ext->used < RSD_UNIT - sizeof(*ext);)
		ext->used += put_record(data + ext->used, RSD_UNIT - sizeof(*ext) - ext->used, &ext->stream);
}

static void change_record(uint8_t *dump)
{
	unsigned unit = find_extent(dump, draw(3) ? RSD_EXTENT_EVENTS : RSD_EXTENT_SAMPLES);
	struct rsd_extent *ext = (struct rsd_extent *)(dump + (size_t)unit * RSD_UNIT);
	uint32_t w = word();

	if (unit && ext->used >= 4 && ext->used < RSD_UNIT - sizeof(*ext))
		memcpy((uint8_t *)(ext + 1) + draw((uint32_t)ext->used / 4) * 4, &w, 4);
}

static void change_extent(uint8_t *dump)
{
	unsigned unit = find_extent(dump, 0);
	struct rsd_extent *ext = (struct rsd_extent *)(dump + (size_t)unit * RSD_UNIT);

	if (!unit)
		return;
	switch (draw(7)) {
	case 0:
		ext->used = number();
		break;
	case 1:
		ext->units = (uint16_t)word();
		break;
	case 2:
		ext->kind = (uint16_t)draw(10);
		break;
	case 3:
		ext->first = word();
		break;
	case 4:
		ext->thread = word();
		break;
	case 5:
		ext->base.tick = number();
		break;
	default:
		ext->base.mono_ns = number();
		break;
	}
}

static void change_header(uint8_t *dump)
{
	struct rsd_header *h = header_of(dump);
	uint64_t n = number();

	memcpy(h->magic, RSD_MAGIC, 8);
	h->version = RSD_VERSION;
	h->unit_size = RSD_UNIT;
	if (draw(16))
		h->header_size = sizeof(*h);
	memcpy(dump + 32 + draw((sizeof(*h) - 32) / 8) * 8, &n, 8);
}

static void add_node(struct form *f, uint8_t *dump)
{
	unsigned unit = find_extent(dump, RSD_EXTENT_NODES);
	struct rsd_node *nodes;

	if (!unit)
		unit = begin_extent(f, dump, RSD_EXTENT_NODES);
	nodes = (struct rsd_node *)(dump + (size_t)unit * RSD_UNIT + sizeof(struct rsd_extent));
	for (unsigned n = 1 + draw(6); n--;)
		nodes[draw(24)] = (struct rsd_node){ .ip_module = (uint64_t)draw(4) << 48 | 0x1000u * draw(8) | draw(4),
						     .parent = draw(24),
						     .cut = (uint8_t)draw(16),
						     .flags = (uint8_t)draw(4),
						     .committed = 1 };
}

static void add_meta(struct form *f, uint8_t *dump)
{
	unsigned unit = find_extent(dump, RSD_EXTENT_META);
	struct rsd_extent *ext;
	struct rsd_meta head = { (uint16_t)draw(7), RSD_META_COMMITTED, 8 * (1 + draw(24)) };
	uint8_t *p;

	if (!unit)
		unit = begin_extent(f, dump, RSD_EXTENT_META);
	ext = (struct rsd_extent *)(dump + (size_t)unit * RSD_UNIT);
	ext->used &= ~UINT64_C(7);
	if (ext->used > RSD_UNIT - sizeof(*ext) - 256)
		return;
	p = (uint8_t *)(ext + 1) + ext->used;
	for (size_t at = 0; at < head.len; at += 4) {
		uint32_t w = word();

		memcpy(p + at, &w, 4);
	}
	memcpy(p, &head, sizeof(head));
	ext->used += head.len;
}

/* A slot of a table: threads, descriptors, live blocks. */
static void add_slot(struct form *f, uint8_t *dump)
{
	static const struct {
		unsigned kind;
		size_t size;
	} tables[] = { { RSD_EXTENT_THREADS, sizeof(struct rsd_thread) },
		       { RSD_EXTENT_FDS, sizeof(struct rsd_fd) },
		       { RSD_EXTENT_LIVE, sizeof(struct rsd_live) } };
	unsigned which = draw(3), unit = find_extent(dump, tables[which].kind), index = draw(6);
	uint8_t *slot;

	if (!unit)
		unit = begin_extent(f, dump, tables[which].kind);
	slot = dump + (size_t)unit * RSD_UNIT + sizeof(struct rsd_extent) + index * tables[which].size;
	for (unsigned n = 1 + draw(6); n--;) {
		uint64_t value = number();

		memcpy(slot + draw((uint32_t)tables[which].size / 8) * 8, &value, 8);
	}
	if (which == 0 && header_of(dump)->next_thread <= index)
		header_of(dump)->next_thread = index + 1;
}

static void change(struct form *f, uint8_t *dump)
{
	switch (draw(12)) {
	case 0:
		change_header(dump);
		break;
	case 1:
		change_extent(dump);
		break;
	case 2:
	case 3:
		change_record(dump);
		break;
	case 4:
		add_node(f, dump);
		break;
	case 5:
		add_meta(f, dump);
		break;
	case 6:
		add_slot(f, dump);
		break;
	case 7:
		f->choices = (uint16_t)draw(65536);
		f->cut = draw(4) ? 0 : (uint8_t)draw(256);
		f->units = draw(16) ? f->units : (uint16_t)draw(UINT16_MAX);
		break;
	default:
		add_records(f, dump);
		break;
	}
}

/* Bytes of one piece by the fuzzer's own means; its length stays, and so does everything behind it. */
static size_t change_bytes(struct form *f, size_t size)
{
	const struct form_piece *piece = f->len ? &f->pieces[draw((uint32_t)f->len)] : NULL;

	if (piece && piece->len)
		LLVMFuzzerMutate((uint8_t *)(uintptr_t)piece->bytes, piece->len, piece->len);
	return size;
}

size_t dump_mutate(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	static _Alignas(64) uint8_t dump[FORM_BYTES_MAX];
	static struct form f;
	struct buf out = { 0 };

	state = seed;
	form_parse(&f, data, size);
	if (!draw(12))
		return LLVMFuzzerMutate(data, size, max_size);
	if (!draw(4))
		return change_bytes(&f, size);
	form_expand(&f, dump);
	for (unsigned n = 1 + draw(4); n--;)
		change(&f, dump);
	form_fold(&out, f.choices, f.cut, f.units, dump, sizeof(dump));
	size = out.len <= max_size ? out.len : size;
	if (size == out.len)
		memcpy(data, out.data, size);
	buf_release(&out);
	memset(dump, 0, sizeof(dump));
	return size;
}
