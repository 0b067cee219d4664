/* SPDX-License-Identifier: MIT */
/* test_waits.c - blocked time, lock holders, descriptors and the accounts of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/trace_analysis.h"

#define LOCK 0x5000

static void begin(struct trace *t)
{
	trace_init(t);
	trace_add_thread(t, 0, 100, "waiter");
	trace_add_thread(t, 1, 101, "holder");
}

static void only_time_off_the_cpu_is_blocked(void **state)
{
	static const struct {
		const char *what;
		uint64_t dur, cpu, since, blocked, excess;
	} cases[] = {
		{ "no reading of the clock", 100, 0, 0, 100, 0 },
		{ "asleep all the time", 100, 0, 100, 100, 0 },
		{ "half of it on the CPU", 100, 50, 100, 50, 0 },
		{ "off the CPU before it too", 100, 200, 400, 100, 100 },
		{ "on the CPU all the time", 100, 400, 400, 0, 0 },
		{ "clocks that disagree", 100, 500, 400, 0, 0 },
	};
	struct clock clock = { .mult = UINT64_C(1) << 32 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rec_span span = { .dur_ticks = cases[i].dur,
					 .cpu_ns = cases[i].cpu,
					 .since_ticks = cases[i].since,
					 .wait = WAIT_READ };
		struct span_time t = span_split(&clock, &span);

		assert_int_equal(t.blocked_ns, cases[i].blocked);
		assert_int_equal(t.excess_ns, cases[i].excess);
		span.wait = WAIT_SPIN;
		assert_int_equal(span_split(&clock, &span).blocked_ns, cases[i].dur);
		assert_int_equal(span_split(&clock, &span).off_ns, cases[i].blocked);
	}
}

static void sites_sum_up_to_kinds_and_totals(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane lane;
	uint32_t a, b;
	uint64_t sum = 0;

	(void)state;
	begin(&t);
	a = trace_stack(&t, 0x10, 0x20);
	b = trace_stack(&t, 0x10, 0x30);
	trace_thread(&t, 0)->wait[WAIT_READ] = (struct rsd_thread_wait){ .calls = 10, .short_ticks = 7 };
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	for (uint64_t i = 1; i <= 5; i++) {
		trace_span(&t, &lane, 1000 * i, 100 * i, WAIT_READ, 3, a);
		trace_span(&t, &lane, 1000 * i + 500, 20, WAIT_SLEEP, 0, b);
	}
	trace_end(&t, 10000, 0);
	traced_open(&d, &t, NULL);
	assert_int_equal(d.a.waits.kinds[WAIT_READ].calls, 10);
	assert_int_equal(d.a.waits.kinds[WAIT_READ].spans, 5);
	assert_int_equal(d.a.waits.kinds[WAIT_READ].blocked_ns, 1500);
	assert_int_equal(d.a.waits.kinds[WAIT_READ].short_ns, 7);
	assert_int_equal(d.a.waits.kinds[WAIT_READ].blocked->max, 500);
	assert_int_equal(d.a.waits.kinds[WAIT_SLEEP].calls, 5); /* never fewer than spans */
	assert_int_equal(d.a.waits.total.calls, 15);
	assert_int_equal(traced_wait_site(&d, WAIT_READ, a)->blocked_ns, 1500);
	assert_int_equal(traced_wait_site(&d, WAIT_SLEEP, b)->spans, 5);
	for (size_t i = 0; i < d.a.waits.sites_len; i++)
		sum += d.a.waits.sites[i].blocked_ns;
	assert_int_equal(sum, d.a.waits.total.blocked_ns);
	traced_release(&d);
	trace_release(&t);
}

static void a_wait_is_shared_out_at_the_releases_inside_it(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane waiter, holder;
	uint32_t wait, flush, merge;

	(void)state;
	begin(&t);
	wait = trace_stack(&t, 0x10, 0x20);
	flush = trace_stack(&t, 0x10, 0x30);
	merge = trace_stack(&t, 0x10, 0x40);
	waiter = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	holder = trace_lane(&t, RSD_EXTENT_EVENTS, 1, 0);
	trace_hold(&t, &holder, 90, LOCK, merge); /* before the wait: not its cause */
	trace_hold(&t, &holder, 400, LOCK, flush);
	trace_hold(&t, &holder, 1000, LOCK, merge);
	trace_span(&t, &waiter, 1100, 1000, WAIT_MUTEX, LOCK, wait); /* from 100 on */
	trace_end(&t, 2000, 0);
	traced_open(&d, &t, NULL);
	assert_int_equal(traced_lock(&d, LOCK)->wait_ns, 1000);
	assert_int_equal(traced_lock(&d, LOCK)->contentions, 1);
	assert_int_equal(traced_lock(&d, LOCK)->wait, WAIT_MUTEX);
	assert_int_equal(traced_holder(&d, LOCK, flush)->wait_ns, 300);
	assert_int_equal(traced_holder(&d, LOCK, merge)->wait_ns, 700);
	assert_int_equal(traced_holder(&d, LOCK, flush)->tid, 101);
	traced_release(&d);
	trace_release(&t);
}

