// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "format/codec.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define TICK_MAX ((UINT64_C(1) << CODEC_TICK_BITS) - 1)
#define FREE_REACH (INT64_C(8) << (CODEC_FREE_ADDR_BITS - 1)) /* -this fits, +this is the first that does not */
#define ALLOC_REACH (INT64_C(8) << (CODEC_ALLOC_ADDR_BITS - 1))
#define TIGHT_TICK_MAX 0xfffu
#define TIGHT_REACH INT64_C(0x10000)
#define TIGHT_SIZE_MAX 0xfffu
#define TIGHT_STACK_MAX 0xfffffu

/* As after a record at this address: only its own group knows a place. */
#define ORIGIN_TICK UINT64_C(1000000000000)
#define ORIGIN_ADDR UINT64_C(0x7f0000001000)

static struct rsd_stream origin(void)
{
	struct rsd_stream stream = { 0 };

	codec_move_to(&stream, ORIGIN_TICK, ORIGIN_ADDR);
	return stream;
}

static const struct {
	enum rsd_event_kind kind;
	const char *shape;
	size_t size;
} rows[] = {
#define EVENT(KIND, id, shape, domain, name) { EV_##KIND, #shape, sizeof(struct rec_##shape) },
#include "format/events.def"
};

static uint64_t random_u64(void)
{
	static uint64_t seed = 88172645463325252;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

/* Small and large numbers equally often. */
static uint64_t random_width(void)
{
	return random_u64() >> random_u64() % 64;
}

/* Decode from a heap block of exactly `len` bytes: the sanitizer sees one byte too many. */
static size_t get_exact(const void *bytes, size_t len, struct rsd_stream *state, struct rsd_event *ev)
{
	void *copy = malloc(len);
	size_t got;

	if (len)
		memcpy(copy, bytes, len);
	got = codec_get(copy, len, state, ev);
	free(copy);
	return got;
}

static enum rsd_api api_of(enum rsd_tag tag)
{
	return tag == RSD_TAG_MALLOC ? API_MALLOC : tag == RSD_TAG_CALLOC ? API_CALLOC : API_REALLOC;
}

static bool is_tight(uint64_t tick_delta, int64_t addr_delta)
{
	return tick_delta <= TIGHT_TICK_MAX && addr_delta % 16 == 0 &&
	       (ORIGIN_ADDR + (uint64_t)addr_delta) >> 16 == ORIGIN_ADDR >> 16;
}

static size_t free_size(uint64_t tick_delta, int64_t addr_delta)
{
	return is_tight(tick_delta, addr_delta) ? 4 : 8;
}

static size_t alloc_size(uint64_t tick_delta, int64_t addr_delta, uint64_t size, uint32_t stack)
{
	return is_tight(tick_delta, addr_delta) && size <= TIGHT_SIZE_MAX && stack <= TIGHT_STACK_MAX ? 8 : 12;
}

/* ---- short forms -------------------------------------------------------------------------------------------- */

static void check_alloc(enum rsd_tag tag, uint64_t tick_delta, int64_t addr_delta, uint64_t size, uint32_t stack)
{
	uint64_t tick = ORIGIN_TICK + tick_delta, addr = ORIGIN_ADDR + (uint64_t)addr_delta;
	struct rsd_stream state = origin(), writer = origin();
	size_t want = alloc_size(tick_delta, addr_delta, size, stack);
	struct rsd_event ev;
	char bytes[12];

	assert_int_equal(codec_put_alloc(bytes, &writer, tag, tick, addr, size, stack), want);
	assert_int_equal(get_exact(bytes, want, &state, &ev), want);
	assert_int_equal(ev.kind, tag == RSD_TAG_REALLOC_ALLOC ? EV_REALLOC_ALLOC : EV_ALLOC);
	assert_int_equal(ev.tick, tick);
	assert_int_equal(ev.alloc.h.tick, tick);
	assert_int_equal(ev.alloc.addr, addr);
	assert_int_equal(ev.alloc.size, size);
	assert_int_equal(ev.alloc.stack, stack);
	assert_int_equal(ev.alloc.api, api_of(tag));
	assert_int_equal(ev.alloc.align_log2, 0);
	assert_int_equal(state.tick, tick);
	assert_int_equal(state.addr, addr);
	assert_memory_equal(&state, &writer, sizeof(state));
}

static void check_free(enum rsd_tag tag, uint64_t tick_delta, int64_t addr_delta)
{
	uint64_t tick = ORIGIN_TICK + tick_delta, addr = ORIGIN_ADDR + (uint64_t)addr_delta;
	struct rsd_stream state = origin(), writer = origin();
	size_t want = free_size(tick_delta, addr_delta);
	struct rsd_event ev;
	char bytes[8];

	assert_int_equal(codec_put_free(bytes, &writer, tag, tick, addr), want);
	assert_int_equal(get_exact(bytes, want, &state, &ev), want);
	assert_int_equal(ev.kind, tag == RSD_TAG_FREE ? EV_FREE : EV_REALLOC_FREE);
	assert_int_equal(ev.tick, tick);
	assert_int_equal(ev.free.h.tick, tick);
	assert_int_equal(ev.free.addr, addr);
	assert_int_equal(ev.free.stack, 0);
	assert_int_equal(ev.free.api, tag == RSD_TAG_FREE ? API_FREE : API_REALLOC);
	assert_int_equal(state.tick, tick);
	assert_int_equal(state.addr, addr);
	assert_memory_equal(&state, &writer, sizeof(state));
}

/* A free with its stack: 4 bytes more, whatever the stack. */
static void check_free_at(uint64_t tick_delta, int64_t addr_delta, uint32_t stack)
{
	uint64_t tick = ORIGIN_TICK + tick_delta, addr = ORIGIN_ADDR + (uint64_t)addr_delta;
	struct rsd_stream state = origin(), writer = origin();
	size_t want = free_size(tick_delta, addr_delta) + 4;
	struct rsd_event ev;
	char bytes[12];

	assert_int_equal(codec_put_free_at(bytes, &writer, tick, addr, stack), want);
	for (size_t left = 0; left < want; left++) {
		struct rsd_stream cut = origin();

		assert_int_equal(get_exact(bytes, left, &cut, &ev), 0);
		assert_memory_equal(&cut, &(struct rsd_stream[]){ origin() }, sizeof(cut));
	}
	assert_int_equal(get_exact(bytes, want, &state, &ev), want);
	assert_int_equal(ev.kind, EV_FREE);
	assert_int_equal(ev.tick, tick);
	assert_int_equal(ev.free.h.tick, tick);
	assert_int_equal(ev.free.addr, addr);
	assert_int_equal(ev.free.stack, stack);
	assert_int_equal(ev.free.api, API_FREE);
	assert_memory_equal(&state, &writer, sizeof(state));
}

static const uint64_t tick_edges[] = { 0,	1, 15, 16, 255, 256, TIGHT_TICK_MAX, TIGHT_TICK_MAX + 1, TICK_MAX - 1,
				       TICK_MAX };

static void every_short_allocation_comes_back(void **state)
{
	static const enum rsd_tag tags[] = { RSD_TAG_MALLOC, RSD_TAG_CALLOC, RSD_TAG_REALLOC_ALLOC };
	static const int64_t addrs[] = { 0,
					 8,
					 -8,
					 16,
					 -16,
					 2048,
					 TIGHT_REACH - 16,
					 TIGHT_REACH,
					 -TIGHT_REACH - 16,
					 -TIGHT_REACH,
					 ALLOC_REACH - 8,
					 -ALLOC_REACH };
	static const uint64_t sizes[] = { 0,	  1,	  255,		 256, TIGHT_SIZE_MAX, TIGHT_SIZE_MAX + 1,
					  0x7fff, 0x8000, CODEC_SIZE_MAX };
	static const uint32_t stacks[] = {
		0, TIGHT_STACK_MAX, TIGHT_STACK_MAX + 1, 0x7fffff, 0x800000, CODEC_STACK_MAX
	};

	(void)state;
	for (size_t g = 0; g < LEN(tags); g++)
		for (size_t t = 0; t < LEN(tick_edges); t++)
			for (size_t a = 0; a < LEN(addrs); a++)
				for (size_t z = 0; z < LEN(sizes); z++)
					for (size_t k = 0; k < LEN(stacks); k++)
						check_alloc(tags[g], tick_edges[t], addrs[a], sizes[z], stacks[k]);
}

static void every_short_free_comes_back(void **state)
{
	static const int64_t addrs[] = { 0,
					 8,
					 -16,
					 TIGHT_REACH - 16,
					 TIGHT_REACH,
					 -TIGHT_REACH,
					 ALLOC_REACH,
					 -ALLOC_REACH - 8,
					 FREE_REACH - 8,
					 -FREE_REACH };

	(void)state;
	for (size_t t = 0; t < LEN(tick_edges); t++)
		for (size_t a = 0; a < LEN(addrs); a++) {
			check_free(RSD_TAG_FREE, tick_edges[t], addrs[a]);
			check_free(RSD_TAG_REALLOC_FREE, tick_edges[t], addrs[a]);
			check_free_at(tick_edges[t], addrs[a], 1);
			check_free_at(tick_edges[t], addrs[a], UINT32_MAX);
		}
}

static void what_just_does_not_fit_is_not_written(void **state)
{
	static const struct {
		uint64_t tick_delta;
		int64_t addr_delta;
		uint64_t size;
		uint32_t stack;
		bool free_fits;
	} cases[] = {
		{ TICK_MAX + 1, 0, 0, 0, false },
		{ UINT64_MAX, 0, 0, 0, false }, /* a clock that went back by one */
		{ 0, ALLOC_REACH, 0, 0, true },
		{ 0, -ALLOC_REACH - 8, 0, 0, true },
		{ 0, FREE_REACH, 0, 0, false },
		{ 0, -FREE_REACH - 8, 0, 0, false },
		{ 0, INT64_MAX - 7, 0, 0, false },
		{ 0, INT64_MIN, 0, 0, false },
		{ 0, 1, 0, 0, false }, /* not a multiple of 8 */
		{ 0, -4, 0, 0, false },
		{ 0, 0, CODEC_SIZE_MAX + 1, 0, true },
		{ 0, 0, UINT64_MAX, 0, true },
		{ 0, 0, 0, CODEC_STACK_MAX + 1, true },
		{ 0, 0, 0, UINT32_MAX, true },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		uint64_t tick = ORIGIN_TICK + cases[i].tick_delta, addr = ORIGIN_ADDR + (uint64_t)cases[i].addr_delta;
		struct rsd_stream writer = origin(), other = origin();
		unsigned char bytes[12], before[12];

		memset(bytes, 0xa5, sizeof(bytes));
		memset(before, 0xa5, sizeof(before));
		assert_int_equal(
			codec_put_alloc(bytes, &writer, RSD_TAG_MALLOC, tick, addr, cases[i].size, cases[i].stack), 0);
		assert_memory_equal(bytes, before, sizeof(bytes));
		assert_memory_equal(&writer, &other, sizeof(writer));
		assert_int_equal(codec_put_free(bytes, &writer, RSD_TAG_FREE, tick, addr),
				 cases[i].free_fits ? free_size(cases[i].tick_delta, cases[i].addr_delta) : 0);
		if (!cases[i].free_fits) {
			assert_int_equal(codec_put_free_at(bytes, &writer, tick, addr, 1), 0);
			assert_memory_equal(bytes, before, sizeof(bytes));
		}
	}
}

static bool is_near(int64_t delta, int64_t reach)
{
	return delta % 8 == 0 && delta >= -reach && delta < reach;
}

static void random_values_come_back_or_do_not_fit(void **state)
{
	unsigned fit = 0, unfit = 0;

	(void)state;
	for (unsigned i = 0; i < 300000; i++) {
		uint64_t ticks = random_width(), size = random_width();
		int64_t delta = (int64_t)random_width() * (random_u64() & 1 ? 1 : -1);
		uint32_t stack = (uint32_t)random_width();
		struct rsd_stream writer = origin();
		char bytes[12];

		if (random_u64() % 8)
			delta &= ~INT64_C(7);
		if (ticks <= TICK_MAX && is_near(delta, FREE_REACH)) {
			check_free(RSD_TAG_FREE, ticks, delta);
			check_free_at(ticks, delta, stack);
		} else {
			assert_int_equal(codec_put_free(bytes, &writer, RSD_TAG_FREE, ORIGIN_TICK + ticks,
							ORIGIN_ADDR + (uint64_t)delta),
					 0);
		}
		if (ticks <= TICK_MAX && is_near(delta, ALLOC_REACH) && size <= 0xffff && stack <= 0xffffff) {
			check_alloc(RSD_TAG_CALLOC, ticks, delta, size, stack);
			fit++;
		} else {
			assert_int_equal(codec_put_alloc(bytes, &writer, RSD_TAG_CALLOC, ORIGIN_TICK + ticks,
							 ORIGIN_ADDR + (uint64_t)delta, size, stack),
					 0);
			unfit++;
		}
	}
	assert_true(fit > 1000 && unfit > 1000);
}

/* An allocator's places for blocks of different sizes lie far apart: each group remembers the last one. */
static void every_group_has_a_last_place(void **state)
{
	enum { PLACES = 8 };
	uint64_t places[PLACES] = { UINT64_C(0x7f0000000000) };
	struct rsd_stream writer = origin(), reader = origin();
	struct rsd_event ev;
	char bytes[12];

	(void)state;
	for (unsigned i = 1; i < PLACES; i++) {
		bool is_new = false;

		for (places[i] = places[i - 1]; !is_new;) {
			places[i] += UINT64_C(0x4000000);
			is_new = true;
			for (unsigned k = 0; k < i; k++)
				is_new &= codec_group(places[k] >> 16) != codec_group(places[i] >> 16);
		}
	}
	for (unsigned turn = 0; turn < 1000; turn++)
		for (unsigned i = 0; i < PLACES; i++) {
			uint64_t addr = places[i] + turn * 48;
			size_t n = codec_put_free(bytes, &writer, RSD_TAG_FREE, writer.tick + 100, addr);

			assert_true(turn ? n == 4 : n > 0);
			assert_int_equal(get_exact(bytes, n, &reader, &ev), n);
			assert_int_equal(ev.free.addr, addr);
		}
	assert_memory_equal(&reader, &writer, sizeof(reader));
}

/* ---- long forms ----------------------------------------------------------------------------------------------- */

static bool moves_address(const char *shape)
{
	return !strcmp(shape, "alloc") || !strcmp(shape, "free");
}

/* A record of random contents: head, tick, and for the heap shapes an address, which stands first. */
static uint64_t make_long(unsigned char *bytes, unsigned kind, size_t size, uint64_t tick)
{
	struct rec_free rec = { .addr = random_width() };

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)random_u64();
	rec.h = (struct rec_head){ RSD_HEAD(kind, size, random_u64() & 0xfff), tick };
	memcpy(bytes, &rec.h, sizeof(rec.h));
	if (size >= sizeof(rec.h) + sizeof(rec.addr))
		memcpy(bytes + sizeof(rec.h), &rec.addr, sizeof(rec.addr));
	return rec.addr;
}

