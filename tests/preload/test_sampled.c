// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "preload/sampled.h"

static int fresh_set(void **state)
{
	(void)state;
	return sampled_begin() ? 0 : -1;
}

static void *block(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

/* The number that goes with a block is made from its address, so that another's would show. */
static uint32_t number_of(void *b)
{
	return (uint32_t)((uintptr_t)b * 2654435761u >> 7);
}

static bool add(void *b)
{
	return sampled_add(b, number_of(b));
}

static bool take(void *b)
{
	uint32_t number;
	bool was_there = sampled_remove(b, &number);

	if (was_there && number != number_of(b))
		fail_msg("block %p has the number %u", b, number);
	return was_there;
}

static void what_was_added_is_removed_once(void **state)
{
	(void)state;
	assert_false(take(block(0x1000)));
	assert_true(add(block(0x1000)));
	assert_false(take(block(0x1008)));
	assert_true(take(block(0x1000)));
	assert_false(take(block(0x1000)));
	assert_true(add(block(0x1000)));
	assert_true(take(block(0x1000)));
}

static void a_new_set_is_empty(void **state)
{
	(void)state;
	assert_true(add(block(0x2000)));
	assert_true(sampled_begin());
	assert_false(take(block(0x2000)));
}

/* Even ones are added, odd ones must stay unknown; then each even one is there exactly once. */
static void many_blocks_are_all_there(void **state)
{
	enum { COUNT = 200000 };

	(void)state;
	for (uint64_t i = 0; i < COUNT; i++)
		assert_true(add(block(0x10000000 + i * 32)));
	for (uint64_t i = 0; i < COUNT; i++)
		assert_false(take(block(0x10000000 + i * 32 + 16)));
	for (uint64_t i = 0; i < COUNT; i++)
		assert_true(take(block(0x10000000 + i * 32)));
	for (uint64_t i = 0; i < COUNT; i++)
		assert_false(take(block(0x10000000 + i * 32)));
}

/* Places that were used are used again: far more blocks pass through than there are slots. */
static void places_are_used_again(void **state)
{
	enum { LIVE = 1000, TURNS = 3000 };

	(void)state;
	for (uint64_t turn = 0; turn < TURNS; turn++) {
		for (uint64_t i = 0; i < LIVE; i++)
			if (!add(block(0x20000000 + (turn * LIVE + i) * 16)))
				fail_msg("no place in turn %lu", (unsigned long)turn);
		for (uint64_t i = 0; i < LIVE; i++)
			assert_true(take(block(0x20000000 + (turn * LIVE + i) * 16)));
	}
}

/* Large blocks are mappings at equal distances, often powers of two. */
static void blocks_at_any_distance_find_a_place(void **state)
{
	enum { COUNT = 4096 };

	for (unsigned shift = 3; shift <= 35; shift++) {
		fresh_set(state);
		for (uint64_t i = 1; i <= COUNT; i++)
			if (!add(block(i << shift)))
				fail_msg("block %lu of those 2^%u bytes apart", (unsigned long)i, shift);
		for (uint64_t i = 1; i <= COUNT; i++)
			assert_true(take(block(i << shift)));
	}
}

/* The inverse of the hash's factor makes addresses whose upper hash bits are as wanted: all want one place. */
static void *block_of_hash(uint64_t h)
{
	uint64_t inverse = 0x9e3779b97f4a7c15u;

	for (int i = 0; i < 6; i++) /* Newton: each step doubles the bits that are right */
		inverse *= 2 - 0x9e3779b97f4a7c15u * inverse;
	return block(h * inverse << 3);
}

/* Hashes that differ in their lowest 28 bits only; of those some are no addresses, as the top 3 bits are lost. */
static unsigned blocks_of_one_place(void **blocks, unsigned count, uint64_t place)
{
	unsigned n = 0;

	for (uint64_t low = 0; n < count; low++) {
		uint64_t h = place | low;
		void *b = block_of_hash(h);

		if (((uint64_t)(uintptr_t)b >> 3) * 0x9e3779b97f4a7c15u == h)
			blocks[n++] = b;
	}
	return n;
}

static void a_full_neighbourhood_is_told_and_leaves_no_trace(void **state)
{
	enum { COUNT = 400 };
	void *blocks[COUNT];
	unsigned taken = 0;

	(void)state;
	blocks_of_one_place(blocks, COUNT, UINT64_C(0x123456789) << 28);
	while (taken < COUNT && add(blocks[taken]))
		taken++;
	assert_true(taken > 8 && taken < COUNT);
	for (unsigned i = taken; i < COUNT; i++)
		assert_false(take(blocks[i]));
	/* One leaves, one may come, behind those that were there before. */
	assert_true(take(blocks[3]));
	assert_true(add(blocks[taken]));
	assert_false(add(blocks[taken + 1]));
	for (unsigned i = 0; i <= taken; i++)
		assert_int_equal(take(blocks[i]), i != 3);
}

/* More than 255 blocks share one byte of the filter, which sticks: none of them may be forgotten for it. */
static void a_filter_byte_that_sticks_hides_nothing(void **state)
{
	enum { PLACES = 40, EACH = 20 };
	static void *blocks[PLACES][EACH];
	unsigned total = 0;

	(void)state;
	/* The filter takes the upper 16 bits, the place the 20 above the lowest 28. */
	for (uint64_t p = 0; p < PLACES; p++)
		total += blocks_of_one_place(blocks[p], EACH, UINT64_C(0xabcd) << 48 | p << 34);
	assert_true(total > 2 * 255);
	for (unsigned turn = 0; turn < 3; turn++) {
		for (unsigned i = 0; i < total; i++)
			assert_true(add(blocks[i / EACH][i % EACH]));
		for (unsigned i = 0; i < total; i++)
			assert_true(take(blocks[i / EACH][i % EACH]));
		for (unsigned i = 0; i < total; i++)
			assert_false(take(blocks[i / EACH][i % EACH]));
	}
}

enum { WORKER_TURNS = 300000, WORKER_BLOCKS = 20 };

struct worker {
	void *blocks[WORKER_BLOCKS];
	unsigned added, removed;
};

static void *add_and_remove(void *arg)
{
	struct worker *w = arg;

	for (unsigned turn = 0; turn < WORKER_TURNS; turn++) {
		for (unsigned i = 0; i < WORKER_BLOCKS; i++)
			w->added += add(w->blocks[i]);
		for (unsigned i = 0; i < WORKER_BLOCKS; i++)
			w->removed += take(w->blocks[i]);
	}
	return NULL;
}

/* All blocks want one place and one byte of the filter, so the threads fight for each. */
static void two_threads_keep_their_blocks(void **state)
{
	void *blocks[2 * WORKER_BLOCKS];
	struct worker workers[2] = { 0 };
	pthread_t threads[2];

	(void)state;
	blocks_of_one_place(blocks, 2 * WORKER_BLOCKS, UINT64_C(0x77777) << 28);
	for (unsigned i = 0; i < 2 * WORKER_BLOCKS; i++)
		workers[i % 2].blocks[i / 2] = blocks[i];
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_and_remove, &workers[i]), 0);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(workers[i].added, WORKER_TURNS * WORKER_BLOCKS);
		assert_int_equal(workers[i].removed, WORKER_TURNS * WORKER_BLOCKS);
	}
}

