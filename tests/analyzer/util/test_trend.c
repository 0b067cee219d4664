/* SPDX-License-Identifier: MIT */
/* test_trend.c - the median slope, and the test's numbers as they follow from its formula. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "analyzer/util/trend.h"

#define NEAR(got, want, within) assert_true(fabs((got) - (want)) <= (within))

static void a_straight_line_has_its_slope_whatever_one_value_says(void **state)
{
	double y[21];

	(void)state;
	for (int i = 0; i < 21; i++)
		y[i] = 5 + 3.0 * i;
	NEAR(trend_slope(y, 21), 3, 1e-12);
	y[10] = 1e9;
	NEAR(trend_slope(y, 21), 3, 1e-9);
	assert_true(trend_slope(y, 1) == 0);
}

static void the_test_counts_pairs_and_allows_for_ties(void **state)
{
	const double rising[] = { 1, 2, 3, 4, 5, 6, 7, 8 }, tied[] = { 1, 1, 2, 3, 3, 3 }, flat[] = { 4, 4, 4, 4 };
	long sign;
	double chance;

	(void)state;
	/* 28 pairs, variance 8*7*21/18 */
	chance = trend_test(rising, 8, 0, &sign);
	assert_int_equal(sign, 28);
	NEAR(chance, erfc(27 / sqrt(8 * 7 * 21 / 18.0) / sqrt(2)), 1e-12);
	assert_true(chance < 0.001);
	/* 15 pairs less 1 and 3 that are equal, variance (6*5*17 - 2*1*9 - 3*2*11) / 18 */
	chance = trend_test(tied, 6, 0, &sign);
	assert_int_equal(sign, 11);
	NEAR(chance, erfc(10 / sqrt((6 * 5 * 17 - 18 - 66) / 18.0) / sqrt(2)), 1e-12);
	assert_true(trend_test(flat, 4, 0, &sign) == 1);
	assert_int_equal(sign, 0);
}

static void noise_has_a_trend_as_seldom_as_is_promised(void **state)
{
	uint64_t random = 11;
	unsigned found = 0;
	double y[32];
	long sign;

	(void)state;
	for (int run = 0; run < 2000; run++) {
		for (int i = 0; i < 32; i++)
			y[i] = (double)((random = random * 6364136223846793005u + 1442695040888963407u) >> 33);
		found += trend_test(y, 32, 0, &sign) < 0.05;
	}
	assert_in_range(found, 60, 140); /* 100 expected, deviation 10 */
}

/* Each value is the one before times 0.8 and something new. */
static void what_wanders_has_no_trend_when_its_likeness_is_known(void **state)
{
	uint64_t random = 17;
	unsigned naive = 0, found = 0;
	double y[32], x = 0;
	long sign;

	(void)state;
	for (int run = 0; run < 2000; run++) {
		for (int i = 0; i < 32; i++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			y[i] = x = 0.8 * x + (double)(random >> 33) / (1u << 30) - 1;
		}
		naive += trend_test(y, 32, 0, &sign) < 0.01;
		found += trend_test(y, 32, trend_related(y, 32, trend_slope(y, 32)), &sign) < 0.01;
	}
	assert_true(naive > 300); /* 20 were promised */
	assert_true(found < 120);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_straight_line_has_its_slope_whatever_one_value_says),
		cmocka_unit_test(the_test_counts_pairs_and_allows_for_ties),
		cmocka_unit_test(what_wanders_has_no_trend_when_its_likeness_is_known),
		cmocka_unit_test(noise_has_a_trend_as_seldom_as_is_promised),
	};

	return cmocka_run_group_tests_name("analyzer/util/trend", tests, NULL, NULL);
}
