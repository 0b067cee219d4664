/* SPDX-License-Identifier: MIT */
/* test_histogram.c - percentiles within the promised error, for every size of number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/util/histogram.h"

static void percentiles_are_within_two_percent(void **state)
{
	static struct histogram h;

	(void)state;
	memset(&h, 0, sizeof(h));
	assert_int_equal(histogram_percentile(&h, 50), 0);
	for (uint64_t i = 1; i <= 100000; i++)
		histogram_add(&h, i * 1000);
	for (int percent = 1; percent <= 99; percent++) {
		double want = percent * 1000000.0, got = (double)histogram_percentile(&h, percent);

		assert_true(got > want * 0.98 && got < want * 1.02);
	}
	assert_int_equal(histogram_percentile(&h, 100), 100000000);
	assert_int_equal(h.count, 100000);
}

static void every_number_has_a_place(void **state)
{
	static struct histogram h;

	(void)state;
	for (unsigned bit = 0; bit < 64; bit++)
		for (int64_t off = -1; off <= 1; off++) {
			uint64_t value = (UINT64_C(1) << bit) + (uint64_t)off, got;

			memset(&h, 0, sizeof(h));
			histogram_add(&h, value);
			got = histogram_percentile(&h, 50);
			assert_true(got <= value && got >= value - value / 32);
		}
	memset(&h, 0, sizeof(h));
	histogram_add(&h, UINT64_MAX);
	assert_int_equal(h.max, UINT64_MAX);
	assert_int_equal(h.bucket[HISTOGRAM_BUCKETS - 1], 1);
}

static void merged_is_the_same_as_together(void **state)
{
	static struct histogram a, b, both;

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		histogram_add(i & 1 ? &a : &b, i * i);
		histogram_add(&both, i * i);
	}
	histogram_merge(&a, &b);
	assert_memory_equal(&a, &both, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_within_two_percent),
		cmocka_unit_test(every_number_has_a_place),
		cmocka_unit_test(merged_is_the_same_as_together),
	};

	return cmocka_run_group_tests_name("analyzer/util/histogram", tests, NULL, NULL);
}