static void *remove_all(void *arg)
{
	unsigned *removed = arg;

	for (uint64_t i = 0; i < 100000; i++)
		*removed += take(block(0x40000000 + i * 16));
	return NULL;
}

static void each_block_is_removed_by_one_thread_at_least(void **state)
{
	unsigned removed[2] = { 0, 0 };
	pthread_t thread;

	(void)state;
	for (uint64_t i = 0; i < 100000; i++)
		assert_true(add(block(0x40000000 + i * 16)));
	assert_int_equal(pthread_create(&thread, NULL, remove_all, &removed[0]), 0);
	remove_all(&removed[1]);
	pthread_join(thread, NULL);
	assert_true(removed[0] + removed[1] >= 100000);
	removed[0] = 0;
	remove_all(&removed[0]);
	assert_int_equal(removed[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_was_added_is_removed_once, fresh_set),
		cmocka_unit_test_setup(a_new_set_is_empty, fresh_set),
		cmocka_unit_test_setup(many_blocks_are_all_there, fresh_set),
		cmocka_unit_test_setup(places_are_used_again, fresh_set),
		cmocka_unit_test_setup(blocks_at_any_distance_find_a_place, fresh_set),
		cmocka_unit_test_setup(a_full_neighbourhood_is_told_and_leaves_no_trace, fresh_set),
		cmocka_unit_test_setup(a_filter_byte_that_sticks_hides_nothing, fresh_set),
		cmocka_unit_test_setup(two_threads_keep_their_blocks, fresh_set),
		cmocka_unit_test_setup(each_block_is_removed_by_one_thread_at_least, fresh_set),
	};

	return cmocka_run_group_tests_name("preload/sampled", tests, NULL, NULL);
}
