/* SPDX-License-Identifier: MIT */
/* test_heap_pages.c - pages and their charges against a count page by page, and the top of the heap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/models/occupancy.h"
#include "tests/support/trace_report.h"

#define PAGE 4096u

static int64_t at(struct reported *d, const char *table, uint64_t place, const char *column)
{
	return reported_cell(d, table, reported_row_at(d, table, place), column)->number;
}

static void the_last_blocks_on_a_page_hold_it(void **state)
{
	struct trace t;
	struct trace_lane lane;
	struct reported d;
	uint32_t pin, bulk;
	uint64_t ns = 0;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "main");
	pin = trace_stack(&t, 0x10, 0x20);
	bulk = trace_stack(&t, 0x10, 0x30);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	/* Ten pages of 7 blocks of 512 bytes and one of 256 that stays, then a block over three pages and a bit. */
	for (uint64_t page = 0; page < 10; page++) {
		for (uint64_t i = 0; i < 7; i++)
			trace_alloc(&t, &lane, ++ns, 0x100000 + PAGE * page + 512 * i, 512, bulk);
		trace_alloc(&t, &lane, ++ns, 0x100000 + PAGE * page + 512 * 7, 256, pin);
	}
	trace_alloc(&t, &lane, ++ns, 0x200000 + 96, 3 * PAGE, bulk);
	for (uint64_t page = 0; page < 10; page++)
		for (uint64_t i = 0; i < 7; i++)
			if (page || i)
				trace_free(&t, &lane, ++ns, 0x100000 + PAGE * page + 512 * i);
	reported_open(&d, &t, "heap", "pages", NULL);
	assert_int_equal(reported_fact(&d, "peak_pages")->number, 14);
	assert_int_equal(reported_fact(&d, "end_pages")->number, 14);
	/* The last page of the large block: 96 bytes of it. */
	assert_int_equal(reported_fact(&d, "peak_empty_bytes")->number, PAGE - 96);
	assert_true(reported_fact(&d, "peak_occupied")->real == (10 * (7 * 512 + 256) + 3 * PAGE) / (14.0 * PAGE));
	assert_int_equal(at(&d, "at_peak", 0x20, "empty_bytes"), 0);
	assert_int_equal(at(&d, "at_peak", 0x20, "pages"), 10);
	assert_int_equal(at(&d, "at_peak", 0x20, "pages_alone"), 0);
	assert_int_equal(at(&d, "at_peak", 0x30, "pages"), 14);
	assert_int_equal(at(&d, "at_peak", 0x30, "pages_alone"), 4);
	/* At the end 9 pages have 256 bytes of one place, one page has 256 and 512 of the other. */
	assert_int_equal(at(&d, "at_end", 0x20, "sparse_pages"), 10);
	assert_int_equal(at(&d, "at_end", 0x20, "pages_alone"), 9);
	assert_int_equal(at(&d, "at_end", 0x20, "blocks"), 10);
	assert_int_equal(at(&d, "at_end", 0x20, "bytes"), 2560);
	assert_int_equal(at(&d, "at_end", 0x20, "empty_bytes"), 9 * (PAGE - 256) + (PAGE - 768 + 1) / 3);
	assert_int_equal(at(&d, "at_end", 0x30, "sparse_pages"), 2);
	assert_int_equal(reported_cell(&d, "occupancy", 0, "end_pages")->number, 10);
	assert_int_equal(reported_cell(&d, "occupancy", 1, "end_pages")->number, 1);
	assert_int_equal(reported_cell(&d, "occupancy", 9, "end_pages")->number, 3);
	assert_int_equal(reported_cell(&d, "occupancy", 9, "peak_pages")->number, 13);
	reported_release(&d);
	trace_release(&t);
}

/* The oracle has a counter for each page and group. */
#define GROUPS 5
#define PAGES 64

