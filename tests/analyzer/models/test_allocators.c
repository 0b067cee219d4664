/* SPDX-License-Identifier: MIT */
/* test_allocators.c - rounding: glibc against the real one, the others against sizes read from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/models/allocators.h"

static struct allocators rules;

static int work_out(void **state)
{
	(void)state;
	allocators_init(&rules);
	return 0;
}

/* {asked for, usable}: what malloc_usable_size said. */
struct sizes {
	uint64_t asked, usable;
};

static void check(enum allocator which, const struct sizes *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(allocators_usable(&rules, which, s[i].asked, false), s[i].usable);
}
#define CHECK(which, sizes) check(which, sizes, sizeof(sizes) / sizeof((sizes)[0]))

static void glibc_has_a_head_and_a_smallest_chunk(void **state)
{
	static const struct sizes s[] = { { 0, 24 },	  { 1, 24 },	  { 24, 24 },	     { 25, 40 },
					  { 40, 40 },	  { 41, 56 },	  { 1000, 1000 },    { 1001, 1016 },
					  { 1032, 1032 }, { 1033, 1048 }, { 100000, 100008 } };

	(void)state;
	CHECK(ALLOCATOR_GLIBC, s);
	/* 128 KiB: a chunk of 131088, a word, whole pages, less two words */
	assert_int_equal(allocators_usable(&rules, ALLOCATOR_GLIBC, 131072, true), 135168 - 16);
	assert_true(allocators_is_mapped(131072, 0x7f0000000010));
	assert_false(allocators_is_mapped(131072, 0x7f0000000020));
	assert_false(allocators_is_mapped(131000, 0x7f0000000010));
	assert_true(allocators_is_mapped(131049, 0));
	assert_false(allocators_is_mapped(131048, 0));
	assert_int_equal(allocators_head(ALLOCATOR_GLIBC, false), 8);
	assert_int_equal(allocators_head(ALLOCATOR_GLIBC, true), 16);
	assert_int_equal(allocators_head(ALLOCATOR_JEMALLOC, true), 0);
}

static void jemalloc_has_four_sizes_per_power_of_two(void **state)
{
	static const struct sizes s[] = { { 0, 8 },
					  { 8, 8 },
					  { 9, 16 },
					  { 17, 32 },
					  { 33, 48 },
					  { 128, 128 },
					  { 129, 160 },
					  { 257, 320 },
					  { 1024, 1024 },
					  { 1025, 1280 },
					  { 14337, 16384 },
					  { 16385, 20480 },
					  { 3000000, 3145728 },
					  { 16894924, 20971520 } };

	(void)state;
	CHECK(ALLOCATOR_JEMALLOC, s);
	assert_int_equal(allocators_usable(&rules, ALLOCATOR_JEMALLOC, UINT64_MAX, false), UINT64_MAX);
}

static void tcmalloc_merges_sizes_that_fill_a_span_alike(void **state)
{
	static const struct sizes s[] = { { 0, 8 },
					  { 9, 16 },
					  { 17, 32 },
					  { 129, 144 },
					  { 257, 288 },
					  { 1025, 1152 },
					  { 1537, 1792 },
					  { 2561, 2816 },
					  { 262144, 262144 },
					  { 262145, 270336 },
					  { 15878986, 15884288 } };

	(void)state;
	CHECK(ALLOCATOR_TCMALLOC, s);
}

static void mimalloc_has_steps_of_its_own_for_large_blocks(void **state)
{
	static const struct sizes s[] = { { 0, 8 },
					  { 65, 80 },
					  { 129, 160 },
					  { 114689, 131072 },
					  { 131073, 196608 },
					  { 459013, 524288 },
					  { 525126, 1048576 },
					  { 1049505, 1572864 },
					  { 8398954, 9437184 },
					  { 32532223, 33554432 },
					  { 33563876, 37748736 } };

	(void)state;
	CHECK(ALLOCATOR_MIMALLOC, s);
}

static void a_block_has_at_least_what_was_asked_for_and_more_for_more(void **state)
{
	(void)state;
	for (unsigned which = 0; which < ALLOCATORS; which++)
		for (uint64_t size = 0, last = 0; size < 400000; size += size < 5000 ? 1 : 13) {
			uint64_t usable = allocators_usable(&rules, which, size, false);

			assert_true(usable >= size && usable >= last);
			last = usable;
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(glibc_has_a_head_and_a_smallest_chunk),
		cmocka_unit_test(jemalloc_has_four_sizes_per_power_of_two),
		cmocka_unit_test(tcmalloc_merges_sizes_that_fill_a_span_alike),
		cmocka_unit_test(mimalloc_has_steps_of_its_own_for_large_blocks),
		cmocka_unit_test(a_block_has_at_least_what_was_asked_for_and_more_for_more),
	};

	return cmocka_run_group_tests_name("analyzer/models/allocators", tests, work_out, NULL);
}
