/* SPDX-License-Identifier: MIT */
/* test_contract_watch.c - breaches by time, thread and region, counted one by one in dumps made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/models/contract.h"
#include "tests/support/trace.h"

#define FRAME_NAME 1
#define OTHER_NAME 2

static void begin(struct trace *t)
{
	trace_init(t);
	trace_header(t)->heap_mode = RSD_HEAP_EXACT;
	trace_add_thread(t, 0, 100, "main");
	trace_add_thread(t, 1, 101, "rt-audio");
	trace_string(t, FRAME_NAME, "frame");
	trace_string(t, OTHER_NAME, "other");
}

static void region(struct trace *t, struct trace_lane *lane, uint64_t ns, bool begins, uint64_t id, uint32_t name)
{
	struct rec_note note = { .id = id, .name = name };

	trace_put(t, lane, begins ? EV_REGION_BEGIN : EV_REGION_END, ns, &note, sizeof(note));
}

/* All of these rules over the dump; the caller releases them. */
static void watch(const struct trace *t, struct contracts *c, const char *const *rules)
{
	struct symbols *symbols = symbols_new(NULL);
	struct stacks *stacks = stacks_new(symbols);
	char *path = trace_write(t, SIZE_MAX);
	struct buf error = { 0 };
	struct analysis a;
	size_t column;

	*c = (struct contracts){ .keep = c->keep };
	for (; *rules; rules++)
		if (contract_parse(c, *rules, "test", 0, &column, &error))
			fail_msg("%s: %s", *rules, buf_string(&error));
	assert_int_equal(analysis_begin(&a, path, stacks, NULL, NULL, &error), 0);
	assert_int_equal(contracts_watch(c, &a, NULL), 0);
	analysis_release(&a);
	stacks_free(stacks);
	symbols_free(symbols);
	unlink(path);
	free(path);
}

static void breaches_are_those_in_the_time_and_thread_of_the_rule(void **state)
{
	static const char *const rules[] = { "no malloc",
					     "no malloc in thread rt-.*",
					     "no malloc in thread rt",
					     "no malloc in thread 101",
					     "no malloc after 30ns",
					     "no malloc after 10ns before 30ns",
					     "no free in thread rt-.*",
					     "no free",
					     NULL };
	static const uint64_t wanted[] = { 4, 2, 0, 2, 2, 2, 1, 2 };
	struct trace t;
	struct trace_lane main, audio;
	struct contracts c = { 0 };

	(void)state;
	begin(&t);
	main = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	audio = trace_lane(&t, RSD_EXTENT_EVENTS, 1, 0);
	trace_alloc(&t, &main, 10, 0x1000, 10, 0);
	trace_alloc(&t, &main, 30, 0x2000, 20, 0);
	trace_free(&t, &main, 35, 0x2000);
	trace_alloc(&t, &audio, 20, 0x3000, 30, 0);
	trace_alloc(&t, &audio, 40, 0x4000, 40, 0);
	trace_free(&t, &audio, 50, 0x1000);
	trace_end(&t, 100, 0);
	watch(&t, &c, rules);
	for (size_t i = 0; i < c.len; i++) {
		if (c.list[i].breaches != wanted[i])
			fail_msg("%s: %d breaches", c.list[i].text, (int)c.list[i].breaches);
		assert_int_equal(c.list[i].status, wanted[i] ? CONTRACT_BROKEN : CONTRACT_KEPT);
	}
	/* Time, thread and bytes of the second rule's. */
	assert_int_equal(c.list[1].list_len, 2);
	assert_int_equal(c.list[1].list[0].ns, 20);
	assert_int_equal(c.list[1].list[0].tid, 101);
	assert_string_equal(c.list[1].list[0].thread, "rt-audio");
	assert_int_equal(c.list[1].list[1].amount, 40);
	contracts_release(&c);
	trace_release(&t);
}

static void a_realloc_is_one_allocation_one_free_and_one_call(void **state)
{
	static const char *const rules[] = { "no malloc", "no free", "no realloc", "no heap", NULL };
	static const uint64_t wanted[] = { 2, 2, 1, 3 };
	struct trace t;
	struct trace_lane lane;
	struct contracts c = { 0 };

	(void)state;
	begin(&t);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_alloc(&t, &lane, 10, 0x1000, 10, 0);
	trace_realloc(&t, &lane, 20, 0x1000, 0x2000, 20, 0);
	trace_free(&t, &lane, 30, 0x2000);
	trace_end(&t, 100, 0);
	watch(&t, &c, rules);
	for (size_t i = 0; i < c.len; i++)
		assert_int_equal(c.list[i].breaches, wanted[i]);
	contracts_release(&c);
	trace_release(&t);
}

