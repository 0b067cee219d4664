/* SPDX-License-Identifier: MIT */
/* test_align_sites.c - call sites of a function that was edited: which are the old ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/models/align_sites.h"

#define MAX 8

struct side {
	struct align_site list[MAX];
	size_t len;
};

/* "3a5 7b2": line 3 calls a, 5 times; line 7 calls b, twice. */
static struct side parse(const char *text)
{
	struct side s = { .len = 0 };

	while (*text) {
		struct align_site *site = &s.list[s.len++];

		for (; *text >= '0' && *text <= '9'; text++)
			site->line = site->line * 10 + (*text - '0');
		site->callees = (uint64_t)*text++;
		for (; *text >= '0' && *text <= '9'; text++)
			site->weight = site->weight * 10 + (uint64_t)(*text - '0');
		text += *text == ' ';
	}
	return s;
}

/* For each new site the place of its old one, '-' for none; old ones that share a number are one. */
static void pairs(const struct side *old, const struct side *new, char *out)
{
	for (size_t i = 0; i < new->len; i++) {
		out[i] = '-';
		for (size_t k = old->len; k-- > 0;)
			if (old->list[k].number == new->list[i].number)
				out[i] = (char)('0' + k);
	}
	out[new->len] = '\0';
}

static void sites_are_found_again(void **state)
{
	static const struct {
		const char *what, *old, *new, *pairs;
	} cases[] = {
		{ "nothing changed", "3a5 7b2", "3a5 7b2", "01" },
		{ "a line was inserted above", "3a5 7b2", "4a5 8b2", "01" },
		{ "one more than the distance", "3a5 4a2", "4a5 5a2", "01" },
		{ "a site is new at the end", "3a5 7b2", "3a5 7b2 9c4", "01-" },
		{ "a site is new between, and moves the next", "3a5 5a7", "3a5 4a1 6a7", "0-1" },
		{ "a site is new above all", "3a5 4a7", "4a1 5a5 6a7", "-01" },
		{ "a site is gone", "3a5 5a7 9b1", "3a5 9b1", "02" },
		{ "a site is called more often", "3a5 7b2", "3a9 7b2", "01" },
		{ "it moved and is called more often", "3a5", "4a9", "0" },
		{ "other callees and other weights: another site", "3a5", "9b7", "-" },
		{ "the same line wins over all the rest", "3a5", "3b7", "0" },
		{ "no weights are known", "3a 7b", "4a 8b", "01" },
		{ "the lines were said in another way, the sum is the same", "16a10 18b500", "16c510", "0" },
		{ "two became three of the same sum", "3a5 4a5", "7b4 8b3 9b3", "000" },
		{ "no lines in the old build", "0a7", "3a5 7b4", "00" },
		{ "no lines in the new build", "3a5 7b4", "0a11", "0" },
		{ "only in the old build", "3a5", "", "" },
		{ "only in the new build", "", "3a5", "-" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct side old = parse(cases[i].old), new = parse(cases[i].new);
		char got[MAX + 1];
		uint32_t next = 0;

		assert_int_equal(align_sites(old.list, old.len, new.list, new.len, true, &next), 0);
		pairs(&old, &new, got);
		if (strcmp(got, cases[i].pairs) != 0)
			fail_msg("%s: %s, not %s", cases[i].what, got, cases[i].pairs);
	}
}

static void in_one_build_a_line_is_a_site(void **state)
{
	struct side old = parse("3a5 7b2"), new = parse("5a5 7c9 8b2");
	char got[MAX + 1];
	uint32_t next = 10;

	(void)state;
	assert_int_equal(align_sites(old.list, old.len, new.list, new.len, false, &next), 0);
	pairs(&old, &new, got);
	assert_string_equal(got, "-1-");
	assert_int_equal(next, 14); /* every site has a number of its own */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sites_are_found_again),
		cmocka_unit_test(in_one_build_a_line_is_a_site),
	};

	return cmocka_run_group_tests_name("analyzer/models/align_sites", tests, NULL, NULL);
}
