/* SPDX-License-Identifier: MIT */
/* test_spread.c - exact while few, close when many, weighted always. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/util/spread.h"

static void a_few_values_have_exact_percentiles(void **state)
{
	struct spread s = { 0 };

	(void)state;
	assert_int_equal(spread_percentile(&s, 50), 0);
	for (uint64_t i = 1; i <= SPREAD_EXACT; i++)
		spread_add(&s, (SPREAD_EXACT + 1 - i) * 1000003, 1);
	assert_int_equal(spread_percentile(&s, 50), SPREAD_EXACT / 2 * 1000003);
	assert_int_equal(spread_percentile(&s, 100), SPREAD_EXACT * 1000003);
	assert_int_equal(spread_percentile(&s, 1), 1000003);
	assert_int_equal(s.min, 1000003);
	assert_int_equal(s.max, SPREAD_EXACT * 1000003);
	spread_release(&s);
}

static void many_values_have_close_ones_within_the_ends(void **state)
{
	struct spread s = { 0 };

	(void)state;
	for (uint64_t i = 1; i <= 100000; i++)
		spread_add(&s, 500 + i, 1);
	assert_in_range(spread_percentile(&s, 50), 50500 * 984 / 1000, 50500 * 1016 / 1000);
	assert_in_range(spread_percentile(&s, 99), 99500 * 984 / 1000, 99500 * 1016 / 1000);
	assert_int_equal(spread_percentile(&s, 100), 100500);
	assert_in_range(spread_percentile(&s, 0), 501, 510);
	assert_int_equal(s.count, 100000);
	spread_release(&s);
}

static void a_weight_counts_as_so_many_values(void **state)
{
	struct spread s = { 0 };

	(void)state;
	spread_add(&s, 10, 1);
	spread_add(&s, 20, 98);
	spread_add(&s, 30, 1);
	assert_int_equal(s.count, 100);
	assert_int_equal(s.sum, 10 + 98 * 20 + 30);
	assert_int_equal(spread_percentile(&s, 1), 10);
	assert_int_equal(spread_percentile(&s, 2), 20);
	assert_int_equal(spread_percentile(&s, 99), 20);
	assert_int_equal(spread_percentile(&s, 100), 30);
	spread_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_few_values_have_exact_percentiles),
		cmocka_unit_test(many_values_have_close_ones_within_the_ends),
		cmocka_unit_test(a_weight_counts_as_so_many_values),
	};

	return cmocka_run_group_tests_name("analyzer/util/spread", tests, NULL, NULL);
}