static void every_long_record_comes_back(void **state)
{
	static const uint64_t ticks[] = { 0, 1, TICK_MAX + 1, INT64_MAX, UINT64_MAX };

	(void)state;
	for (size_t r = 0; r < LEN(rows); r++)
		for (unsigned i = 0; i < 1000; i++) {
			uint64_t tick = i < LEN(ticks) ? ticks[i] : random_width();
			unsigned char bytes[CODEC_RECORD_MAX];
			struct rsd_stream at = origin();
			struct rsd_event ev;
			uint64_t addr;

			assert_true(rows[r].size <= CODEC_RECORD_MAX);
			addr = make_long(bytes, rows[r].kind, rows[r].size, tick);
			assert_int_equal(get_exact(bytes, rows[r].size, &at, &ev), rows[r].size);
			assert_int_equal(ev.kind, rows[r].kind);
			assert_int_equal(ev.tick, tick);
			assert_memory_equal(&ev.alloc, bytes, rows[r].size);
			assert_int_equal(at.tick, tick);
			assert_int_equal(at.addr, moves_address(rows[r].shape) ? addr : ORIGIN_ADDR);
		}
}

/* A later version may append fields to a struct; one that is too short for its kind is damage. */
/* A descriptor's record was shorter in dumps of before: what it lacks is 0. */
static size_t least_size(size_t r)
{
	return rows[r].kind == EV_FD_CLOSE ? offsetof(struct rec_fd, again) : rows[r].size;
}

