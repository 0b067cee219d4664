/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "analyzer/models/suppressions.h"

static void patterns_match_as_leaksanitizers_do(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} cases[] = {
		{ "foo", "foo", true },
		{ "foo", "my_foo_bar", true },
		{ "foo", "fo", false },
		{ "^foo", "foobar", true },
		{ "^foo", "my_foo", false },
		{ "foo$", "my_foo", true },
		{ "foo$", "foobar", false },
		{ "^foo$", "foo", true },
		{ "^foo$", "foofoo", false },
		{ "a*c", "abbbc", true },
		{ "a*c", "xabbbcx", true },
		{ "a*c$", "abcd", false },
		{ "^*c", "abc", true },
		{ "*", "anything", true },
		{ "*", "", false },
		{ "", "anything", true },
		{ "", "", false },
		{ "^a*b*c$", "a1b2c", true },
		{ "^a*b*c$", "a1c2b", false },
		{ "a*", "xa", true },
		{ "*$", "anything", true },
		{ "lib*.so", "/usr/lib/libx.so.1", true },
		/* The first place counts, even where a later one would do. */
		{ "foo$", "foofoo", false },
		{ "^ab", "aab", false },
		{ "a**b", "ab", true },
		{ "std::vector<int*>", "std::vector<int, alloc>::push()", true },
		{ "$", "a", false },
		{ "a$b", "a", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (suppression_matches(cases[i].pattern, cases[i].name) != cases[i].matches)
			fail_msg("\"%s\" and \"%s\"", cases[i].pattern, cases[i].name);
	assert_false(suppression_matches("a", NULL));
}

static void lines_are_read_without_comments_and_spaces(void **state)
{
	static const char text[] = "# comment\n\n  leak:one  \n\tleak:two\t\r\nleak:# three\nleak:four";
	struct suppressions s = { 0 };
	struct buf error = { 0 };

	(void)state;
	assert_int_equal(suppressions_add(&s, text, strlen(text), "here", &error), 0);
	assert_int_equal(s.len, 4);
	assert_string_equal(s.list[0].pattern, "one");
	assert_string_equal(s.list[1].pattern, "two");
	assert_string_equal(s.list[2].pattern, "# three");
	assert_string_equal(s.list[3].pattern, "four");
	assert_string_equal(s.list[3].origin, "here");
	suppressions_release(&s);
	buf_release(&error);
}

static void a_line_of_another_kind_is_told_with_its_number(void **state)
{
	static const char text[] = "leak:one\n#\nrace:two\n";
	struct suppressions s = { 0 };
	struct buf error = { 0 };

	(void)state;
	assert_int_equal(suppressions_add(&s, text, strlen(text), "here", &error), -EINVAL);
	assert_string_equal(buf_string(&error), "here: line 3: want leak:PATTERN or # and a comment");
	suppressions_release(&s);
	buf_release(&error);
}

static void each_frame_is_asked_for_function_file_and_module(void **state)
{
	struct symbols *symbols = symbols_new(NULL);
	struct stacks *stacks = stacks_new(symbols);
	struct suppressions s = { 0 };
	struct buf error = { 0 };
	struct module module = { .path = (char *)"/nowhere/libghost.so", .start = 0, .end = 0x10000 };
	uint32_t object = symbols_object(symbols, &module);
	struct stack_id outer = stacks_push(stacks, (struct stack_id){ 0 }, object, 0x1000, true, CUT_NONE);
	struct stack_id inner = stacks_push(stacks, outer, 0, 0x2000, true, CUT_NONE);

	(void)state;
	assert_null(suppressions_find(&s, stacks, inner));
	assert_int_equal(suppressions_add(&s, "leak:absent\nleak:/libghost.so$\n", 31, "here", &error), 0);
	assert_ptr_equal(suppressions_find(&s, stacks, inner), &s.list[1]);
	assert_ptr_equal(suppressions_find(&s, stacks, inner), &s.list[1]);
	assert_null(suppressions_find(&s, stacks, (struct stack_id){ 0 }));
	suppressions_release(&s);
	buf_release(&error);
	stacks_free(stacks);
	symbols_free(symbols);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_as_leaksanitizers_do),
		cmocka_unit_test(lines_are_read_without_comments_and_spaces),
		cmocka_unit_test(a_line_of_another_kind_is_told_with_its_number),
		cmocka_unit_test(each_frame_is_asked_for_function_file_and_module),
	};

	return cmocka_run_group_tests_name("analyzer/models/suppressions", tests, NULL, NULL);
}
