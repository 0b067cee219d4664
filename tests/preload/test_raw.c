// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "preload/raw.h"

#define MANY 1000u
#define THREADS 4u

struct search {
	uintptr_t from, to;
	unsigned found, overlaps;
};

static void look(void *self, uintptr_t from, uintptr_t to)
{
	struct search *s = self;

	if (from == s->from && to == s->to)
		s->found++;
	else if (from < s->to && s->from < to)
		s->overlaps++;
}

static unsigned count(const void *p, size_t size)
{
	struct search s = { .from = (uintptr_t)p, .to = (uintptr_t)p + ((size + 4095) & ~(size_t)4095) };

	raw_each(look, &s);
	assert_int_equal(s.overlaps, 0);
	return s.found;
}

static void memory_is_listed_until_it_is_given_back(void **state)
{
	char *p = raw_map(5000), *q = raw_map(4096);

	(void)state;
	assert_true(p && q && !p[0] && !p[4999]);
	assert_int_equal(count(p, 5000), 1);
	assert_int_equal(count(q, 4096), 1);
	raw_unmap(p, 5000);
	assert_int_equal(count(p, 5000), 0);
	assert_int_equal(count(q, 4096), 1);
	raw_unmap(q, 4096);
	assert_int_equal(count(q, 4096), 0);
}

static void the_list_grows_and_its_own_memory_is_in_it(void **state)
{
	static char *all[MANY];
	size_t before = raw_each(look, &(struct search){ 0 });

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		all[i] = raw_map(4096);
	/* A table takes 253 others and itself. */
	assert_in_range(raw_each(look, &(struct search){ 0 }) - before, MANY + 3, MANY + 5);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(count(all[i], 4096), 1);
	for (unsigned i = 0; i < MANY; i++)
		raw_unmap(all[i], 4096);
	assert_in_range(raw_each(look, &(struct search){ 0 }) - before, 3, 5);
}

static void *come_and_go(void *arg)
{
	for (unsigned i = 0; i < MANY; i++) {
		char *p = raw_map(4096);

		*p = 1;
		raw_unmap(p, 4096);
	}
	return arg;
}

static void threads_leave_nothing_behind(void **state)
{
	size_t before = raw_each(look, &(struct search){ 0 });
	pthread_t threads[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, come_and_go, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(raw_each(look, &(struct search){ 0 }), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_listed_until_it_is_given_back),
		cmocka_unit_test(the_list_grows_and_its_own_memory_is_in_it),
		cmocka_unit_test(threads_leave_nothing_behind),
	};

	return cmocka_run_group_tests_name("preload/raw", tests, NULL, NULL);
}