static void a_region_is_open_between_its_records_in_its_thread(void **state)
{
	static const char *const rules[] = { "no malloc in region frame", "no malloc in region f.*|other",
					     "no malloc in region fram", NULL };
	static const uint64_t wanted[] = { 2, 3, 0 };
	struct trace t;
	struct trace_lane main, audio;
	struct contracts c = { 0 };

	(void)state;
	begin(&t);
	main = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	audio = trace_lane(&t, RSD_EXTENT_EVENTS, 1, 0);
	trace_alloc(&t, &main, 5, 0x1000, 10, 0);
	region(&t, &main, 10, true, 1, FRAME_NAME);
	trace_alloc(&t, &main, 20, 0x2000, 10, 0);
	region(&t, &main, 30, true, 2, OTHER_NAME);
	trace_alloc(&t, &main, 35, 0x2100, 10, 0); /* in both */
	region(&t, &main, 36, false, 2, OTHER_NAME);
	region(&t, &main, 40, false, 1, FRAME_NAME);
	trace_alloc(&t, &main, 50, 0x3000, 10, 0);
	region(&t, &audio, 1, true, 3, OTHER_NAME);
	trace_alloc(&t, &audio, 22, 0x4000, 10, 0);
	region(&t, &audio, 60, false, 3, OTHER_NAME);
	trace_alloc(&t, &audio, 70, 0x5000, 10, 0);
	trace_end(&t, 100, 0);
	watch(&t, &c, rules);
	for (size_t i = 0; i < c.len; i++)
		assert_int_equal(c.list[i].breaches, wanted[i]);
	contracts_release(&c);
	trace_release(&t);
}

static void a_sum_by_region_is_one_breach_a_region_and_says_what_it_came_to(void **state)
{
	static const char *const rules[] = { "at most 100 bytes per region frame", "at most 2 mallocs per region frame",
					     "at most 300 bytes per region frame", NULL };
	struct trace t;
	struct trace_lane lane;
	struct contracts c = { 0 };
	uint64_t ns = 10;

	(void)state;
	begin(&t);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	/* Region n has n allocations of 60 bytes: 60, 120, 180, 240. */
	for (uint64_t n = 1; n <= 4; n++) {
		region(&t, &lane, ns++, true, n, FRAME_NAME);
		for (uint64_t i = 0; i < n; i++, ns++)
			trace_alloc(&t, &lane, ns, 0x1000 * ns, 60, 0);
		region(&t, &lane, ns++, false, n, FRAME_NAME);
		trace_alloc(&t, &lane, ns, 0x1000 * ns, 5000, 0); /* outside */
		ns++;
	}
	trace_end(&t, 1000, 0);
	watch(&t, &c, rules);
	assert_int_equal(c.list[0].breaches, 3);
	assert_int_equal(c.list[0].list[0].amount, 120);
	assert_int_equal(c.list[0].list[2].amount, 240);
	assert_int_equal(c.list[1].breaches, 2);
	assert_int_equal(c.list[1].list[1].amount, 4);
	assert_int_equal(c.list[2].breaches, 0);
	assert_int_equal(c.list[2].status, CONTRACT_KEPT);
	contracts_release(&c);
	trace_release(&t);
}

static void regions_that_never_end_are_forgotten_from_the_oldest_on(void **state)
{
	static const char *const rules[] = { "no malloc in region frame", "no malloc in region other", NULL };
	struct trace t;
	struct trace_lane lane;
	struct contracts c = { 0 };

	(void)state;
	begin(&t);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	region(&t, &lane, 1, true, 1, OTHER_NAME);
	for (uint64_t id = 2; id <= 1030; id++)
		region(&t, &lane, id, true, id, FRAME_NAME);
	trace_alloc(&t, &lane, 2000, 0x1000, 8, 0);
	trace_end(&t, 3000, 0);
	watch(&t, &c, rules);
	assert_int_equal(c.list[0].breaches, 1);
	assert_int_equal(c.list[1].breaches, 0);
	contracts_release(&c);
	trace_release(&t);
}

static void a_limit_by_call_is_about_single_blocks(void **state)
{
	static const char *const rules[] = { "at most 64 bytes per call", "at most 150 bytes", "at most 3 mallocs",
					     NULL };
	struct trace t;
	struct trace_lane lane;
	struct contracts c = { 0 };

	(void)state;
	begin(&t);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_alloc(&t, &lane, 10, 0x1000, 64, 0);
	trace_alloc(&t, &lane, 20, 0x2000, 65, 0);
	trace_alloc(&t, &lane, 30, 0x3000, 100, 0);
	trace_end(&t, 100, 0);
	watch(&t, &c, rules);
	assert_int_equal(c.list[0].breaches, 2);
	assert_int_equal(c.list[0].events, 3);
	assert_int_equal(c.list[1].breaches, 1); /* crossed once, by the third */
	assert_int_equal(c.list[1].list[0].ns, 30);
	assert_int_equal(c.list[1].list[0].amount, 229);
	assert_int_equal(c.list[2].breaches, 0); /* 3 is allowed */
	contracts_release(&c);
	trace_release(&t);
}