static void known_kinds_may_be_longer_but_not_shorter(void **state)
{
	static const unsigned char zeros[sizeof(struct rec_fd)];
	unsigned char bytes[1020];
	struct rsd_stream at;
	struct rsd_event ev;

	(void)state;
	for (size_t r = 0; r < LEN(rows); r++)
		for (size_t size = sizeof(struct rec_head); size <= sizeof(bytes); size += 4) {
			make_long(bytes, rows[r].kind, size, 77);
			at = origin();
			assert_int_equal(get_exact(bytes, size, &at, &ev), size < least_size(r) ? 0 : size);
			if (size >= rows[r].size) {
				assert_memory_equal(&ev.alloc, bytes, rows[r].size);
			} else if (size >= least_size(r)) {
				assert_memory_equal(&ev.alloc, bytes, size);
				assert_memory_equal((char *)&ev.alloc + size, zeros, rows[r].size - size);
			}
		}
}

static void unknown_kinds_are_skipped_by_their_length(void **state)
{
	unsigned char bytes[1020];
	unsigned unknown = 0;

	(void)state;
	for (unsigned kind = 0; kind < 256; kind++) {
		bool is_known = false;

		for (size_t r = 0; r < LEN(rows); r++)
			is_known |= rows[r].kind == kind;
		if (is_known)
			continue;
		unknown++;
		for (size_t size = sizeof(struct rec_head); size <= sizeof(bytes); size += 4) {
			struct rsd_stream at = origin();
			struct rsd_event ev;

			make_long(bytes, kind, size, 4711);
			assert_int_equal(get_exact(bytes, size, &at, &ev), size);
			assert_int_equal(ev.kind, kind);
			assert_int_equal(ev.tick, 4711);
			assert_int_equal(at.tick, 4711);
			assert_int_equal(at.addr, ORIGIN_ADDR);
		}
	}
	assert_int_equal(unknown, 256 - LEN(rows));
}

