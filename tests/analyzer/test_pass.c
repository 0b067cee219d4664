/* SPDX-License-Identifier: MIT */
/* test_pass.c - order, threads and filters of the merged stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/pass.h"
#include "format/kinds.h"
#include "tests/support/trace_analysis.h"

#define EVENTS_MAX 64

struct seen {
	size_t len;
	struct {
		enum rsd_event_kind kind;
		uint64_t ns, addr;
		uint32_t thread;
	} list[EVENTS_MAX];
};

static void see(void *self, const struct pass_event *e)
{
	struct seen *seen = self;

	assert_true(seen->len < EVENTS_MAX);
	seen->list[seen->len].kind = e->ev->kind;
	seen->list[seen->len].ns = e->tick - TRACE_START;
	seen->list[seen->len].addr = e->ev->kind == EV_SAMPLE ? 0 : e->ev->free.addr;
	seen->list[seen->len++].thread = e->thread;
}

static struct pass_stats run(const struct trace *t, const struct pass_filter *filter, struct seen *seen)
{
	struct symbols *symbols = symbols_new(NULL);
	struct stacks *stacks = stacks_new(symbols);
	struct pass_sink sink = { .self = seen };
	const struct pass_sink *sinks[] = { &sink };
	struct pass_stats stats = { 0 };
	struct buf error = { 0 };
	struct recording rec;
	char *path = trace_write(t, SIZE_MAX);

	seen->len = 0;
	for (unsigned i = 0; i < EV_LIMIT; i++)
		sink.on[i] = kind_info(i) ? see : NULL;
	assert_int_equal(recording_open(&rec, path, stacks, &error), 0);
	assert_int_equal(pass_run(&rec, filter, sinks, 1, &stats, NULL), 0);
	recording_release(&rec);
	unlink(path);
	free(path);
	stacks_free(stacks);
	symbols_free(symbols);
	return stats;
}

static void threads_are_merged_by_time(void **state)
{
	struct trace t;
	struct trace_lane a, b;
	struct seen seen;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "a");
	trace_add_thread(&t, 1, 101, "b");
	a = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	b = trace_lane(&t, RSD_EXTENT_EVENTS, 1, 0);
	for (uint64_t i = 0; i < 10; i++) {
		trace_alloc(&t, &a, 20 * i, 0x1000 + 16 * i, 8, 0);
		trace_alloc(&t, &b, 20 * i + 10, 0x2000 + 16 * i, 8, 0);
	}
	assert_int_equal(run(&t, NULL, &seen).events, 20);
	assert_int_equal(seen.len, 20);
	for (size_t i = 0; i < seen.len; i++) {
		assert_int_equal(seen.list[i].ns, 10 * i);
		assert_int_equal(seen.list[i].thread, i & 1);
	}
	trace_release(&t);
}

static void a_free_comes_before_an_allocation_of_the_same_moment(void **state)
{
	struct trace t;
	struct trace_lane a, b;
	struct seen seen;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "a");
	trace_add_thread(&t, 1, 101, "b");
	a = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	b = trace_lane(&t, RSD_EXTENT_EVENTS, 1, 0);
	trace_alloc(&t, &a, 50, 0x1000, 8, 0);
	trace_free(&t, &b, 50, 0x1000);
	run(&t, NULL, &seen);
	assert_int_equal(seen.list[0].kind, EV_FREE);
	assert_int_equal(seen.list[1].kind, EV_ALLOC);
	trace_release(&t);
}

static void an_extent_switches_threads(void **state)
{
	struct trace t;
	struct trace_lane lane;
	struct rec_thread to = { .thread = 1 }, nobody = { .thread = 77 };
	struct seen seen;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "a");
	trace_add_thread(&t, 1, 101, "b");
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_alloc(&t, &lane, 1, 0x1000, 8, 0);
	trace_put(&t, &lane, EV_THREAD, 2, &to, sizeof(to));
	trace_alloc(&t, &lane, 3, 0x2000, 8, 0);
	trace_put(&t, &lane, EV_THREAD, 4, &nobody, sizeof(nobody));
	trace_alloc(&t, &lane, 5, 0x3000, 8, 0);
	run(&t, NULL, &seen);
	assert_int_equal(seen.len, 3);
	assert_int_equal(seen.list[0].thread, 0);
	assert_int_equal(seen.list[1].thread, 1);
	assert_int_equal(seen.list[2].thread, PASS_NO_THREAD);
	trace_release(&t);
}

static void a_window_and_threads_are_let_through(void **state)
{
	struct trace t;
	struct trace_lane a, b;
	bool threads[2] = { false, true };
	struct pass_filter filter = { .from_ns = 20, .to_ns = 60, .threads = threads };
	struct seen seen;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "a");
	trace_add_thread(&t, 1, 101, "b");
	a = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	b = trace_lane(&t, RSD_EXTENT_EVENTS, 1, 0);
	for (uint64_t i = 0; i < 10; i++) {
		trace_alloc(&t, &a, 10 * i, 0x1000 + 16 * i, 8, 0);
		trace_alloc(&t, &b, 10 * i + 1, 0x2000 + 16 * i, 8, 0);
	}
	trace_free(&t, &a, 95, 0x1000);
	run(&t, &filter, &seen);
	assert_int_equal(seen.len, 4); /* 21, 31, 41, 51 */
	for (size_t i = 0; i < seen.len; i++) {
		assert_int_equal(seen.list[i].thread, 1);
		assert_int_equal(seen.list[i].ns, 21 + 10 * i);
	}
	trace_release(&t);
}

static void unknown_kinds_are_stepped_over(void **state)
{
	struct trace t;
	struct trace_lane lane;
	uint64_t future[4] = { 0 };
	struct seen seen;
	struct pass_stats stats;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "a");
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_put(&t, &lane, (enum rsd_event_kind)200, 5, future, sizeof(future));
	trace_alloc(&t, &lane, 6, 0x1000, 8, 0);
	stats = run(&t, NULL, &seen);
	assert_int_equal(stats.unknown, 1);
	assert_int_equal(seen.len, 1);
	assert_int_equal(seen.list[0].ns, 6);
	trace_release(&t);
}

/* More extents than any thread has open: they are opened when their time comes. */
static void many_extents_of_one_thread_follow_each_other(void **state)
{
	struct trace t;
	struct seen seen;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "a");
	for (uint64_t i = 0; i < 40; i++) {
		uint64_t at = 39 - i; /* the file's order is not the time's */
		struct trace_lane lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 100 * at);

		trace_alloc(&t, &lane, 100 * at + 7, 0x1000 + 16 * at, 8, 0);
	}
	run(&t, NULL, &seen);
	assert_int_equal(seen.len, 40);
	for (size_t i = 0; i < seen.len; i++)
		assert_int_equal(seen.list[i].ns, 100 * i + 7);
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_are_merged_by_time),
		cmocka_unit_test(a_free_comes_before_an_allocation_of_the_same_moment),
		cmocka_unit_test(an_extent_switches_threads),
		cmocka_unit_test(a_window_and_threads_are_let_through),
		cmocka_unit_test(unknown_kinds_are_stepped_over),
		cmocka_unit_test(many_extents_of_one_thread_follow_each_other),
	};

	return cmocka_run_group_tests_name("analyzer/pass", tests, NULL, NULL);
}
