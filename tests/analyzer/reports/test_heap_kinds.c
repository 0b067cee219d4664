/* SPDX-License-Identifier: MIT */
/* test_heap_kinds.c - the calls behind blocks, pools and mappings beside the heap, and the recorder's own share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/trace_report.h"

static void put_alloc(struct trace *t, struct trace_lane *lane, uint64_t ns, uint64_t addr, uint64_t size, uint16_t api)
{
	struct rec_alloc rec = { .addr = addr, .size = size, .api = api };

	trace_put(t, lane, EV_ALLOC, ns, &rec, sizeof(rec));
}

static int64_t of_call(struct reported *d, const char *call, const char *column)
{
	return reported_cell(d, "kinds", reported_row_text(d, "kinds", "call", call), column)->number;
}

static void blocks_are_counted_by_the_call_that_made_them(void **state)
{
	struct trace t;
	struct trace_lane lane;
	struct reported d;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "main");
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_alloc(&t, &lane, 1, 0x1000, 100, 0); /* the short form of malloc */
	put_alloc(&t, &lane, 2, 0x2000, 200, API_MALLOC);
	put_alloc(&t, &lane, 3, 0x3000, 1000, API_POSIX_MEMALIGN);
	put_alloc(&t, &lane, 4, 0x4000, 50, API_CALLOC);
	trace_free(&t, &lane, 5, 0x3000);
	trace_realloc(&t, &lane, 6, 0x1000, 0x1000, 300, 0);
	put_alloc(&t, &lane, 7, 0x5000, 7, 999); /* a call of a later version */
	reported_open(&d, &t, "heap", "kinds", NULL);
	assert_int_equal(reported_fact(&d, "peak_bytes")->number, 1350);
	assert_int_equal(reported_fact(&d, "alive_bytes")->number, 557);
	assert_int_equal(of_call(&d, "malloc", "blocks"), 2);
	assert_int_equal(of_call(&d, "malloc", "bytes"), 300);
	assert_int_equal(of_call(&d, "malloc", "peak_bytes"), 300);
	assert_int_equal(of_call(&d, "malloc", "alive_bytes"), 200);
	assert_int_equal(of_call(&d, "realloc", "peak_bytes"), 0);
	assert_int_equal(of_call(&d, "realloc", "alive_bytes"), 300);
	assert_int_equal(of_call(&d, "posix_memalign", "peak_blocks"), 1);
	assert_int_equal(of_call(&d, "posix_memalign", "alive_bytes"), 0);
	assert_int_equal(of_call(&d, "calloc", "alive_bytes"), 50);
	assert_int_equal(of_call(&d, "[unknown]", "alive_bytes"), 7);
	reported_release(&d);
	trace_release(&t);
}

static void pools_and_mappings_stand_beside_the_heap(void **state)
{
	struct rec_pool pool = { .pool = 0x77, .addr = 0x1010, .size = 40, .name = 1 };
	struct rec_alloc map = { .addr = 0x70000, .size = 0x3000, .api = API_MMAP };
	struct rec_pages unmap = { .addr = 0x70000, .size = 0x1000, .api = API_MUNMAP };
	struct trace t;
	struct trace_lane lane;
	struct reported d;
	size_t row;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "main");
	trace_string(&t, 1, "nodes");
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	map.stack = trace_stack(&t, 0x10, 0x20);
	trace_put(&t, &lane, EV_PAGES_MAP, 1, &map, sizeof(map));
	trace_put(&t, &lane, EV_POOL_ALLOC, 2, &pool, sizeof(pool));
	trace_put(&t, &lane, EV_PAGES_UNMAP, 3, &unmap, sizeof(unmap));
	trace_put(&t, &lane, EV_PAGES_MAP, 4, &map, sizeof(map));
	trace_header(&t)->counter[COUNT_OWN_BYTES] = 123456;
	reported_open(&d, &t, "heap", "kinds", NULL);
	assert_int_equal(reported_fact(&d, "mapped_bytes")->number, 0x6000);
	assert_int_equal(reported_fact(&d, "peak_mapped_bytes")->number, 0x5000);
	assert_int_equal(reported_fact(&d, "peak_bytes")->number, 0);
	assert_int_equal(reported_fact(&d, "recorder_bytes")->number, 123456);
	assert_int_equal(reported_fact(&d, "dump_bytes")->number, trace_size(&t));
	assert_false(reported_fact(&d, "max_rss_bytes")->is_set);
	row = reported_row_text(&d, "pools", "pool", "nodes");
	assert_int_equal(reported_cell(&d, "pools", row, "alive_bytes")->number, 40);
	row = reported_row_at(&d, "mappings", 0x20);
	assert_int_equal(reported_cell(&d, "mappings", row, "maps")->number, 2);
	assert_int_equal(reported_cell(&d, "mappings", row, "bytes")->number, 0x6000);
	reported_release(&d);
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_counted_by_the_call_that_made_them),
		cmocka_unit_test(pools_and_mappings_stand_beside_the_heap),
	};

	return cmocka_run_group_tests_name("analyzer/reports/heap_kinds", tests, NULL, NULL);
}