/* ---- damage --------------------------------------------------------------------------------------------------- */

static void a_record_cut_at_any_byte_is_none(void **state)
{
	unsigned char bytes[CODEC_RECORD_MAX];
	struct rsd_stream at = origin();
	struct rsd_event ev;

	(void)state;
	for (size_t r = 0; r < LEN(rows); r++) {
		make_long(bytes, rows[r].kind, rows[r].size, 5);
		for (size_t left = 0; left < rows[r].size; left++)
			assert_int_equal(get_exact(bytes, left, &at, &ev), 0);
	}
	for (int is_far = 0; is_far < 2; is_far++) {
		uint64_t tick = ORIGIN_TICK + 1, addr = ORIGIN_ADDR + (is_far ? TIGHT_REACH : 0);
		struct rsd_stream writer = origin(), again = origin();
		size_t size = codec_put_free(bytes, &writer, RSD_TAG_FREE, tick, addr);

		assert_int_equal(size, is_far ? 8 : 4);
		for (size_t left = 0; left < size; left++)
			assert_int_equal(get_exact(bytes, left, &at, &ev), 0);
		size = codec_put_alloc(bytes, &again, RSD_TAG_MALLOC, tick, addr, 10, 1);
		assert_int_equal(size, is_far ? 12 : 8);
		for (size_t left = 0; left < size; left++)
			assert_int_equal(get_exact(bytes, left, &at, &ev), 0);
	}
	/* What is cut off moves nothing. */
	assert_int_equal(at.tick, ORIGIN_TICK);
	assert_int_equal(at.addr, ORIGIN_ADDR);
}

