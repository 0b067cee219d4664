/* SPDX-License-Identifier: MIT */
/* test_nearest.c - the word that was meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/util/nearest.h"

static void the_nearest_word_is_found(void **state)
{
	static const char *const words[] = { "record", "report", "heap", "block" };

	(void)state;
	assert_int_equal(nearest_word("recrod", words, 4), 0);
	assert_int_equal(nearest_word("rep", words, 4), 1);
	assert_int_equal(nearest_word("heaps", words, 4), 2);
	assert_int_equal(nearest_word("zzzzzz", words, 4), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nearest_word_is_found),
	};

	return cmocka_run_group_tests_name("analyzer/util/nearest", tests, NULL, NULL);
}
