/* SPDX-License-Identifier: MIT */
/* test_heap.c - counting rules, the exact peak and its shares, and sampled weights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "analyzer/models/heap.h"
#include "tests/support/trace_analysis.h"

static void a_realloc_is_one_free_and_one_allocation(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane lane;
	const struct heap_site *site;
	uint32_t first, second;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "main");
	first = trace_stack(&t, 0x10, 0x20);
	second = trace_stack(&t, 0x10, 0x30);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_alloc(&t, &lane, 1, 0x1000, 100, first);
	trace_realloc(&t, &lane, 2, 0x1000, 0x1000, 300, second);
	trace_free(&t, &lane, 3, 0x1000);
	trace_free(&t, &lane, 4, 0x9990); /* older than the recording */
	traced_open(&d, &t, NULL);
	assert_int_equal(weight_count(d.a.heap.total.allocations), 2);
	assert_int_equal(weight_count(d.a.heap.total.frees), 2);
	assert_int_equal(d.a.heap.total.allocated_bytes, 400);
	assert_int_equal(d.a.heap.total.peak_bytes, 300);
	assert_int_equal(d.a.heap.total.live_bytes, 0);
	assert_int_equal(d.a.heap.unknown_frees, 1);
	site = traced_heap_site(&d, first);
	assert_int_equal(weight_count(site->frees), 1);
	assert_int_equal(site->peak_bytes, 0);
	assert_int_equal(traced_heap_site(&d, second)->peak_bytes, 300);
	traced_release(&d);
	trace_release(&t);
}

static void temporary_means_before_the_threads_next_allocation(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane a, b;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "a");
	trace_add_thread(&t, 1, 101, "b");
	a = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	b = trace_lane(&t, RSD_EXTENT_EVENTS, 1, 0);
	trace_alloc(&t, &a, 1, 0x1000, 8, 0);
	trace_alloc(&t, &b, 2, 0x2000, 8, 0); /* another thread's does not count */
	trace_free(&t, &a, 3, 0x1000);	      /* temporary */
	trace_alloc(&t, &a, 4, 0x3000, 8, 0);
	trace_alloc(&t, &a, 5, 0x4000, 8, 0);
	trace_free(&t, &a, 6, 0x3000); /* not: 0x4000 came between */
	trace_free(&t, &b, 7, 0x4000); /* temporary, whoever frees */
	traced_open(&d, &t, NULL);
	assert_int_equal(weight_count(d.a.heap.total.temporary), 2);
	assert_int_equal(weight_count(d.a.heap.total.other_thread_frees), 1);
	traced_release(&d);
	trace_release(&t);
}

static void an_address_handed_out_twice_lost_a_free(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane lane;
	struct buf losses = { 0 };

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "main");
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_alloc(&t, &lane, 1, 0x1000, 100, 0);
	trace_alloc(&t, &lane, 2, 0x1000, 40, 0);
	traced_open(&d, &t, NULL);
	assert_int_equal(d.a.heap.missed_frees, 1);
	assert_int_equal(d.a.heap.total.live_bytes, 40);
	assert_int_equal(weight_count(d.a.heap.total.live_blocks), 1);
	assert_int_equal(analysis_losses(&d.a, &losses), 1);
	buf_release(&losses);
	traced_release(&d);
	trace_release(&t);
}

/* The oracle keeps everything: after each event all sites are copied when the total is a new maximum. */
#define SITES 7
#define BLOCKS 200

static void shares_of_the_peak_are_exact(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane lane;
	uint32_t stacks[SITES];
	uint64_t live[SITES] = { 0 }, best[SITES] = { 0 }, total = 0, peak = 0, peak_ns = 0, random = 1;
	uint64_t size[BLOCKS] = { 0 };
	unsigned site_of[BLOCKS] = { 0 };

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "main");
	for (unsigned i = 0; i < SITES; i++)
		stacks[i] = trace_stack(&t, 0x100, 0x200 + i);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	for (uint64_t ns = 1; ns < 4000; ns++) {
		unsigned block = (random = random * 6364136223846793005u + 1442695040888963407u) >> 33, site;

		block %= BLOCKS;
		if (size[block]) {
			trace_free(&t, &lane, ns, 0x10000 + 32 * (uint64_t)block);
			live[site_of[block]] -= size[block];
			total -= size[block];
			size[block] = 0;
			continue;
		}
		site = site_of[block] = (random >> 20) % SITES;
		size[block] = 1 + (random >> 40) % 1000;
		trace_alloc(&t, &lane, ns, 0x10000 + 32 * (uint64_t)block, size[block], stacks[site]);
		live[site] += size[block];
		total += size[block];
		if (total > peak) {
			peak = total;
			peak_ns = ns;
			memcpy(best, live, sizeof(best));
		}
	}
	traced_open(&d, &t, NULL);
	assert_int_equal(d.a.heap.total.peak_bytes, peak);
	assert_int_equal(d.a.heap.peak_ns, peak_ns);
	assert_int_equal(d.a.heap.total.live_bytes, total);
	for (unsigned i = 0; i < SITES; i++) {
		assert_int_equal(traced_heap_site(&d, stacks[i])->peak_bytes, best[i]);
		assert_int_equal(traced_heap_site(&d, stacks[i])->live_bytes, live[i]);
	}
	traced_release(&d);
	trace_release(&t);
}