static void tags_without_a_meaning_are_none(void **state)
{
	unsigned char bytes[CODEC_RECORD_MAX] = { 0 };
	struct rsd_stream at = origin();
	struct rsd_event ev;

	(void)state;
	for (unsigned tag = 0; tag < 16; tag++) {
		if (tag >= RSD_TAG_LONG && tag <= RSD_TAG_TIGHT_FREE_AT)
			continue;
		bytes[0] = (unsigned char)(0xf0 | tag);
		assert_int_equal(codec_get(bytes, sizeof(bytes), &at, &ev), 0);
	}
	/* A head that says it is shorter than a head. */
	for (uint32_t size = 0; size < sizeof(struct rec_head); size += 4) {
		uint32_t head = RSD_HEAD(EV_THREAD, size, 0);

		memcpy(bytes, &head, sizeof(head));
		assert_int_equal(codec_get(bytes, sizeof(bytes), &at, &ev), 0);
	}
}

static void random_bytes_are_never_read_beyond_their_end(void **state)
{
	unsigned decoded = 0;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		unsigned char bytes[300];
		size_t len = random_u64() % (i % 2 ? 40 : sizeof(bytes)), got;
		struct rsd_stream at = { .tick = random_u64(), .addr = random_u64() };
		struct rsd_event ev;

		for (size_t b = 0; b < len; b++)
			bytes[b] = (unsigned char)random_u64();
		if (len && i % 3)
			bytes[0] = (unsigned char)((bytes[0] & 0xf0) | RSD_TAG_LONG);
		got = get_exact(bytes, len, &at, &ev);
		assert_true(got <= len && got % 4 == 0);
		decoded += got != 0;
	}
	assert_true(decoded > 1000);
}