static void a_holder_is_told_with_what_it_waited_for_itself(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane waiter, holder;
	struct rec_hold hold = { .object = LOCK, .held_ticks = 800, .waiters = 1, .wait = WAIT_MUTEX };
	const struct lock_holder *found;
	uint32_t sync;

	(void)state;
	begin(&t);
	hold.stack = trace_stack(&t, 0x10, 0x30);
	sync = trace_stack(&t, 0x10, 0x40);
	waiter = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	holder = trace_lane(&t, RSD_EXTENT_EVENTS, 1, 0);
	trace_span(&t, &holder, 190, 50, WAIT_READ, 3, sync); /* before it had the lock, from 200 on */
	trace_span(&t, &holder, 500, 200, WAIT_FSYNC, 3, sync);
	trace_span(&t, &holder, 900, 300, WAIT_FSYNC, 3, sync);
	trace_put(&t, &holder, EV_HOLD, 1000, &hold, sizeof(hold));
	trace_span(&t, &waiter, 1010, 600, WAIT_MUTEX, LOCK, 0);
	trace_end(&t, 2000, 0);
	traced_open(&d, &t, NULL);
	found = traced_holder(&d, LOCK, hold.stack);
	assert_int_equal(found->inside_len, 1);
	assert_int_equal(found->inside[0].wait, WAIT_FSYNC);
	assert_int_equal(found->inside[0].blocked_ns, 500);
	assert_int_equal(found->inside[0].times, 2);
	assert_int_equal(found->inside[0].stack.v, traced_stack(&d, sync).v);
	traced_release(&d);
	trace_release(&t);
}

static void a_wait_given_up_belongs_to_the_owners_next_release(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane waiter, holder;
	struct rec_span span = { .dur_ticks = 500, .object = LOCK, .peer = 101, .wait = WAIT_MUTEX, .err = 110 };
	uint32_t flush;

	(void)state;
	begin(&t);
	flush = trace_stack(&t, 0x10, 0x30);
	waiter = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	holder = trace_lane(&t, RSD_EXTENT_EVENTS, 1, 0);
	trace_put(&t, &waiter, EV_SPAN, 600, &span, sizeof(span));
	trace_end(&t, 2000, 0);
	traced_open(&d, &t, NULL);
	assert_int_equal(traced_holder(&d, LOCK, 0)->tid, 101);
	assert_int_equal(traced_holder(&d, LOCK, 0)->wait_ns, 500);
	traced_release(&d);
	trace_hold(&t, &holder, 900, LOCK, flush);
	traced_open(&d, &t, NULL);
	assert_null(traced_holder(&d, LOCK, 0));
	assert_int_equal(traced_holder(&d, LOCK, flush)->wait_ns, 500);
	traced_release(&d);
	trace_release(&t);
}

/* More releases inside one wait than are remembered: nothing is lost, only given to the oldest known. */
static void holders_always_sum_up_to_the_wait(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane waiter, holder;
	uint32_t stacks[5];
	uint64_t sum = 0;

	(void)state;
	begin(&t);
	for (unsigned i = 0; i < 5; i++)
		stacks[i] = trace_stack(&t, 0x10, 0x20 + i);
	waiter = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	holder = trace_lane(&t, RSD_EXTENT_EVENTS, 1, 0);
	for (uint64_t i = 1; i <= 1000; i++)
		trace_hold(&t, &holder, 7 * i, LOCK, stacks[i % 5]);
	trace_span(&t, &waiter, 7003, 6999, WAIT_MUTEX, LOCK, 0);
	traced_open(&d, &t, NULL);
	for (size_t i = 0; i < d.a.locks.holders_len; i++)
		sum += d.a.locks.holders[i].wait_ns;
	assert_int_equal(sum, 6999);
	assert_int_equal(traced_lock(&d, LOCK)->wait_ns, 6999);
	traced_release(&d);
	trace_release(&t);
}

