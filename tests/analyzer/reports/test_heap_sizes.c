/* SPDX-License-Identifier: MIT */
/* test_heap_sizes.c - classes and exact sizes against books kept beside a random trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/trace_report.h"

/* What the report must say of the sizes from..to. */
struct book {
	uint64_t from, to;
	int64_t blocks, bytes, live, live_bytes, peak, peak_bytes, temporary;
};

static void check(struct reported *d, const char *table, size_t row, const struct book *b)
{
	assert_int_equal(reported_cell(d, table, row, "blocks")->number, b->blocks);
	assert_int_equal(reported_cell(d, table, row, "bytes")->number, b->bytes);
	assert_int_equal(reported_cell(d, table, row, "peak_blocks")->number, b->peak);
	assert_int_equal(reported_cell(d, table, row, "peak_bytes")->number, b->peak_bytes);
	assert_int_equal(reported_cell(d, table, row, "alive")->number, b->live);
	assert_int_equal(reported_cell(d, table, row, "alive_bytes")->number, b->live_bytes);
	assert_int_equal(reported_cell(d, table, row, "temporary")->number, b->temporary);
}

#define BLOCKS 64
#define EVENTS 3000

static void classes_and_sizes_are_those_of_the_books(void **state)
{
	struct book books[] = { { 1, 1, 0 },	     { 8, 8, 0 },	    { 9, 10, 0 },     { 15, 16, 0 },
				{ 17, 20, 0 },	     { 57, 64, 0 },	    { 897, 1024, 0 }, { 1025, 1280, 0 },
				{ 57345, 65536, 0 }, { 917505, 1048576, 0 } };
	const size_t len = sizeof(books) / sizeof(books[0]);
	uint64_t sizes[BLOCKS] = { 0 }, random = 7, live = 0, peak = 0;
	size_t book_of[BLOCKS], last = BLOCKS;
	struct trace t;
	struct trace_lane lane;
	struct reported d;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "main");
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	for (uint64_t ns = 1; ns < EVENTS; ns++) {
		size_t i = (random = random * 6364136223846793005u + 1442695040888963407u) >> 58;
		uint64_t addr = 0x10000000 + 0x200000 * (uint64_t)i;
		struct book *b;

		if (sizes[i]) {
			b = &books[book_of[i]];
			trace_free(&t, &lane, ns, addr);
			b->live--;
			b->live_bytes -= (int64_t)sizes[i];
			b->temporary += last == i;
			live -= sizes[i];
			sizes[i] = 0;
			continue;
		}
		last = i;
		b = &books[book_of[i] = (random >> 20) % len];
		sizes[i] = (random >> 30) & 1 ? b->from : b->to;
		trace_alloc(&t, &lane, ns, addr, sizes[i], 0);
		b->blocks++;
		b->live++;
		b->bytes += (int64_t)sizes[i];
		b->live_bytes += (int64_t)sizes[i];
		live += sizes[i];
		if (live <= peak)
			continue;
		peak = live;
		for (size_t k = 0; k < len; k++) {
			books[k].peak = books[k].live;
			books[k].peak_bytes = books[k].live_bytes;
		}
	}
	reported_open(&d, &t, "heap", "sizes", NULL);
	assert_int_equal(reported_fact(&d, "peak_bytes")->number, peak);
	assert_int_equal(reported_table(&d, "classes")->rows_len, len);
	for (size_t k = 0; k < len; k++) {
		size_t row = reported_row(&d, "classes", "min_bytes", (int64_t)books[k].from);

		assert_int_equal(reported_cell(&d, "classes", row, "max_bytes")->number, books[k].to);
		check(&d, "classes", row, &books[k]);
		if (books[k].from == books[k].to)
			check(&d, "sizes", reported_row(&d, "sizes", "size_bytes", (int64_t)books[k].from), &books[k]);
	}
	reported_release(&d);
	trace_release(&t);
}

static void every_size_has_a_class_and_the_median_is_its_own(void **state)
{
	const uint64_t odd[] = { 0, 5, UINT64_MAX, UINT64_MAX / 2 + 2 };
	struct trace t;
	struct trace_lane lane;
	struct reported d;
	size_t row;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "main");
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	for (unsigned i = 0; i < 4; i++)
		trace_alloc(&t, &lane, 1, 0x1000 * (i + 1), odd[i], 0);
	for (unsigned i = 0; i < 3; i++)
		trace_alloc(&t, &lane, 10, 0x10000 * (i + 1), 100, 0);
	trace_free(&t, &lane, 15, 0x10000);
	trace_free(&t, &lane, 40, 0x20000);
	trace_free(&t, &lane, 90, 0x30000);
	trace_end(&t, 100, 0);
	reported_open(&d, &t, "heap", "sizes", NULL);
	assert_int_equal(reported_table(&d, "classes")->rows_len, 5);
	row = reported_row(&d, "classes", "max_bytes", 0);
	assert_int_equal(reported_cell(&d, "classes", row, "blocks")->number, 1);
	reported_row(&d, "classes", "max_bytes", 5);
	reported_row(&d, "classes", "max_bytes", (int64_t)UINT64_MAX);
	row = reported_row(&d, "classes", "min_bytes", 97);
	assert_int_equal(reported_cell(&d, "classes", row, "max_bytes")->number, 112);
	assert_int_equal(reported_cell(&d, "classes", row, "median_ns")->number, 30);
	reported_release(&d);
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_and_sizes_are_those_of_the_books),
		cmocka_unit_test(every_size_has_a_class_and_the_median_is_its_own),
	};

	return cmocka_run_group_tests_name("analyzer/reports/heap_sizes", tests, NULL, NULL);
}
