/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analyzer/symbols/modules.h"

static int add(struct modules *m, uint32_t id, const char *path, uint64_t start, uint64_t end)
{
	return modules_add(m, id, path, strlen(path), "\xaa\xbb", 2, start, start, end);
}

static void what_was_added_is_found_by_id_and_address(void **state)
{
	struct modules m;

	(void)state;
	modules_init(&m);
	assert_null(modules_by_addr(&m, 0));
	for (uint32_t i = 1; i <= 100; i++) {
		uint64_t start = 0x10000 * ((i * 37) % 101);

		assert_int_equal(add(&m, i, "/lib/x.so", start, start + 0x8000), 0);
	}
	for (uint32_t i = 1; i <= 100; i++) {
		uint64_t start = 0x10000 * ((i * 37) % 101);

		assert_int_equal(modules_by_id(&m, i)->start, start);
		assert_int_equal(modules_by_addr(&m, start)->id, i);
		assert_int_equal(modules_by_addr(&m, start + 0x7fff)->id, i);
		assert_null(modules_by_addr(&m, start + 0x8000));
	}
	assert_null(modules_by_id(&m, 0));
	assert_null(modules_by_id(&m, 101));
	modules_release(&m);
}

static void a_reused_place_belongs_to_what_is_loaded_then_to_the_newest(void **state)
{
	struct modules m;

	(void)state;
	modules_init(&m);
	add(&m, 1, "/old.so", 0x1000, 0x9000);
	add(&m, 2, "/now.so", 0x2000, 0x3000);
	add(&m, 3, "/later.so", 0x1000, 0x9000);
	modules_gone(&m, 1, 5);
	modules_gone(&m, 3, 6);
	modules_gone(&m, 77, 6);
	assert_int_equal(modules_by_addr(&m, 0x2800)->id, 2);
	assert_int_equal(modules_by_addr(&m, 0x4000)->id, 3);
	modules_gone(&m, 2, 7);
	assert_int_equal(modules_by_addr(&m, 0x2800)->id, 3);
	modules_release(&m);
}

static void nonsense_is_refused_and_repetition_ignored(void **state)
{
	char id[64] = { 0 };
	struct modules m;

	(void)state;
	modules_init(&m);
	assert_int_equal(add(&m, 0, "/x", 0, 1), -EINVAL);
	assert_int_equal(add(&m, 65536, "/x", 0, 1), -EINVAL);
	assert_int_equal(add(&m, 1, "/x", 2, 1), -EINVAL);
	assert_int_equal(modules_add(&m, 1, "/x", 2, id, 33, 0, 0, 1), -EINVAL);
	assert_int_equal(modules_add(&m, 1, "/x\0/y", 5, NULL, 0, 0, 0, UINT64_MAX), 0);
	assert_string_equal(modules_by_id(&m, 1)->path, "/x");
	assert_int_equal(add(&m, 1, "/other", 5, 6), 0);
	assert_string_equal(modules_by_id(&m, 1)->path, "/x");
	assert_int_equal(modules_by_addr(&m, UINT64_MAX - 1)->id, 1);
	modules_release(&m);
}

static void base_names(void **state)
{
	(void)state;
	assert_string_equal(path_base("/usr/lib/libc.so.6"), "libc.so.6");
	assert_string_equal(path_base("a.out"), "a.out");
	assert_string_equal(path_base("/dir/"), "/dir/");
	assert_string_equal(path_base(""), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_found_by_id_and_address),
		cmocka_unit_test(a_reused_place_belongs_to_what_is_loaded_then_to_the_newest),
		cmocka_unit_test(nonsense_is_refused_and_repetition_ignored),
		cmocka_unit_test(base_names),
	};

	return cmocka_run_group_tests_name("analyzer/symbols/modules", tests, NULL, NULL);
}