static void a_lock_in_a_block_is_named_by_who_allocated_it(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane lane;

	(void)state;
	begin(&t);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_alloc(&t, &lane, 5, LOCK - 0x18, 256, trace_stack(&t, 0x10, 0x20));
	trace_span(&t, &lane, 900, 500, WAIT_MUTEX, LOCK, 0);
	trace_free(&t, &lane, 950, LOCK - 0x18);
	traced_open(&d, &t, NULL);
	assert_non_null(strstr(traced_lock(&d, LOCK)->name, "+0x18"));
	assert_non_null(strstr(traced_lock(&d, LOCK)->name, "block allocated by"));
	traced_release(&d);
	trace_release(&t);
}

static void blocked_time_goes_to_the_descriptor_of_that_time(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane lane;
	struct rec_fd closed = { .fd = 3, .name = 1, .calls = 4, .bytes_read = 100 };
	struct rsd_fd open = {
		.name = 2, .own.calls = 1, .own.bytes_written = 20, .others.calls = 1, .others.bytes_written = 30
	};

	(void)state;
	begin(&t);
	trace_string(&t, 1, "/data/in");
	trace_string(&t, 2, "/data/out");
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_span(&t, &lane, 500, 300, WAIT_READ, 3, 0);
	trace_put(&t, &lane, EV_FD_CLOSE, 600, &closed, sizeof(closed));
	trace_span(&t, &lane, 900, 200, WAIT_WRITE, 3, 0);
	trace_add_fd(&t, 3, &open);
	traced_open(&d, &t, NULL);
	assert_int_equal(d.a.fds.rows_len, 2);
	assert_string_equal(d.a.fds.rows[0].path, "/data/in");
	assert_int_equal(d.a.fds.rows[0].blocked_ns, 300);
	assert_int_equal(d.a.fds.rows[0].bytes_read, 100);
	assert_string_equal(d.a.fds.rows[1].path, "/data/out");
	assert_int_equal(d.a.fds.rows[1].blocked_ns, 200);
	traced_release(&d);
	trace_release(&t);
}

static void the_accounts_of_a_thread_balance(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane lane;
	struct rec_span span = { .dur_ticks = 300, .cpu_ns = 400, .since_ticks = 900, .wait = WAIT_READ };
	const struct thread_row *row;

	(void)state;
	begin(&t);
	trace_thread(&t, 0)->cpu_ns = 450;
	trace_thread(&t, 0)->wait[WAIT_READ].short_ticks = 50;
	trace_thread(&t, 1)->waiting = WAIT_COND;
	trace_thread(&t, 1)->waiting_since = TRACE_START + 200;
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_put(&t, &lane, EV_SPAN, 950, &span, sizeof(span));
	trace_end(&t, 1000, 0);
	traced_open(&d, &t, NULL);
	assert_int_equal(d.a.threads.rows_len, 2);
	row = &d.a.threads.rows[0];
	/* Off the CPU for 500: 300 of it this wait's, 50 in short calls, 150 on the run queue. */
	assert_int_equal(row->wall_ns, 1000);
	assert_int_equal(row->cpu_ns, 450);
	assert_int_equal(row->blocked_ns, 350);
	assert_int_equal(row->runnable_ns, 150);
	assert_int_equal(row->unknown_ns, 50);
	row = &d.a.threads.rows[1];
	assert_int_equal(row->waiting, WAIT_COND);
	assert_int_equal(row->blocked_ns, 800);
	assert_int_equal(row->unknown_ns, 200);
	traced_release(&d);
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_time_off_the_cpu_is_blocked),
		cmocka_unit_test(sites_sum_up_to_kinds_and_totals),
		cmocka_unit_test(a_wait_is_shared_out_at_the_releases_inside_it),
		cmocka_unit_test(a_holder_is_told_with_what_it_waited_for_itself),
		cmocka_unit_test(a_wait_given_up_belongs_to_the_owners_next_release),
		cmocka_unit_test(holders_always_sum_up_to_the_wait),
		cmocka_unit_test(a_lock_in_a_block_is_named_by_who_allocated_it),
		cmocka_unit_test(blocked_time_goes_to_the_descriptor_of_that_time),
		cmocka_unit_test(the_accounts_of_a_thread_balance),
	};

	return cmocka_run_group_tests_name("analyzer/models/waits", tests, NULL, NULL);
}