static void samples_stand_for_what_was_not_recorded(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane lane;
	struct rec_alloc rec = { .addr = 0x1000, .size = 64, .api = API_MALLOC };
	double weight = 1 / -expm1(-64.0 / 4096);

	(void)state;
	trace_init(&t);
	trace_header(&t)->heap_mode = RSD_HEAP_SAMPLE;
	trace_header(&t)->sample_bytes = 4096;
	trace_add_thread(&t, 0, 100, "main");
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_put(&t, &lane, EV_SAMPLED_ALLOC, 1, &rec, sizeof(rec));
	traced_open(&d, &t, NULL);
	assert_int_equal(weight_count(d.a.heap.total.allocations), llround(weight));
	assert_int_equal(d.a.heap.total.allocated_bytes, llround(64 * weight));
	assert_int_equal(d.a.heap.total.live_bytes, d.a.heap.total.allocated_bytes);
	traced_release(&d);
	trace_free(&t, &lane, 2, 0x1000);
	traced_open(&d, &t, NULL);
	assert_int_equal(d.a.heap.total.live_bytes, 0);
	assert_int_equal(weight_count(d.a.heap.total.frees), llround(weight));
	traced_release(&d);
	trace_release(&t);
}

static void blocks_older_than_the_ring_are_known_by_the_table(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane lane;
	struct rec_alloc rec = { .addr = 0x2000, .size = 1 << 20, .api = API_MALLOC };
	uint32_t stack;

	(void)state;
	trace_init(&t);
	trace_header(&t)->heap_mode = RSD_HEAP_SAMPLE;
	trace_header(&t)->sample_bytes = 4096;
	trace_header(&t)->ring_bytes = 1 << 20;
	trace_add_thread(&t, 0, 100, "main");
	rec.stack = stack = trace_stack(&t, 0x10, 0x20);
	trace_add_live(&t, 0, 5, 0x1000, 1 << 20, stack); /* its record is gone */
	trace_add_live(&t, 0, 60, 0x2000, 1 << 20, stack);
	trace_add_live(&t, 9, 7, 0x3000, 1 << 20, stack); /* of a thread that has no events here */
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 50);
	trace_put(&t, &lane, EV_SAMPLED_ALLOC, 60, &rec, sizeof(rec));
	traced_open(&d, &t, NULL);
	assert_int_equal(weight_count(d.a.heap.total.allocations), 3);
	assert_int_equal(d.a.heap.total.live_bytes, 3 << 20);
	assert_int_equal(traced_heap_site(&d, stack)->live_bytes, 3 << 20);
	assert_int_equal(d.a.heap.missed_frees, 0);
	traced_release(&d);
	trace_release(&t);
}

static void a_table_of_blocks_forgets_none(void **state)
{
	struct live l = { 0 };
	struct block old;
	bool had;

	(void)state;
	for (uint64_t i = 1; i <= 20000; i++) {
		struct block b = { .addr = 16 * i, .size = i };

		assert_int_equal(live_add(&l, &b, &old, &had), 0);
		assert_false(had);
		if (i % 3 == 0)
			assert_true(live_remove(&l, 16 * (i - 1), &old));
	}
	for (uint64_t i = 1; i <= 20000; i++) {
		const struct block *b = live_find(&l, 16 * i);

		assert_int_equal(b != NULL, !(i % 3 == 2 && i < 20000));
		assert_true(!b || b->size == i);
	}
	assert_ptr_equal(live_containing(&l, 16 * 19999 + 15), live_find(&l, 16 * 19999));
	live_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_realloc_is_one_free_and_one_allocation),
		cmocka_unit_test(temporary_means_before_the_threads_next_allocation),
		cmocka_unit_test(an_address_handed_out_twice_lost_a_free),
		cmocka_unit_test(shares_of_the_peak_are_exact),
		cmocka_unit_test(samples_stand_for_what_was_not_recorded),
		cmocka_unit_test(blocks_older_than_the_ring_are_known_by_the_table),
		cmocka_unit_test(a_table_of_blocks_forgets_none),
	};

	return cmocka_run_group_tests_name("analyzer/models/heap", tests, NULL, NULL);
}
