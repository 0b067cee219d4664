/* SPDX-License-Identifier: MIT */
/* test_summits.c - prominence by hand, and what is kept when there are more turns than places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyzer/reports/summits.h"

static struct summits *curve(const uint64_t *values, size_t len)
{
	struct summits *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	for (size_t i = 0; i < len; i++)
		summits_add(s, values[i], i, i + 1);
	return s;
}

static void a_summit_counts_by_how_far_one_must_go_down_from_it(void **state)
{
	/*                         the highest        its shoulder    one of its own */
	const uint64_t values[] = { 0, 50, 100, 100, 90, 95, 10, 40, 20, 70, 0 };
	struct summits *s = curve(values, sizeof(values) / sizeof(values[0]));
	struct summit top[8];

	(void)state;
	assert_int_equal(summits_highest(s, top, 8), 4);
	assert_int_equal(top[0].value, 100);
	assert_int_equal(top[0].prominence, 100);
	assert_int_equal(top[0].when, 2); /* when it was reached, not left */
	assert_int_equal(top[1].value, 70);
	assert_int_equal(top[1].prominence, 60);
	assert_int_equal(top[2].value, 40);
	assert_int_equal(top[2].prominence, 20);
	assert_int_equal(top[3].value, 95);
	assert_int_equal(top[3].prominence, 5);
	assert_int_equal(summits_highest(s, top, 2), 2);
	free(s);
}

static void of_two_equal_summits_the_first_is_the_highest(void **state)
{
	const uint64_t values[] = { 0, 80, 30, 80, 0 };
	struct summits *s = curve(values, 5);
	struct summit top[2];

	(void)state;
	assert_int_equal(summits_highest(s, top, 2), 2);
	assert_int_equal(top[0].ordinal, 2);
	assert_int_equal(top[0].prominence, 80);
	assert_int_equal(top[1].ordinal, 4);
	assert_int_equal(top[1].prominence, 50);
	free(s);
}

static void a_curve_may_end_at_its_highest_point_or_have_none(void **state)
{
	const uint64_t rising[] = { 1, 2, 3 };
	struct summits *s = curve(rising, 3);
	struct summit top[2];

	(void)state;
	assert_int_equal(summits_highest(s, top, 2), 1);
	assert_int_equal(top[0].value, 3);
	assert_int_equal(top[0].prominence, 3);
	free(s);
	s = curve(rising, 0);
	assert_int_equal(summits_highest(s, top, 2), 0);
	free(s);
}

/* A million small waves around three mountains: those are found as if nothing had been forgotten. */
static void small_waves_are_forgotten_before_mountains(void **state)
{
	struct summits *s = calloc(1, sizeof(*s));
	struct summit top[4];
	uint64_t ordinal = 0, at[3] = { 0 };

	(void)state;
	assert_non_null(s);
	for (unsigned mountain = 0; mountain < 3; mountain++) {
		for (unsigned i = 0; i < 300000; i++)
			summits_add(s, 1000 + (i & 1 ? i % 7 + 1 : 0), ordinal, ordinal + 1), ordinal++;
		at[mountain] = ordinal + 1;
		summits_add(s, 10000 * (mountain + 1), ordinal, ordinal + 1);
		ordinal++;
	}
	summits_add(s, 1000, ordinal, ordinal + 1);
	assert_true(summits_highest(s, top, 4) >= 3);
	assert_int_equal(top[0].ordinal, at[2]);
	assert_int_equal(top[0].value, 30000);
	assert_int_equal(top[1].ordinal, at[1]);
	assert_int_equal(top[1].prominence, 19000);
	assert_int_equal(top[2].ordinal, at[0]);
	assert_int_equal(top[2].prominence, 9000);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_summit_counts_by_how_far_one_must_go_down_from_it),
		cmocka_unit_test(of_two_equal_summits_the_first_is_the_highest),
		cmocka_unit_test(a_curve_may_end_at_its_highest_point_or_have_none),
		cmocka_unit_test(small_waves_are_forgotten_before_mountains),
	};

	return cmocka_run_group_tests_name("analyzer/reports/summits", tests, NULL, NULL);
}
