/* SPDX-License-Identifier: MIT */
/* What is kept of many spans, and which row a duration has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "analyzer/web/lanes.h"
#include "analyzer/web/lines.h"

static void the_longest_spans_are_kept_and_the_others_given_back(void **state)
{
	struct web_longest l = { .most = 100 };
	uint64_t kept = 0, gone_sum = 0, all = 0;
	bool failed = false;

	(void)state;
	/* Lengths 1 to 1000, in an order that is none. */
	for (uint64_t i = 0; i < 1000; i++) {
		struct web_span span = { .begin = 7 * i, .end = 7 * i + 1 + i * 387 % 1000 }, gone;

		all += span.end - span.begin;
		if (web_longest_add(&l, &span, &gone, &failed))
			gone_sum += gone.end - gone.begin;
	}
	assert_false(failed);
	assert_int_equal(l.all, 1000);
	assert_int_equal(l.len, 100);
	web_longest_order(&l);
	for (size_t i = 0; i < l.len; i++) {
		assert_true(l.list[i].end - l.list[i].begin > 900);
		assert_true(!i || l.list[i].begin >= l.list[i - 1].begin);
		kept += l.list[i].end - l.list[i].begin;
	}
	assert_int_equal(kept + gone_sum, all);
	free(l.list);
}

static void what_contains_comes_before_what_is_inside_it(void **state)
{
	struct web_longest l = { .most = 3 };
	struct web_span gone;
	bool failed = false;

	(void)state;
	web_longest_add(&l, &(struct web_span){ .begin = 5, .end = 6, .depth = 2 }, &gone, &failed);
	web_longest_add(&l, &(struct web_span){ .begin = 5, .end = 9, .depth = 1 }, &gone, &failed);
	web_longest_add(&l, &(struct web_span){ .begin = 5, .end = 9, .depth = 0 }, &gone, &failed);
	web_longest_order(&l);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(l.list[i].depth, i);
	free(l.list);
}

static void rows_are_quarters_of_powers_of_two(void **state)
{
	(void)state;
	assert_int_equal(web_latency_row(0), 0);
	assert_int_equal(web_latency_row(1023), 0);
	assert_int_equal(web_latency_row(1024), 1);
	assert_int_equal(web_latency_row(1279), 1);
	assert_int_equal(web_latency_row(1280), 2);
	assert_int_equal(web_latency_row(2047), 4);
	assert_int_equal(web_latency_row(2048), 5);
	assert_int_equal(web_latency_row(UINT64_MAX), WEB_LATENCY_ROWS - 1);
	for (uint64_t ns = 1; ns < UINT64_MAX / 2; ns *= 2)
		assert_true(web_latency_row(ns) <= web_latency_row(ns + ns / 2));
}

static void only_names_that_end_as_sources_do_are_sources(void **state)
{
	static const char *const sources[] = { "/a/b.c", "x.hpp", "/src/lib.rs", "../sysdeps/strcmp.S" };
	static const char *const others[] = { "/etc/shadow", "/root/.ssh/id_rsa", "/a.c/b", "notes.txt", "", ".",
					      "c",	     "/x.c.gpg" };

	(void)state;
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		assert_true(web_lines_is_source(sources[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(web_lines_is_source(others[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_spans_are_kept_and_the_others_given_back),
		cmocka_unit_test(what_contains_comes_before_what_is_inside_it),
		cmocka_unit_test(rows_are_quarters_of_powers_of_two),
		cmocka_unit_test(only_names_that_end_as_sources_do_are_sources),
	};

	return cmocka_run_group_tests_name("analyzer/web/lanes", tests, NULL, NULL);
}
