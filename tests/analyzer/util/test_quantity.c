/* SPDX-License-Identifier: MIT */
/* test_quantity.c - numbers with units as they are typed, and what is none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/util/quantity.h"

static void a_number_has_the_factor_of_its_unit(void **state)
{
	static const struct {
		const char *text;
		enum quantity kind;
		double value;
		const char *rest;
	} cases[] = {
		{ "0", QUANTITY_COUNT, 0, "" },
		{ "12", QUANTITY_COUNT, 12, "" },
		{ "1.5", QUANTITY_COUNT, 1.5, "" },
		{ "5%", QUANTITY_COUNT, 5, "%" },
		{ "512", QUANTITY_BYTES, 512, "" },
		{ "512b", QUANTITY_BYTES, 512, "" },
		{ "4k", QUANTITY_BYTES, 4096, "" },
		{ "4KiB", QUANTITY_BYTES, 4096, "" },
		{ "1.5M", QUANTITY_BYTES, 1572864, "" },
		{ "2g", QUANTITY_BYTES, 2147483648.0, "" },
		{ "10us", QUANTITY_NS, 10000, "" },
		{ "1.5s", QUANTITY_NS, 1.5e9, "" },
		{ "200ms x", QUANTITY_NS, 2e8, " x" },
		{ "2min", QUANTITY_NS, 120e9, "" },
		{ "0", QUANTITY_NS, 0, "" },
		{ "7ns", QUANTITY_NS, 7, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *at = cases[i].text;
		double value = -1;

		assert_int_equal(quantity_parse(&at, cases[i].kind, &value), 0);
		assert_true(value == cases[i].value);
		assert_string_equal(at, cases[i].rest);
	}
}

static void what_is_no_number_of_the_kind_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum quantity kind;
	} cases[] = {
		{ "", QUANTITY_COUNT },	   { "x", QUANTITY_COUNT },   { "-1", QUANTITY_COUNT },
		{ "nan", QUANTITY_COUNT }, { "inf", QUANTITY_NS },    { "0x10", QUANTITY_BYTES },
		{ "3q", QUANTITY_BYTES },  { "3ms", QUANTITY_BYTES }, { "3k", QUANTITY_COUNT },
		{ "3", QUANTITY_NS },	   { "3k", QUANTITY_NS },     { "3kk", QUANTITY_BYTES },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *at = cases[i].text;
		double value;

		assert_int_equal(quantity_parse(&at, cases[i].kind, &value), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_has_the_factor_of_its_unit),
		cmocka_unit_test(what_is_no_number_of_the_kind_is_refused),
	};

	return cmocka_run_group_tests_name("analyzer/util/quantity", tests, NULL, NULL);
}
