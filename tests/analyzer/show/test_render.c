/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analyzer/show/render.h"

static void numbers_have_one_spelling(void **state)
{
	static const struct {
		enum unit unit;
		int64_t value;
		const char *text;
	} cases[] = {
		{ UNIT_BYTES, 0, "0" },
		{ UNIT_BYTES, 1023, "1023B" },
		{ UNIT_BYTES, 1536, "1.50kB" },
		{ UNIT_BYTES, -1536, "-1.50kB" },
		{ UNIT_BYTES, 12 << 20, "12.00MB" },
		{ UNIT_BYTES, INT64_C(5) << 40, "5.00TB" },
		{ UNIT_BYTES, INT64_MAX, "8192.00PB" },
		{ UNIT_NS, 980, "980ns" },
		{ UNIT_NS, 12300, "12.30us" },
		{ UNIT_NS, 35100000, "35.10ms" },
		{ UNIT_NS, 1200000000, "1.20s" },
		{ UNIT_NS, 150000000000, "2.50mins" },
		{ UNIT_NS, 7200000000000, "2.00hrs" },
		{ UNIT_COUNT, 1234567, "1234567" },
		{ UNIT_COUNT, 0, "0" },
	};
	char out[RENDER_NUMBER_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(render_value(out, cases[i].unit, cases[i].value), cases[i].text);
	assert_string_equal(render_scaled(out, UNIT_BYTES, 512 << 10, 12 << 20), "0.50MB");
	assert_string_equal(render_scaled(out, UNIT_BYTES, 0, 12 << 20), "0");
	assert_string_equal(render_scaled(out, UNIT_BYTES, 4096, 12 << 20), "4.00kB");
	assert_string_equal(render_scaled(out, UNIT_BYTES, 10 << 10, 12 << 20), "0.01MB");
	assert_string_equal(render_percent(out, 0.1234), "12.34%");
	assert_string_equal(render_percent(out, 1), "100%");
	assert_string_equal(render_percent(out, 0), "0%");
	assert_string_equal(render_percent(out, -0.5), "-50.00%");
	assert_string_equal(render_percent(out, 1.0 / 0.0), "-");
}

static void fill(struct table *t)
{
	table_init(t, "locks");
	table_column(t, "wait", "wait_ns", UNIT_NS);
	table_column(t, "share", "share", UNIT_PERCENT);
	table_column(t, "lock", "name", UNIT_TEXT);
	table_row(t);
	table_number(t, 1200000000);
	table_real(t, 0.25);
	table_text(t, "queue_lock");
	table_row(t);
	table_number(t, 5000);
	table_skip(t);
	table_textf(t, "evil\033[2J%s", ", \"quoted\"");
	table_row(t);
	table_number(t, 35100000);
	table_real(t, 0.75);
	table_text(t, NULL);
}

static char *rendered(const struct table *t, const struct render_style *style, char format)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct json j;

	if (format == 't') {
		assert_int_equal(render_text(t, style, out), 0);
	} else if (format == 'c') {
		assert_int_equal(render_csv(t, out), 0);
	} else {
		json_init(&j, out);
		j.pretty_depth = 0;
		assert_int_equal(render_json_rows(t, &j), 0);
	}
	fclose(out);
	return text;
}

static void assert_rendered(const struct table *t, const struct render_style *style, char format, const char *expected)
{
	char *text = rendered(t, style, format);

	assert_string_equal(text, expected);
	free(text);
}

static void a_table_reads_the_same_in_all_formats(void **state)
{
	struct render_style narrow = { .width = 30, .indent = 2, .no_titles = true };
	struct table t;

	(void)state;
	fill(&t);
	table_note(&t, "in all %d", 3);
	assert_rendered(&t, NULL, 't',
			"   wait   share  lock\n"
			"  1.20s  25.00%  queue_lock\n"
			" 5.00us          evil\\x1b[2J, \"quoted\"\n"
			"35.10ms  75.00%  \n"
			"in all 3\n");
	assert_rendered(&t, &narrow, 't',
			"    1.20s  25.00%  queue_lock\n"
			"   5.00us          evil\\x1b...\n"
			"  35.10ms  75.00%  \n"
			"  in all 3\n");
	assert_rendered(&t, NULL, 'c',
			"wait_ns,share,name\r\n"
			"1200000000,0.25,queue_lock\r\n"
			"5000,,\"evil\\x1b[2J, \"\"quoted\"\"\"\r\n"
			"35100000,0.75,\r\n");
	assert_rendered(&t, NULL, 'j',
			"[{\"wait_ns\": 1200000000, \"share\": 0.25, \"name\": \"queue_lock\"}, "
			"{\"wait_ns\": 5000, \"share\": null, \"name\": \"evil\\u001b[2J, \\\"quoted\\\"\"}, "
			"{\"wait_ns\": 35100000, \"share\": 0.75, \"name\": null}]");
	table_release(&t);
}

static void sorting_orders_rows_by_any_column(void **state)
{
	struct render_style bare = { .no_titles = true };
	struct table t;

	(void)state;
	fill(&t);
	table_sort(&t, 0, true);
	assert_rendered(&t, &bare, 't',
			"  1.20s  25.00%  queue_lock\n"
			"35.10ms  75.00%  \n"
			" 5.00us          evil\\x1b[2J, \"quoted\"\n");
	table_sort(&t, 1, false);
	assert_int_equal(t.cells[0].number, 5000);
	assert_int_equal(t.cells[3].number, 1200000000);
	table_sort(&t, 2, true);
	assert_string_equal(t.cells[2].text, "queue_lock");
	table_release(&t);
}

static void csv_texts_are_no_formulas(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, "x");
	table_column(&t, "a", "a", UNIT_TEXT);
	table_column(&t, "b", "b", UNIT_ADDRESS);
	table_row(&t);
	table_text(&t, "=cmd()");
	table_number(&t, -1);
	table_row(&t);
	table_text(&t, "");
	table_number(&t, 0x10);
	assert_rendered(&t, NULL, 'c', "a,b\r\n\"'=cmd()\",0xffffffffffffffff\r\n,0x10\r\n");
	table_release(&t);
}

static void an_empty_table_is_titles(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, "x");
	table_column(&t, "a", "a", UNIT_COUNT);
	assert_rendered(&t, NULL, 't', "a\n");
	assert_rendered(&t, NULL, 'j', "[]");
	table_sort(&t, 0, true);
	table_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_one_spelling),
		cmocka_unit_test(a_table_reads_the_same_in_all_formats),
		cmocka_unit_test(sorting_orders_rows_by_any_column),
		cmocka_unit_test(csv_texts_are_no_formulas),
		cmocka_unit_test(an_empty_table_is_titles),
	};

	return cmocka_run_group_tests_name("analyzer/show/render", tests, NULL, NULL);
}
