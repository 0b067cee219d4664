// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "preload/file.h"
#include "preload/live.h"
#include "tests/support/fake_file.h"

static int fresh_table(void **state)
{
	(void)state;
	fake_file_open(2000);
	return live_begin() ? 0 : -1;
}

static uint32_t add(uint64_t addr)
{
	return live_add(
		&(struct rsd_live){ .addr = addr, .size = addr / 2, .tick = addr + 1, .stack = 3, .thread = 4 });
}

/* What a reader finds: entries with an address. */
static unsigned count(uint64_t *sum)
{
	unsigned n = 0;

	*sum = 0;
	for (uint64_t unit = 1; unit < file_header->next_unit; unit++) {
		const struct rsd_extent *ext = (const void *)((const char *)file_header + unit * RSD_UNIT);
		const struct rsd_live *live = (const void *)(ext + 1);

		if (ext->magic != RSD_EXTENT_MAGIC || ext->kind != RSD_EXTENT_LIVE)
			continue;
		for (unsigned i = 0; i < RSD_LIVE_PER_UNIT; i++) {
			if (!live[i].addr)
				continue;
			assert_int_equal(live[i].size, live[i].addr / 2);
			assert_int_equal(live[i].tick, live[i].addr + 1);
			assert_int_equal(live[i].stack, 3);
			assert_int_equal(live[i].thread, 4);
			*sum += live[i].addr;
			n++;
		}
	}
	return n;
}

static void what_is_alive_stands_in_the_dump(void **state)
{
	enum { COUNT = 5000 };
	uint32_t entries[COUNT];
	uint64_t sum, want = 0;

	(void)state;
	for (uint64_t i = 0; i < COUNT; i++) {
		entries[i] = add(0x1000 + i * 16);
		assert_int_not_equal(entries[i], 0);
	}
	assert_int_equal(count(&sum), COUNT);
	for (uint64_t i = 0; i < COUNT; i++)
		if (i % 3)
			live_remove(entries[i]);
		else
			want += 0x1000 + i * 16;
	assert_int_equal(count(&sum), (COUNT + 2) / 3);
	assert_int_equal(sum, want);
}

static void entries_are_used_again(void **state)
{
	uint64_t units, sum;

	(void)state;
	live_remove(add(16));
	units = file_header->next_unit;
	for (uint64_t i = 1; i < 100000; i++)
		live_remove(add(i * 16));
	assert_int_equal(file_header->next_unit, units);
	assert_int_equal(count(&sum), 0);
}

static void an_entry_is_freed_once(void **state)
{
	uint32_t first = add(16), second, third;

	(void)state;
	live_remove(first);
	live_remove(first);
	live_remove(0);
	second = add(32);
	third = add(48);
	assert_int_equal(second, first);
	assert_int_not_equal(third, second);
}

static void a_full_file_gives_no_entry(void **state)
{
	(void)state;
	fake_file_open(2);
	live_begin();
	for (unsigned i = 0; i < RSD_LIVE_PER_UNIT; i++)
		assert_int_not_equal(add(16 + i * 16), 0);
	assert_int_equal(add(8), 0);
	assert_int_equal(add(8), 0);
}

static void *add_and_remove(void *arg)
{
	uint64_t base = (uint64_t)(uintptr_t)arg << 32;

	for (uint64_t turn = 0; turn < 20000; turn++) {
		uint32_t entries[8];

		for (unsigned i = 0; i < 8; i++)
			entries[i] = add(base + (turn * 8 + i) * 16);
		for (unsigned i = 0; i < 8; i++)
			live_remove(entries[i]);
	}
	add(base);
	return NULL;
}

static void threads_do_not_share_entries(void **state)
{
	pthread_t threads[4];
	uint64_t sum;

	(void)state;
	for (uintptr_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_and_remove, (void *)(i + 1)), 0);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(count(&sum), 4);
	assert_int_equal(sum, UINT64_C(10) << 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_alive_stands_in_the_dump, fresh_table),
		cmocka_unit_test_setup(entries_are_used_again, fresh_table),
		cmocka_unit_test_setup(an_entry_is_freed_once, fresh_table),
		cmocka_unit_test_setup(a_full_file_gives_no_entry, fresh_table),
		cmocka_unit_test_setup(threads_do_not_share_entries, fresh_table),
	};

	return cmocka_run_group_tests_name("preload/live", tests, NULL, NULL);
}
