/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/show/spark.h"

/* What a line and its mark look like. */
static void check(const uint64_t *values, size_t len, size_t mark, const char *mark_text, unsigned width, bool is_utf8,
		  const char *want)
{
	struct spark s = { .title = "rate", .unit = UNIT_COUNT, .values = (uint64_t *)values, .len = len };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	s.has_mark = mark_text != NULL;
	s.mark = mark;
	s.mark_text = (char *)mark_text;
	spark_put(&s, 6, width, is_utf8, out);
	fclose(out);
	assert_string_equal(text, want);
	free(text);
}

static void each_height_has_its_character(void **state)
{
	static const uint64_t values[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };

	(void)state;
	check(values, 9, 0, NULL, 80, true, "  rate     ▁▂▃▄▅▆▇█  8\n");
	check(values, 9, 0, NULL, 80, false, "  rate     .:-=+*%#  8\n");
}

static void nothing_is_blank_and_little_is_not(void **state)
{
	static const uint64_t little[] = { 0, 1, 1000000, UINT64_MAX / 2 }, nothing[] = { 0, 0 };

	(void)state;
	check(little, 3, 0, NULL, 80, false, "  rate     .#  1000000\n");
	check(little, 4, 0, NULL, 80, false, "  rate     ..#  9223372036854775807\n");
	check(nothing, 2, 0, NULL, 80, false, "  rate        0\n");
}

static void a_narrow_line_shows_the_largest_of_what_falls_together(void **state)
{
	uint64_t values[40] = { 0 };

	(void)state;
	values[7] = 8; /* the second of 10 columns of 4 */
	values[39] = 4;
	check(values, 40, 0, NULL, 32, false, "  rate     #       =  8\n");
	check(values, 40, 0, NULL, 1, false, "  rate     #       =  8\n"); /* never less than 10 columns */
}

static void the_mark_stands_below_its_column(void **state)
{
	uint64_t values[40] = { 0 };

	(void)state;
	values[7] = 8;
	values[36] = 8;
	check(values, 40, 7, "8 at 7", 32, false, "  rate     #       #  8\n           ^ 8 at 7\n");
	check(values, 40, 36, "8", 32, false, "  rate     #       #  8\n                 8 ^\n");
	check(values, 40, 40, "beyond", 32, false, "  rate     #       #  8\n");
}

static void the_locale_says_what_the_terminal_knows(void **state)
{
	(void)state;
	unsetenv("LC_CTYPE");
	setenv("LANG", "en_US.UTF-8", 1);
	unsetenv("LC_ALL");
	assert_true(spark_is_utf8());
	setenv("LC_ALL", "C", 1);
	assert_false(spark_is_utf8());
	setenv("LC_ALL", "", 1);
	assert_true(spark_is_utf8());
	setenv("LC_CTYPE", "C.utf8", 1);
	setenv("LANG", "C", 1);
	assert_true(spark_is_utf8());
	unsetenv("LC_CTYPE");
	assert_false(spark_is_utf8());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_height_has_its_character),
		cmocka_unit_test(nothing_is_blank_and_little_is_not),
		cmocka_unit_test(a_narrow_line_shows_the_largest_of_what_falls_together),
		cmocka_unit_test(the_mark_stands_below_its_column),
		cmocka_unit_test(the_locale_says_what_the_terminal_knows),
	};

	return cmocka_run_group_tests_name("analyzer/show/spark", tests, NULL, NULL);
}
