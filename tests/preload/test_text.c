// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "preload/text.h"
#include "tests/support/fake_stderr.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const uint64_t numbers[] = {
	0,	   1, 9, 10, 99, 100, 255, 256, 65535, UINT32_MAX, INT64_MAX - 1, INT64_MAX, 1u << 31, UINT64_MAX - 1,
	UINT64_MAX
};

/* ---- building ------------------------------------------------------------------------------------------------- */

static void numbers_are_as_printf_writes_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(numbers); i++) {
		char want[64], got[64];
		struct text t = text_on(got, sizeof(got));

		text_u64(&t, numbers[i]);
		text_str(&t, " ");
		text_hex(&t, numbers[i]);
		snprintf(want, sizeof(want), "%llu 0x%llx", (unsigned long long)numbers[i],
			 (unsigned long long)numbers[i]);
		assert_string_equal(got, want);
		assert_int_equal(t.len, strlen(want));
	}
}

static void fractions_are_cut_not_rounded(void **state)
{
	static const struct {
		uint64_t value, unit;
		unsigned decimals;
		const char *want;
	} cases[] = {
		{ 12345, 1000, 0, "12" },
		{ 12345, 1000, 1, "12.3" },
		{ 12345, 1000, 3, "12.345" },
		{ 12345, 1000, 5, "12.34500" },
		{ 999, 1000, 1, "0.9" },
		{ 1, 1000, 2, "0.00" },
		{ 5, 1, 2, "5.00" },
		{ 2, 3, 4, "0.6666" },
		{ UINT64_MAX, 1000000000, 1, "18446744073.7" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		char got[64];
		struct text t = text_on(got, sizeof(got));

		text_fixed(&t, cases[i].value, cases[i].unit, cases[i].decimals);
		assert_string_equal(got, cases[i].want);
	}
}

static void sizes_and_durations_take_the_largest_unit(void **state)
{
	static const struct {
		uint64_t value;
		const char *bytes, *ns;
	} cases[] = {
		{ 0, "0 B", "0 ns" },
		{ 1, "1 B", "1 ns" },
		{ 999, "999 B", "999 ns" },
		{ 1000, "1000 B", "1.0 us" },
		{ 1023, "1023 B", "1.0 us" },
		{ 1024, "1.0 kB", "1.0 us" },
		{ 1536, "1.5 kB", "1.5 us" },
		{ 999999, "976.5 kB", "999.9 us" },
		{ 1000000, "976.5 kB", "1.0 ms" },
		{ 1048575, "1023.9 kB", "1.0 ms" },
		{ 1048576, "1.0 MB", "1.0 ms" },
		{ 999999999, "953.6 MB", "999.9 ms" },
		{ 1000000000, "953.6 MB", "1.0 s" },
		{ 1073741824, "1.0 GB", "1.0 s" },
		{ UINT64_C(1) << 40, "1.0 TB", "1099.5 s" },
		{ UINT64_MAX, "16777215.9 TB", "18446744073.7 s" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		char got[64];
		struct text t = text_on(got, sizeof(got));

		text_bytes_unit(&t, cases[i].value);
		assert_string_equal(got, cases[i].bytes);
		t = text_on(got, sizeof(got));
		text_duration(&t, cases[i].value);
		assert_string_equal(got, cases[i].ns);
	}
}

/* Every length up to one beyond what the text needs, with a guard behind each. */
static void a_text_is_cut_where_its_buffer_ends(void **state)
{
	static const char whole[] = "cut 18446744073709551615 0xff 1.5 MB";

	(void)state;
	for (size_t cap = 1; cap <= sizeof(whole) + 1; cap++) {
		char got[64];
		struct text t;
		size_t want = cap - 1 < sizeof(whole) - 1 ? cap - 1 : sizeof(whole) - 1;

		memset(got, '#', sizeof(got));
		t = text_on(got, cap);
		text_bytes(&t, "cut it", 4);
		text_u64(&t, UINT64_MAX);
		text_str(&t, " ");
		text_hex(&t, 255);
		text_str(&t, " ");
		text_bytes_unit(&t, 1536 << 10);
		assert_int_equal(t.len, want);
		assert_int_equal(got[want], 0);
		assert_memory_equal(got, whole, want);
		assert_int_equal(got[cap], '#');
	}
}

static void texts_are_compared_to_their_ends(void **state)
{
	(void)state;
	assert_true(text_same("", ""));
	assert_true(text_same("heap", "heap"));
	assert_false(text_same("heap", "hea"));
	assert_false(text_same("hea", "heap"));
	assert_false(text_same("", "a"));
	assert_true(text_same_n("heap=1", 4, "heap"));
	assert_false(text_same_n("heap=1", 3, "heap"));
	assert_false(text_same_n("heap=1", 5, "heap"));
	assert_true(text_same_n("x", 0, ""));
	assert_int_equal(text_len(""), 0);
	assert_int_equal(text_len("four"), 4);
}

static void the_base_name_is_what_stands_behind_the_last_slash(void **state)
{
	static const char *const cases[][2] = {
		{ "/usr/bin/env", "env" }, { "env", "env" },   { "./env", "env" }, { "/env", "env" },
		{ "a//b", "b" },	   { "dir/", "dir/" }, { "/", "/" },	   { "", "" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++)
		assert_string_equal(text_basename(cases[i][0]), cases[i][1]);
}

static void saying_is_one_whole_line(void **state)
{
	char line[700], want[700];

	(void)state;
	fake_stderr_begin();
	text_say("a line");
	text_say("");
	assert_string_equal(fake_stderr_end(), "ringside: a line\nringside: \n");
	/* 599 characters are the longest line, its end included. */
	for (size_t len = 570; len < 620; len++) {
		memset(line, 'x', len);
		line[len] = 0;
		fake_stderr_begin();
		text_say(line);
		snprintf(want, sizeof(want), "ringside: %.*s\n", len < 588 ? (int)len : 588, line);
		assert_string_equal(fake_stderr_end(), want);
	}
}

/* ---- matching ------------------------------------------------------------------------------------------------- */

struct match {
	const char *pattern, *text;
	bool matches;
};

static void check_matches(const struct match *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text_match(cases[i].pattern, cases[i].text) != cases[i].matches)
			fail_msg("/%s/ on \"%s\": want %d", cases[i].pattern, cases[i].text, cases[i].matches);
}

static void patterns_match_as_documented(void **state)
{
	static const struct match cases[] = {
		{ "", "", true },
		{ "", "any", true },
		{ "b", "abc", true },
		{ "d", "abc", false },
		{ "abc", "ab", false },
		{ "^b", "abc", false },
		{ "^a", "abc", true },
		{ "c$", "abc", true },
		{ "b$", "abc", false },
		{ "^abc$", "abc", true },
		{ "^abc$", "abcd", false },
		{ "^$", "", true },
		{ "^$", "a", false },
		{ "$", "a", true },
		{ "^", "", true },
		{ ".", "", false },
		{ "a.c", "abc", true },
		{ "a.c", "ac", false },
		{ "ab*c", "ac", true },
		{ "ab*c", "abbbc", true },
		{ "ab+c", "ac", false },
		{ "ab+c", "abbc", true },
		{ "ab?c", "ac", true },
		{ "ab?c", "abc", true },
		{ "ab?c", "abbc", false },
		{ ".*", "", true },
		{ "^.*c$", "abc", true },
		{ "^.*b$", "abc", false },
		{ "^a*a$", "aaa", true },
		{ "^a+a+a+$", "aa", false },
		{ "^a+a+a+$", "aaa", true },
		{ "^a?a?a?aaa$", "aaa", true },
		{ "cat|dog", "hotdog", true },
		{ "cat|dog", "cow", false },
		{ "^cat$|^dog$", "dog", true },
		{ "^cat$|^dog$", "dogs", false },
		{ "a|", "zzz", true },
		{ "|a", "zzz", true },
		{ "a||b", "zzz", true },
	};

	(void)state;
	check_matches(cases, LEN(cases));
}

static void sets_match_as_documented(void **state)
{
	static const struct match cases[] = {
		{ "^[abc]$", "b", true },
		{ "^[abc]$", "d", false },
		{ "^[a-c]+$", "abcba", true },
		{ "^[a-c]+$", "abd", false },
		{ "^[^a-c]$", "d", true },
		{ "^[^a-c]$", "b", false },
		{ "[^a]", "", false },
		{ "^[]a]+$", "]a]", true },
		{ "^[]a]$", "b", false },
		{ "^[^]a]$", "]", false },
		{ "^[^]a]$", "b", true },
		{ "^[a-]+$", "-a-", true },
		{ "^[-a]+$", "a-", true },
		{ "^[a-]$", "b", false },
		{ "[z-a]", "m", false },
		{ "^[a|b]$", "|", true },
		{ "^[.*]+$", ".*.", true },
		{ "^[.*]$", "x", false },
		{ "^[a^]$", "^", true },
		{ "^[$]$", "$", true },
		{ "^[0-9a-f]+$", "c0ffee", true },
		{ "^[0-9a-f]+$", "coffee", false },
		{ "^[[]$", "[", true },
		{ "^x[0-9]?$", "x", true },
		{ "^[\\]$", "\\", true },
		{ "^[^a]$", "^", true },
	};

	(void)state;
	check_matches(cases, LEN(cases));
}

static void odd_patterns_take_their_signs_as_they_are(void **state)
{
	static const struct match cases[] = {
		/* quoting */
		{ "^a\\.c$", "a.c", true },
		{ "^a\\.c$", "abc", false },
		{ "^\\*+$", "***", true },
		{ "^\\\\$", "\\", true },
		{ "a\\|b", "a|b", true },
		{ "a\\|b", "a", false },
		{ "^\\^a", "^a", true },
		{ "a\\$", "a$", true },
		{ "a\\$", "a", false },
		{ "\\[a", "[a", true },
		{ "\\[a", "a", false },
		/* a backslash at the end is itself */
		{ "^a\\", "a\\", true },
		{ "^a\\", "a", false },
		{ "\\", "\\", true },
		{ "\\", "x", false },
		/* an unclosed set is no set */
		{ "[", "[", true },
		{ "[", "x", false },
		{ "^[abc$", "[abc", true },
		{ "^[abc$", "b", false },
		{ "[^", "[^", true },
		{ "[^", "x", false },
		{ "[]", "[]", true },
		{ "[]", "]", false },
		{ "^[a|^b", "b", true },
		{ "^[a*$", "[aaa", true },
		{ "x[", "x[", true },
		{ "[a-", "[a-", true },
		/* signs where they mean nothing */
		{ "^*a$", "*a", true },
		{ "^+$", "+", true },
		{ "a**", "aaa*", true },
		{ "^a**$", "aaa*", true },
		{ "^a**$", "aaab", false },
		{ "^a$b$", "a$b", true },
		{ "a^b", "a^b", true },
		{ "a^b", "ab", false },
		{ "^]$", "]", true },
		{ "^a-c$", "a-c", true },
		{ "$$", "$", true },
		{ "^^a", "^a", true },
	};

	(void)state;
	check_matches(cases, LEN(cases));
}

/* Memory whose last byte is followed by a page that can't be read. */
static char *end_of_page(void)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(pages != MAP_FAILED);
	assert_int_equal(mprotect(pages + 4096, 4096, PROT_NONE), 0);
	return pages + 4096;
}

static char *random_signs(char *end, size_t len)
{
	static const char signs[] = "a[]^$*?+|\\.-b";
	static unsigned seed = 1;

	*--end = 0;
	while (len--)
		*--end = signs[(seed = seed * 1103515245 + 12345) / 65536 % (sizeof(signs) - 1)];
	return end;
}

/* Patterns and texts of few signs against each other: each comes to an end and none is read beyond its own. */
static void any_pattern_ends(void **state)
{
	char *pattern_end = end_of_page(), *string_end = end_of_page();
	unsigned matched = 0;

	(void)state;
	for (unsigned i = 0; i < 300000; i++)
		matched += text_match(random_signs(pattern_end, i % 9), random_signs(string_end, i % 5));
	assert_true(matched > 1000 && matched < 299000);
	munmap(pattern_end - 4096, 8192);
	munmap(string_end - 4096, 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_as_printf_writes_them),
		cmocka_unit_test(fractions_are_cut_not_rounded),
		cmocka_unit_test(sizes_and_durations_take_the_largest_unit),
		cmocka_unit_test(a_text_is_cut_where_its_buffer_ends),
		cmocka_unit_test(texts_are_compared_to_their_ends),
		cmocka_unit_test(the_base_name_is_what_stands_behind_the_last_slash),
		cmocka_unit_test(saying_is_one_whole_line),
		cmocka_unit_test(patterns_match_as_documented),
		cmocka_unit_test(sets_match_as_documented),
		cmocka_unit_test(odd_patterns_take_their_signs_as_they_are),
		cmocka_unit_test(any_pattern_ends),
	};

	return cmocka_run_group_tests_name("preload/text", tests, NULL, NULL);
}
