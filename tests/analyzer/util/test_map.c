/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "analyzer/util/map.h"

static void an_empty_map_has_nothing(void **state)
{
	struct map m = MAP_INIT;
	struct map_iter it = { 0 };

	(void)state;
	assert_false(map_get(&m, 0, NULL));
	assert_false(map_remove(&m, 0, NULL));
	assert_false(map_next(&m, &it));
	map_release(&m);
}

static void extreme_keys_are_keys(void **state)
{
	static const uint64_t keys[] = { 0, 1, UINT64_MAX, UINT64_MAX - 1, INT64_MAX };
	struct map m = MAP_INIT;
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(map_put(&m, keys[i], i + 100), 0);
	assert_int_equal(m.len, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_true(map_get(&m, keys[i], &value));
		assert_int_equal(value, i + 100);
	}
	map_release(&m);
}

static void at_makes_zero_and_tells(void **state)
{
	struct map m = MAP_INIT;
	bool is_new;

	(void)state;
	assert_int_equal(*map_at(&m, 7, &is_new), 0);
	assert_true(is_new);
	*map_at(&m, 7, &is_new) += 5;
	assert_false(is_new);
	assert_int_equal(*map_at(&m, 7, NULL), 5);
	map_clear(&m);
	assert_false(map_get(&m, 7, NULL));
	map_release(&m);
}

/* The model is an array: every step of a random walk must agree with it, and so must iteration. */
static void a_random_walk_agrees_with_an_array(void **state)
{
	enum { KEYS = 700, STEPS = 60000 };
	static uint64_t model[KEYS]; /* 0: absent */
	struct map m = MAP_INIT;
	struct map_iter it = { 0 };
	size_t live = 0, seen = 0;
	uint64_t value;

	(void)state;
	srand(5);
	for (int step = 1; step <= STEPS; step++) {
		uint64_t key = (uint64_t)rand() % KEYS;

		if (rand() % 2) {
			live += !model[key];
			model[key] = (uint64_t)step;
			assert_int_equal(map_put(&m, key * 4096, (uint64_t)step), 0);
		} else {
			value = 0;
			assert_int_equal(map_remove(&m, key * 4096, &value), model[key] != 0);
			assert_int_equal(value, model[key]);
			live -= model[key] != 0;
			model[key] = 0;
		}
		assert_int_equal(m.len, live);
	}
	for (uint64_t key = 0; key < KEYS; key++) {
		value = 0;
		assert_int_equal(map_get(&m, key * 4096, &value), model[key] != 0);
		assert_int_equal(value, model[key]);
	}
	while (map_next(&m, &it)) {
		assert_int_equal(it.value, model[it.key / 4096]);
		seen++;
	}
	assert_int_equal(seen, live);
	map_release(&m);
}

static void hashes_differ_by_length_and_content(void **state)
{
	(void)state;
	assert_true(hash_bytes("a", 1) != hash_bytes("a\0", 2));
	assert_true(hash_bytes("12345678x", 9) != hash_bytes("12345678y", 9));
	assert_true(hash_bytes("12345678x", 9) == hash_bytes("12345678x", 9));
	assert_true(hash_u64(1) != hash_u64(2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_has_nothing),
		cmocka_unit_test(extreme_keys_are_keys),
		cmocka_unit_test(at_makes_zero_and_tells),
		cmocka_unit_test(a_random_walk_agrees_with_an_array),
		cmocka_unit_test(hashes_differ_by_length_and_content),
	};

	return cmocka_run_group_tests_name("analyzer/util/map", tests, NULL, NULL);
}