static void waits_have_limits_too(void **state)
{
	static const char *const rules[] = { "no wait in thread rt-.*", "at most 50us wait per call", "at most 3 waits",
					     NULL };
	static const uint64_t wanted[] = { 1, 2, 0 };
	struct trace t;
	struct trace_lane main, audio;
	struct contracts c = { 0 };

	(void)state;
	begin(&t);
	main = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	audio = trace_lane(&t, RSD_EXTENT_EVENTS, 1, 0);
	trace_span(&t, &main, 100000, 50000, WAIT_READ, 3, 0);
	trace_span(&t, &main, 300000, 50001, WAIT_READ, 3, 0);
	trace_span(&t, &audio, 200000, 90000, WAIT_SLEEP, 0, 0);
	trace_end(&t, 1000000, 0);
	watch(&t, &c, rules);
	for (size_t i = 0; i < c.len; i++)
		assert_int_equal(c.list[i].breaches, wanted[i]);
	contracts_release(&c);
	trace_release(&t);
}

static void breaches_beyond_those_kept_are_counted(void **state)
{
	static const char *const rules[] = { "no malloc", NULL };
	struct contracts c = { .keep = 3 };
	struct trace t;
	struct trace_lane lane;

	(void)state;
	begin(&t);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	for (uint64_t i = 1; i <= 10; i++)
		trace_alloc(&t, &lane, i, 0x1000 * i, 8, 0);
	trace_end(&t, 100, 0);
	watch(&t, &c, rules);
	assert_int_equal(c.list[0].breaches, 10);
	assert_int_equal(c.list[0].list_len, 3);
	contracts_release(&c);
	trace_release(&t);
}

static void what_was_not_recorded_proves_nothing(void **state)
{
	static const char *const rules[] = { "no malloc", "no free in f", "no wait", "no malloc in f", NULL };
	static const struct {
		uint32_t heap_mode;
		uint64_t block_ns;
		bool has_free;
		enum contract_status status[4];
	} cases[] = {
		{ RSD_HEAP_EXACT, 1, false, { CONTRACT_KEPT, CONTRACT_KEPT, CONTRACT_KEPT, CONTRACT_KEPT } },
		{ RSD_HEAP_OFF,
		  1,
		  false,
		  { CONTRACT_UNDECIDED, CONTRACT_UNDECIDED, CONTRACT_KEPT, CONTRACT_UNDECIDED } },
		{ RSD_HEAP_SAMPLE,
		  1,
		  false,
		  { CONTRACT_UNDECIDED, CONTRACT_UNDECIDED, CONTRACT_KEPT, CONTRACT_UNDECIDED } },
		{ RSD_HEAP_EXACT,
		  UINT64_MAX,
		  false,
		  { CONTRACT_KEPT, CONTRACT_KEPT, CONTRACT_UNDECIDED, CONTRACT_KEPT } },
		/* A free without a stack may have been anybody's. */
		{ RSD_HEAP_EXACT, 1, true, { CONTRACT_KEPT, CONTRACT_UNDECIDED, CONTRACT_KEPT, CONTRACT_KEPT } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct contracts c = { 0 };
		struct trace t;
		struct trace_lane lane;

		begin(&t);
		trace_header(&t)->heap_mode = cases[i].heap_mode;
		trace_header(&t)->block_ns = cases[i].block_ns;
		lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
		if (cases[i].has_free)
			trace_free(&t, &lane, 10, 0x1000);
		trace_end(&t, 100, 0);
		watch(&t, &c, rules);
		for (size_t r = 0; r < 4; r++)
			if (c.list[r].status != cases[i].status[r])
				fail_msg("case %zu: %s is %d", i, c.list[r].text, (int)c.list[r].status);
		contracts_release(&c);
		trace_release(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(breaches_are_those_in_the_time_and_thread_of_the_rule),
		cmocka_unit_test(a_realloc_is_one_allocation_one_free_and_one_call),
		cmocka_unit_test(a_region_is_open_between_its_records_in_its_thread),
		cmocka_unit_test(a_sum_by_region_is_one_breach_a_region_and_says_what_it_came_to),
		cmocka_unit_test(regions_that_never_end_are_forgotten_from_the_oldest_on),
		cmocka_unit_test(a_limit_by_call_is_about_single_blocks),
		cmocka_unit_test(waits_have_limits_too),
		cmocka_unit_test(breaches_beyond_those_kept_are_counted),
		cmocka_unit_test(what_was_not_recorded_proves_nothing),
	};

	return cmocka_run_group_tests_name("analyzer/models/contract_watch", tests, NULL, NULL);
}
