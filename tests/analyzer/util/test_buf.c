/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analyzer/util/buf.h"

static void pieces_add_up(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_string_equal(buf_string(&b), "");
	assert_int_equal(buf_printf(&b, "%d-%s", 12, "x"), 0);
	assert_int_equal(buf_add_char(&b, '!'), 0);
	assert_int_equal(buf_add(&b, "ab\0c", 4), 0);
	assert_int_equal(b.len, 9);
	assert_memory_equal(b.data, "12-x!ab\0c", 10);
	buf_clear(&b);
	for (int i = 0; i < 1000; i++)
		buf_add_string(&b, "0123456789");
	assert_int_equal(b.len, 10000);
	assert_int_equal(strlen(b.data), 10000);
	buf_release(&b);
	assert_null(b.data);
}

static const struct {
	const char *what, *text, *shown;
} cases[] = {
	{ "plain", "main.work", "main.work" },
	{ "UTF-8 stays", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "escape sequence", "\033[31mred", "\\x1b[31mred" },
	{ "newline and tab", "a\nb\tc\r", "a\\nb\\tc\\x0d" },
	{ "DEL", "a\177", "a\\x7f" },
	{ "C1 control: CSI as one character",
	  "\xc2\x9b"
	  "31m",
	  "\\xc2\\x9b31m" },
	{ "lone continuation",
	  "a\x9b"
	  "b",
	  "a\\x9b"
	  "b" },
	{ "overlong slash", "\xc0\xaf", "\\xc0\\xaf" },
	{ "surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80" },
	{ "above U+10FFFF", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
	{ "cut short", "x\xe2\x82", "x\\xe2\\x82" },
	{ "right-to-left override",
	  "a\xe2\x80\xae"
	  "b",
	  "a\\xe2\\x80\\xaeb" },
	{ "zero width space",
	  "a\xe2\x80\x8b"
	  "b",
	  "a\\xe2\\x80\\x8bb" },
};

static void foreign_text_is_made_safe(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = { 0 };
		char *printed = NULL;
		size_t size = 0, width;
		FILE *out = open_memstream(&printed, &size);

		assert_int_equal(buf_add_safe(&b, cases[i].text, strlen(cases[i].text)), 0);
		assert_string_equal(buf_string(&b), cases[i].shown);
		width = safe_puts(cases[i].text, out);
		fclose(out);
		assert_string_equal(printed, cases[i].shown);
		assert_int_equal(width, safe_width(cases[i].text));
		free(printed);
		buf_release(&b);
	}
}

/* Whatever bytes come, what goes out is printable and UTF-8. */
static void random_bytes_become_printable(void **state)
{
	(void)state;
	srand(9);
	for (int round = 0; round < 3000; round++) {
		struct buf b = { 0 };
		char text[16];
		size_t len = (size_t)rand() % sizeof(text);

		for (size_t i = 0; i < len; i++)
			text[i] = (char)(rand() % 2 ? rand() : 0xe0 | (rand() & 0x1f));
		assert_int_equal(buf_add_safe(&b, text, len), 0);
		for (size_t at = 0, used; at < b.len; at += used) {
			used = utf8_length(b.data + at, b.len - at);
			assert_true(used > 0);
			assert_true((unsigned char)b.data[at] >= 0x20 && b.data[at] != 0x7f);
		}
		buf_release(&b);
	}
}

static void columns_are_what_a_terminal_takes(void **state)
{
	(void)state;
	assert_int_equal(safe_width("caf\xc3\xa9"), 4);
	assert_int_equal(safe_width("\033"), 4);
	assert_int_equal(safe_width("\xe5\xb9\xb3\xe5\x92\x8c!"), 5); /* two wide ones */
	assert_int_equal(safe_width("e\xcc\x81t\xcc\xa3"), 2);	      /* with marks above and below */
	assert_int_equal(safe_width("\xf0\x9f\x98\x80"), 2);
	assert_int_equal(safe_width(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_add_up),
		cmocka_unit_test(foreign_text_is_made_safe),
		cmocka_unit_test(random_bytes_become_printable),
		cmocka_unit_test(columns_are_what_a_terminal_takes),
	};

	return cmocka_run_group_tests_name("analyzer/util/buf", tests, NULL, NULL);
}
