/* SPDX-License-Identifier: MIT */
/* test_heap_waste.c - usable bytes by place and allocator, at the peak and in all, worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/trace_report.h"

static int64_t in(struct reported *d, const char *allocator, const char *column)
{
	size_t row = reported_row_text(d, "allocators", "allocator", allocator);

	return reported_cell(d, "allocators", row, column)->number;
}

static int64_t at(struct reported *d, uint64_t place, const char *column)
{
	return reported_cell(d, "places", reported_row_at(d, "places", place), column)->number;
}

static void waste_is_what_the_allocators_round_up(void **state)
{
	struct trace t;
	struct trace_lane lane;
	struct reported d;
	uint32_t small, large;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "main");
	small = trace_stack(&t, 0x10, 0x20);
	large = trace_stack(&t, 0x10, 0x30);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_alloc(&t, &lane, 1, 0x10010, 10, small);	   /* 24 | 16 */
	trace_alloc(&t, &lane, 2, 0x10030, 130, small);	   /* 136 | 160, tcmalloc 144 */
	trace_alloc(&t, &lane, 3, 0x20010, 200000, large); /* mapped: 200704 - 16 | 229376 */
	trace_alloc(&t, &lane, 4, 0x60020, 200000, large); /* the peak; not mapped: 200008 */
	trace_free(&t, &lane, 5, 0x20010);
	trace_alloc(&t, &lane, 6, 0x10100, 1000, small); /* 1000 | 1024 */
	reported_open(&d, &t, "heap", "waste", NULL);
	assert_string_equal(reported_fact(&d, "allocator")->text, "glibc");
	assert_int_equal(reported_fact(&d, "peak_bytes")->number, 400140);
	assert_int_equal(reported_fact(&d, "bytes")->number, 401140);
	assert_int_equal(reported_fact(&d, "alive_bytes")->number, 201140);
	assert_int_equal(reported_fact(&d, "alive_usable")->number, 160 + 200008 + 1000);
	assert_int_equal(at(&d, 0x20, "peak_bytes"), 140);
	assert_int_equal(at(&d, 0x20, "peak_usable"), 160);
	assert_int_equal(at(&d, 0x20, "peak_waste"), 20);
	assert_int_equal(at(&d, 0x20, "waste"), 20);
	assert_int_equal(at(&d, 0x30, "peak_usable"), 200688 + 200008);
	assert_int_equal(at(&d, 0x30, "waste"), 688 + 8);
	assert_int_equal(in(&d, "glibc", "peak_usable"), 160 + 200688 + 200008);
	assert_int_equal(in(&d, "glibc", "peak_heads"), 8 + 8 + 16 + 8);
	assert_int_equal(in(&d, "glibc", "waste"), 20 + 696);
	assert_int_equal(in(&d, "jemalloc", "peak_usable"), 16 + 160 + 2 * 229376);
	assert_int_equal(in(&d, "jemalloc", "waste"), 16 + 160 + 1024 + 2 * 229376 - 401140);
	assert_int_equal(in(&d, "tcmalloc", "peak_usable"), 16 + 144 + 2 * 204800);
	assert_int_equal(in(&d, "mimalloc", "peak_usable"), 16 + 160 + 2 * 262144);
	assert_int_equal(in(&d, "mimalloc", "peak_heads"), 0);
	reported_release(&d);
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waste_is_what_the_allocators_round_up),
	};

	return cmocka_run_group_tests_name("analyzer/reports/heap_waste", tests, NULL, NULL);
}