static void random_blocks_are_counted_as_page_by_page(void **state)
{
	static uint32_t bytes[PAGES][GROUPS];
	struct occupancy o = { 0 };
	uint64_t random = 9, addr = 0, pages = 0, sparse = 0;
	double empty[GROUPS] = { 0 };

	(void)state;
	while (addr < (PAGES - 8) * PAGE) {
		uint32_t group = (random = random * 6364136223846793005u + 1442695040888963407u) >> 61;
		uint64_t size = 1 + (random >> 40) % ((random >> 30) % 16 ? 300 : 20000);

		group %= GROUPS;
		occupancy_add(&o, addr, size, group);
		for (uint64_t i = 0; i < size; i++)
			bytes[(addr + i) / PAGE][group]++;
		addr += size + (random >> 20) % 3000;
	}
	occupancy_count(&o);
	for (unsigned page = 0; page < PAGES; page++) {
		uint32_t sum = 0;

		for (unsigned g = 0; g < GROUPS; g++)
			sum += bytes[page][g];
		pages += sum != 0;
		sparse += sum && sum < OCCUPANCY_SPARSE;
		for (unsigned g = 0; g < GROUPS && sum < OCCUPANCY_SPARSE; g++)
			empty[g] += sum ? (double)(PAGE - sum) * bytes[page][g] / sum : 0;
	}
	assert_true(sparse > 5);
	assert_int_equal(o.pages, pages);
	assert_int_equal(o.sparse, sparse);
	for (unsigned g = 0; g < GROUPS; g++) {
		uint64_t on = 0, alone = 0;

		for (unsigned page = 0; page < PAGES; page++) {
			uint32_t others = 0;

			for (unsigned k = 0; k < GROUPS; k++)
				others += k == g ? 0 : bytes[page][k];
			on += bytes[page][g] != 0;
			alone += bytes[page][g] && !others;
		}
		assert_int_equal(o.groups[g].pages, on);
		assert_int_equal(o.groups[g].alone, alone);
		assert_true(o.groups[g].empty > empty[g] - 0.01 && o.groups[g].empty < empty[g] + 0.01);
	}
	occupancy_release(&o);
}

static void the_top_is_taken_off_place_by_place(void **state)
{
	struct occupancy o = { 0 };
	struct top_step steps[3];
	uint64_t end;

	(void)state;
	occupancy_add(&o, 0x1000, 0x1000, 0);
	occupancy_add(&o, 0x3000, 16, 1);
	occupancy_add(&o, 0x3010, 16, 1);
	occupancy_add(&o, 0x4000, 32, 0);
	occupancy_add(&o, 0x9000, 64, 1);
	occupancy_add(&o, 0x7f0000000000, 64, 2); /* beyond the range */
	occupancy_count(&o);
	assert_int_equal(occupancy_top(&o, 0x800, 0x10000, steps, 3, &end), 2);
	assert_int_equal(end, 0x9040);
	assert_int_equal(steps[0].group, 1);
	assert_int_equal(steps[0].blocks, 1);
	assert_int_equal(steps[0].freed, 0x9040 - 0x4020);
	assert_int_equal(steps[1].group, 0);
	assert_int_equal(steps[1].blocks, 4);
	assert_int_equal(steps[1].bytes, 0x1000 + 16 + 16 + 32);
	assert_int_equal(steps[1].freed, 0x9040 - 0x1000);
	assert_int_equal(occupancy_top(&o, 0x800, 0x10000, steps, 1, &end), 1);
	assert_int_equal(steps[0].freed, 0x9040 - 0x4020);
	assert_int_equal(occupancy_top(&o, 0x20000, 0x30000, steps, 3, &end), 0);
	occupancy_release(&o);
}

static void a_block_may_end_where_its_page_does(void **state)
{
	struct occupancy o = { 0 };

	(void)state;
	occupancy_add(&o, 0x10000, 2 * PAGE, 0);
	occupancy_add(&o, 0x12f00, 0x100, 0);
	occupancy_count(&o);
	assert_int_equal(o.pages, 3);
	assert_int_equal(o.sparse, 1);
	assert_true(o.bytes == 2 * PAGE + 0x100 && o.empty == PAGE - 0x100);
	occupancy_release(&o);
}

static void a_block_of_no_sense_is_survived(void **state)
{
	struct occupancy o = { 0 };

	(void)state;
	occupancy_add(&o, 0x5000, UINT64_MAX, 0); /* as a damaged dump may say */
	occupancy_add(&o, 0x5800, 10, 1);
	occupancy_add(&o, UINT64_MAX, 0, 1);
	occupancy_count(&o);
	assert_int_equal(o.groups[1].blocks, 2);
	assert_false(o.failed);
	occupancy_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_blocks_on_a_page_hold_it),
		cmocka_unit_test(random_blocks_are_counted_as_page_by_page),
		cmocka_unit_test(the_top_is_taken_off_place_by_place),
		cmocka_unit_test(a_block_may_end_where_its_page_does),
		cmocka_unit_test(a_block_of_no_sense_is_survived),
	};

	return cmocka_run_group_tests_name("analyzer/reports/heap_pages", tests, NULL, NULL);
}
