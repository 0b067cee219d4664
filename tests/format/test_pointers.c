/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "format/pointers.h"

static const uint64_t values[] = { 0,
				   8,
				   1,
				   0x7fffffffffff,
				   0x555500000010,
				   0x555500000017,
				   0x555500000010,
				   4096,
				   0xffff,
				   1u << 31,
				   0x7f0000000000,
				   0x7f0000000000,
				   7 };
#define LEN (sizeof(values) / sizeof(values[0]))

static void pairs_come_back_as_they_went_in(void **state)
{
	uint8_t bytes[LEN * POINTER_MAX];
	struct pointer_stream in = { 0x1000, 0x1000 }, out = in;
	size_t len = 0, at = 0, got;

	(void)state;
	for (size_t i = 0; i < LEN; i++)
		len += pointer_put(bytes + len, &in, 0x1000 + (i ? (uint64_t)8 << i * 3 : 0), values[i]);
	for (size_t i = 0; i < LEN; i++) {
		got = pointer_get(bytes + at, len - at, &out);
		assert_true(got > 0 && got <= POINTER_MAX);
		at += got;
		assert_int_equal(out.location, 0x1000 + (i ? (uint64_t)8 << i * 3 : 0));
		assert_int_equal(out.value, values[i]);
	}
	assert_int_equal(at, len);
	assert_int_equal(pointer_get(bytes + at, 0, &out), 0);
}

static void a_neighbour_takes_two_bytes(void **state)
{
	uint8_t bytes[POINTER_MAX];
	struct pointer_stream s = { 0x555500000000, 0x555500000000 };

	(void)state;
	assert_int_equal(pointer_put(bytes, &s, 0x555500000010, 0x555500000030), 2);
	assert_int_equal(pointer_put(bytes, &s, 0x555500000030, 0x555500000010), 2);
}

static void a_pair_that_is_cut_is_none(void **state)
{
	uint8_t bytes[POINTER_MAX];
	struct pointer_stream s = { 0, 0 };
	size_t len = pointer_put(bytes, &s, UINT64_C(1) << 46, 0x7fffffffffff);

	(void)state;
	for (size_t left = 0; left < len; left++) {
		s = (struct pointer_stream){ 0, 0 };
		assert_int_equal(pointer_get(bytes, left, &s), 0);
	}
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = 0xff;
	assert_int_equal(pointer_get(bytes, sizeof(bytes), &s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_come_back_as_they_went_in),
		cmocka_unit_test(a_neighbour_takes_two_bytes),
		cmocka_unit_test(a_pair_that_is_cut_is_none),
	};

	return cmocka_run_group_tests_name("format/pointers", tests, NULL, NULL);
}
