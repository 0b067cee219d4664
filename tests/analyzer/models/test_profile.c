/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analyzer/models/profile.h"

static const struct stack_id one = { 1 }, two = { 2 };

static void define(struct profile *p)
{
	profile_init(p, "test");
	assert_int_equal(profile_define(p, "space", UNIT_BYTES, "bytes"), 0);
	assert_int_equal(profile_define(p, "objects", UNIT_COUNT, NULL), 1);
}

static void equal_keys_are_one_row(void **state)
{
	int64_t values[] = { 10, 1 };
	struct profile p;
	uint32_t red, blue;

	(void)state;
	define(&p);
	red = profile_label(&p, "red");
	blue = profile_label(&p, "blue");
	assert_int_equal(profile_label(&p, "red"), red);
	assert_true(red != blue && red && blue);
	for (int i = 0; i < 3; i++)
		assert_int_equal(profile_add(&p, one, red, values), 0);
	profile_add(&p, one, blue, values);
	profile_add(&p, two, red, values);
	profile_add(&p, one, 0, values);
	assert_int_equal(p.rows_len, 4);
	assert_int_equal(p.rows[0].values[0], 30);
	assert_int_equal(p.rows[0].values[1], 3);
	assert_int_equal(profile_total(&p, 0), 60);
	assert_int_equal(profile_total(&p, 1), 6);
	assert_int_equal(profile_total(&p, 2), 0);
	assert_string_equal(profile_label_text(&p, blue), "blue");
	assert_string_equal(profile_label_text(&p, 0), "");
	assert_string_equal(profile_label_text(&p, 99), "");
	assert_int_equal(profile_value_index(&p, "objects"), 1);
	assert_int_equal(profile_value_index(&p, "nothing"), -ENOENT);
	profile_release(&p);
}

static void merging_adds_or_subtracts_by_label_text(void **state)
{
	int64_t values[] = { 10, 1 };
	struct profile a, b;

	(void)state;
	define(&a);
	define(&b);
	profile_label(&a, "blue"); /* the same label has another id in b */
	profile_add(&a, one, profile_label(&a, "red"), values);
	profile_add(&b, one, profile_label(&b, "red"), values);
	profile_add(&b, two, 0, values);
	profile_note(&b, "lost %d", 3);
	profile_note(&a, "lost %d", 3);
	assert_int_equal(profile_merge(&a, &b, 1), 0);
	assert_int_equal(a.rows_len, 2);
	assert_int_equal(a.rows[0].values[0], 20);
	assert_int_equal(a.notes_len, 1);
	assert_int_equal(profile_merge(&a, &b, -1), 0);
	assert_int_equal(profile_merge(&a, &b, -1), 0);
	assert_int_equal(a.rows[0].values[0], 0);
	assert_int_equal(a.rows[1].values[1], -1);
	profile_define(&b, "more", UNIT_NS, NULL);
	assert_int_equal(profile_merge(&a, &b, 1), -EINVAL);
	profile_release(&a);
	profile_release(&b);
}

static void sums_stop_at_the_ends(void **state)
{
	int64_t up[] = { INT64_MAX, 0 }, down[] = { INT64_MIN, 0 };
	struct profile p;

	(void)state;
	define(&p);
	profile_add(&p, one, 0, up);
	profile_add(&p, one, 0, up);
	profile_add(&p, two, 0, down);
	profile_add(&p, two, 0, down);
	assert_true(p.rows[0].values[0] == INT64_MAX);
	assert_true(p.rows[1].values[0] == INT64_MIN);
	profile_release(&p);
}

static void there_is_a_limit_of_values(void **state)
{
	struct profile p;

	(void)state;
	profile_init(&p, "test");
	for (int i = 0; i < PROFILE_VALUES; i++)
		assert_int_equal(profile_define(&p, "x", UNIT_COUNT, NULL), i);
	assert_int_equal(profile_define(&p, "x", UNIT_COUNT, NULL), -ENOSPC);
	profile_release(&p);
}

static void many_rows_and_labels_keep_their_numbers(void **state)
{
	struct profile p;
	char text[16];

	(void)state;
	define(&p);
	for (uint32_t i = 0; i < 5000; i++) {
		int64_t values[] = { i, 1 };

		snprintf(text, sizeof(text), "label-%u", i % 50);
		profile_add(&p, (struct stack_id){ i % 1000 }, profile_label(&p, text), values);
	}
	assert_int_equal(p.labels_len, 50);
	assert_int_equal(p.rows_len, 1000);
	assert_int_equal(profile_total(&p, 0), 5000L * 4999 / 2);
	assert_int_equal(profile_total(&p, 1), 5000);
	profile_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_keys_are_one_row),
		cmocka_unit_test(merging_adds_or_subtracts_by_label_text),
		cmocka_unit_test(sums_stop_at_the_ends),
		cmocka_unit_test(there_is_a_limit_of_values),
		cmocka_unit_test(many_rows_and_labels_keep_their_numbers),
	};

	return cmocka_run_group_tests_name("analyzer/models/profile", tests, NULL, NULL);
}
