/* SPDX-License-Identifier: MIT */
/* test_cpu.c - samples share out exactly the time that the clocks saw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/trace_analysis.h"

static uint64_t sum_of_sites(const struct cpu *c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < c->sites_len; i++)
		sum += c->sites[i].cpu_ns;
	return sum;
}

static void a_threads_time_is_spread_over_its_own_samples(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane a, b;
	uint32_t hot, cold;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 500, "a");
	trace_add_thread(&t, 1, 101, "b");
	trace_thread(&t, 0)->cpu_ns = 1000000;
	trace_thread(&t, 1)->cpu_ns = 3000000;
	hot = trace_stack(&t, 0x10, 0x20);
	cold = trace_stack(&t, 0x10, 0x30);
	a = trace_lane(&t, RSD_EXTENT_SAMPLES, 0, 0);
	b = trace_lane(&t, RSD_EXTENT_SAMPLES, 1, 0);
	for (uint64_t i = 0; i < 30; i++) {
		trace_sample(&t, &a, 100 * i, 0, i % 3 ? hot : cold, 1);
		trace_sample(&t, &b, 100 * i + 50, 1, hot, 2);
	}
	trace_header(&t)->cpu_ns = 4500000;
	trace_end(&t, 5000000, 0);
	traced_open(&d, &t, NULL);
	assert_int_equal(d.a.cpu.samples, 90);
	assert_int_equal(d.a.cpu.records, 60);
	assert_int_equal(d.a.cpu.cpu_ns, 4500000);
	assert_int_equal(sum_of_sites(&d.a.cpu), 4500000);
	assert_in_range(traced_cpu_site(&d, cold)->cpu_ns, 333000, 334000);
	assert_in_range(traced_cpu_site(&d, hot)->cpu_ns, 3666000, 3667000);
	assert_int_equal(d.a.cpu.sites[0].cpu_ns, 500000); /* no thread's clock saw it */
	traced_release(&d);
	trace_release(&t);
}

static void short_threads_are_taken_together(void **state)
{
	struct trace t;
	struct traced d;
	struct trace_lane lane;
	uint32_t hot, cold;

	(void)state;
	trace_init(&t);
	hot = trace_stack(&t, 0x10, 0x20);
	cold = trace_stack(&t, 0x10, 0x30);
	for (uint32_t i = 0; i < 10; i++) {
		trace_add_thread(&t, i, 500 + i, "short");
		trace_thread(&t, i)->cpu_ns = 1000;
	}
	/* Only three of ten were hit: all their time goes by these samples. */
	lane = trace_lane(&t, RSD_EXTENT_SAMPLES, 0, 0);
	trace_sample(&t, &lane, 10, 1, hot, 1);
	trace_sample(&t, &lane, 20, 4, hot, 1);
	trace_sample(&t, &lane, 30, 7, cold, 2);
	traced_open(&d, &t, NULL);
	assert_int_equal(d.a.cpu.cpu_ns, 10000);
	assert_int_equal(traced_cpu_site(&d, hot)->cpu_ns, 5000);
	assert_int_equal(traced_cpu_site(&d, cold)->cpu_ns, 5000);
	assert_int_equal(d.a.cpu.sites[0].cpu_ns, 0);
	traced_release(&d);
	trace_release(&t);
}

static void time_without_samples_is_shown_as_such(void **state)
{
	struct trace t;
	struct traced d;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "main");
	trace_thread(&t, 0)->cpu_ns = 9000;
	trace_header(&t)->start_cpu_ns = 2000; /* used before the recording, by what exec replaced */
	trace_header(&t)->cpu_ns = 10000;
	traced_open(&d, &t, NULL);
	assert_int_equal(d.a.cpu.cpu_ns, 8000);
	assert_int_equal(d.a.cpu.sites_len, 1);
	assert_int_equal(d.a.cpu.sites[0].cpu_ns, 8000);
	traced_release(&d);
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_threads_time_is_spread_over_its_own_samples),
		cmocka_unit_test(short_threads_are_taken_together),
		cmocka_unit_test(time_without_samples_is_shown_as_such),
	};

	return cmocka_run_group_tests_name("analyzer/models/cpu", tests, NULL, NULL);
}