/* ---- streams -------------------------------------------------------------------------------------------------- */

struct expected {
	enum rsd_event_kind kind;
	uint64_t tick, addr;
	bool has_addr;
};

/* One random record at `p`, the writer's state moved as the recorder moves it. */
static size_t put_random(unsigned char *p, struct rsd_stream *state, struct expected *want)
{
	uint64_t tick = state->tick + random_u64() % (random_u64() % 2 ? TIGHT_TICK_MAX : TICK_MAX + 2);
	uint64_t addr = state->addr + (uint64_t)((int64_t)(random_u64() % 100000) - 50000) * 8;
	size_t row = random_u64() % LEN(rows), len = 0;
	bool is_free = random_u64() % 3 == 0;

	if (is_free && random_u64() % 4 == 0)
		len = codec_put_free_at(p, state, tick, addr, (uint32_t)random_u64());
	else if (is_free)
		len = codec_put_free(p, state, RSD_TAG_FREE, tick, addr);
	else if (random_u64() % 2)
		len = codec_put_alloc(p, state, RSD_TAG_MALLOC, tick, addr, random_width() & 0xffff, 7);
	if (len) {
		*want = (struct expected){ is_free ? EV_FREE : EV_ALLOC, tick, addr, true };
	} else {
		len = rows[row].size;
		addr = make_long(p, rows[row].kind, len, tick);
		*want = (struct expected){ rows[row].kind, tick, addr, moves_address(rows[row].shape) };
	}
	state->tick = tick;
	if (want->has_addr)
		codec_move_to(state, tick, addr);
	return len;
}

static void a_stream_of_mixed_records_is_followed(void **state)
{
	enum { COUNT = 20000 };
	unsigned char *bytes = malloc(COUNT * CODEC_RECORD_MAX);
	struct expected *want = calloc(COUNT, sizeof(*want));
	struct rsd_stream writer = origin(), reader = origin();
	size_t used = 0, at = 0;

	(void)state;
	for (unsigned i = 0; i < COUNT; i++)
		used += put_random(bytes + used, &writer, &want[i]);
	for (unsigned i = 0; i < COUNT; i++) {
		struct rsd_event ev;
		size_t len = codec_get(bytes + at, used - at, &reader, &ev);

		assert_true(len > 0);
		at += len;
		assert_int_equal(ev.kind, want[i].kind);
		assert_int_equal(ev.tick, want[i].tick);
		if (want[i].has_addr)
			assert_int_equal(ev.alloc.addr, want[i].addr);
	}
	assert_int_equal(at, used);
	assert_int_equal(reader.tick, writer.tick);
	assert_int_equal(reader.addr, writer.addr);
	free(bytes);
	free(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_short_allocation_comes_back),
		cmocka_unit_test(every_short_free_comes_back),
		cmocka_unit_test(what_just_does_not_fit_is_not_written),
		cmocka_unit_test(random_values_come_back_or_do_not_fit),
		cmocka_unit_test(every_group_has_a_last_place),
		cmocka_unit_test(every_long_record_comes_back),
		cmocka_unit_test(known_kinds_may_be_longer_but_not_shorter),
		cmocka_unit_test(unknown_kinds_are_skipped_by_their_length),
		cmocka_unit_test(a_record_cut_at_any_byte_is_none),
		cmocka_unit_test(tags_without_a_meaning_are_none),
		cmocka_unit_test(random_bytes_are_never_read_beyond_their_end),
		cmocka_unit_test(a_stream_of_mixed_records_is_followed),
	};

	return cmocka_run_group_tests_name("format/codec", tests, NULL, NULL);
}
