/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analyzer/util/json.h"

/* Start a document without line breaks that ends up in *text. */
static FILE *begin(struct json *j, char **text)
{
	static size_t size;
	FILE *out = open_memstream(text, &size);

	json_init(j, out);
	j->pretty_depth = 0;
	return out;
}

static void end(struct json *j, FILE *out, char **text, const char *expected)
{
	assert_int_equal(json_finish(j), 0);
	fclose(out);
	assert_string_equal(*text, expected);
	free(*text);
}

static void commas_and_brackets_stand_where_they_belong(void **state)
{
	struct json j;
	char *text;
	FILE *out = begin(&j, &text);

	(void)state;
	json_begin_object(&j);
	json_field_u64(&j, "a", UINT64_MAX);
	json_key(&j, "b");
	json_begin_array(&j);
	json_i64(&j, INT64_MIN);
	json_bool(&j, true);
	json_null(&j);
	json_begin_object(&j);
	json_end(&j);
	json_begin_array(&j);
	json_end(&j);
	json_end(&j);
	json_field_f64(&j, "c", 0.5);
	json_field_f64(&j, "d", NAN);
	json_field_string(&j, "e", NULL);
	json_end(&j);
	end(&j, out, &text,
	    "{\"a\": 18446744073709551615, \"b\": [-9223372036854775808, true, null, {}, []], \"c\": 0.5, \"d\": null, "
	    "\"e\": null}\n");
}

static void outer_levels_are_broken_into_lines(void **state)
{
	struct json j;
	char *text;
	FILE *out = begin(&j, &text);

	(void)state;
	j.pretty_depth = 1;
	json_begin_object(&j);
	json_key(&j, "rows");
	json_begin_array(&j);
	json_u64(&j, 1);
	json_u64(&j, 2);
	json_end(&j);
	json_field_bool(&j, "x", false);
	json_end(&j);
	end(&j, out, &text, "{\n  \"rows\": [1, 2],\n  \"x\": false\n}\n");
}

static void every_byte_is_escaped_or_replaced(void **state)
{
	struct json j;
	char *text;
	FILE *out = begin(&j, &text);

	(void)state;
	json_begin_array(&j);
	json_string(&j, "q\"b\\n\nt\tr\r\033\177</a>&");
	json_string(&j, "ok \xc3\xa9, bad \xc3( \xff \xed\xa0\x80.");
	json_string_n(&j, "nul\0in", 6);
	json_string(&j, "\xc2\x9b"
			"2J \xe2\x80\xae \xf3\xa0\x81\x81");
	j.is_for_html = true;
	json_string(&j, "</script>&");
	json_end(&j);
	end(&j, out, &text,
	    "[\"q\\\"b\\\\n\\nt\\tr\\r\\u001b\\u007f</a>&\", "
	    "\"ok \xc3\xa9, bad \xef\xbf\xbd( \xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd.\", "
	    "\"nul\\u0000in\", \"\\u009b2J \\u202e \\udb40\\udc41\", \"\\u003c/script\\u003e\\u0026\"]\n");
}

static void a_failed_stream_is_told(void **state)
{
	FILE *out = fopen("/dev/full", "w");
	struct json j;

	(void)state;
	if (!out)
		skip();
	setvbuf(out, NULL, _IONBF, 0);
	json_init(&j, out);
	json_begin_array(&j);
	json_end(&j);
	assert_true(json_finish(&j) < 0);
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_and_brackets_stand_where_they_belong),
		cmocka_unit_test(outer_levels_are_broken_into_lines),
		cmocka_unit_test(every_byte_is_escaped_or_replaced),
		cmocka_unit_test(a_failed_stream_is_told),
	};

	return cmocka_run_group_tests_name("analyzer/util/json", tests, NULL, NULL);
}
