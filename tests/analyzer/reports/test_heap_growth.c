/* SPDX-License-Identifier: MIT */
/* test_heap_growth.c - planted courses, each by its word, and the rate of a leak. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/trace_report.h"

#define STEPS 3000
#define STEP_NS 1000

/* One place: its blocks have addresses of their own. */
struct plant {
	struct trace *t;
	struct trace_lane lane;
	uint32_t stack;
	uint64_t base;
	unsigned made, freed;
};

static struct plant plant(struct trace *t, unsigned number)
{
	return (struct plant){ .t = t,
			       .lane = trace_lane(t, RSD_EXTENT_EVENTS, 0, 0),
			       .stack = trace_stack(t, 0x100, 0x1000 * (uint64_t)number),
			       .base = (uint64_t)number << 24 };
}

static void make(struct plant *p, unsigned step, uint64_t size)
{
	trace_alloc(p->t, &p->lane, (uint64_t)step * STEP_NS, p->base + 4096 * p->made++, size, p->stack);
}

/* The oldest one. */
static void end(struct plant *p, unsigned step)
{
	trace_free(p->t, &p->lane, (uint64_t)step * STEP_NS + 1, p->base + 4096 * p->freed++);
}

static const struct cell *cell_of(struct reported *d, unsigned number, const char *column)
{
	return reported_cell(d, "places", reported_row_at(d, "places", 0x1000 * (uint64_t)number), column);
}

static void planted_courses_are_called_by_their_names(void **state)
{
	static const struct {
		unsigned number;
		const char *verdict;
	} truth[] = { { 1, "grows steadily" },	{ 2, "levelled off" },	  { 3, "saw-tooth" },
		      { 4, "shrinks" },		{ 5, "steady" },	  { 6, "grows in steps" },
		      { 7, "levelled off" },	{ 9, "too young" },	  { 10, "levelled off" },
		      { 11, "comes and goes" }, { 12, "grows steadily" }, { 13, "levelled off" },
		      { 14, "comes and goes" } };
	struct plant over, torn_leak, torn_cache, waves;
	struct plant leak, cache, saw, shrink, steady, steps, slow, passing, young, filling;
	struct trace t;
	struct reported d;
	uint64_t random = 5;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "main");
	leak = plant(&t, 1), cache = plant(&t, 2), saw = plant(&t, 3), shrink = plant(&t, 4), steady = plant(&t, 5);
	steps = plant(&t, 6), slow = plant(&t, 7), passing = plant(&t, 8), young = plant(&t, 9),
	filling = plant(&t, 10);
	over = plant(&t, 11), torn_leak = plant(&t, 12), torn_cache = plant(&t, 13), waves = plant(&t, 14);
	for (unsigned i = 0; i < 600; i++)
		make(&shrink, 0, 100);
	make(&steady, 0, 5000);
	for (unsigned i = 1; i < STEPS; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		if (i % 4 == 0)
			make(&leak, i, 100);
		/* A cache of 100 blocks of changing sizes, full after a third. */
		if (i % 10 == 0) {
			make(&cache, i, 500 + (random >> 40) % 100);
			if (cache.made - cache.freed > 100)
				end(&cache, i);
		}
		if (i % 2 == 0 && i % 500 < 490)
			make(&saw, i, 64);
		while (i % 500 == 490 && saw.freed < saw.made)
			end(&saw, i);
		if (i % 6 == 0)
			end(&shrink, i);
		if (i == 800 || i == 1600 || i == 2400)
			make(&steps, i, 100000);
		/* As a table of what was not seen before: ever more seldom. */
		if ((random >> 20) % STEPS < (STEPS - i) * (uint64_t)(STEPS - i) / STEPS * (STEPS - i) / STEPS)
			make(&slow, i, 200);
		make(&passing, i, 1000);
		end(&passing, i);
		if (i > STEPS * 9 / 10)
			make(&young, i, 10);
		if (i < STEPS / 4)
			make(&filling, i, 10);
		/* Grows, and is all freed while the program goes on; or shortly before it ends. */
		if (i % 8 == 0 && i < STEPS * 6 / 10)
			make(&over, i, 100);
		while (i == STEPS * 6 / 10 && over.freed < over.made)
			end(&over, i);
		if (i % 8 == 0 && i < STEPS * 96 / 100)
			make(&torn_leak, i, 100);
		if (i % 8 == 0 && i < STEPS / 3)
			make(&torn_cache, i, 100);
		while (i == STEPS * 96 / 100 && torn_leak.freed < torn_leak.made)
			end(&torn_leak, i);
		while (i == STEPS * 96 / 100 && torn_cache.freed < torn_cache.made)
			end(&torn_cache, i);
		/* Two thirds of it for a time, twice. */
		if (i < 10 || (i % 1500 >= 300 && i % 1500 < 320))
			make(&waves, i, 100);
		if (i % 1500 >= 900 && i % 1500 < 920)
			end(&waves, i);
	}
	trace_end(&t, (uint64_t)STEPS * STEP_NS, 0);
	reported_open(&d, &t, "heap", "growth", NULL);
	for (size_t i = 0; i < sizeof(truth) / sizeof(truth[0]); i++)
		assert_string_equal(cell_of(&d, truth[i].number, "verdict")->text, truth[i].verdict);
	assert_int_equal(reported_table(&d, "places")->rows_len, sizeof(truth) / sizeof(truth[0]));
	/* 100 bytes each 4 steps; a block more or less at the ends of the half. */
	assert_in_range(cell_of(&d, 1, "bytes_per_hour")->number, 25 * 3600e9 / STEP_NS * 0.98,
			25 * 3600e9 / STEP_NS * 1.02);
	assert_int_equal(cell_of(&d, 1, "alive")->number, leak.made);
	assert_int_equal(cell_of(&d, 1, "alive_bytes")->number, 100 * leak.made);
	assert_false(cell_of(&d, 2, "bytes_per_hour")->is_set);
	assert_int_equal(cell_of(&d, 5, "max_bytes")->number, 5000);
	assert_string_equal(reported_cell(&d, "places", 0, "verdict")->text, "grows steadily");
	reported_release(&d);
	trace_release(&t);
}

static void the_floor_of_a_stretch_is_its_least(void **state)
{
	struct trace t;
	struct reported d;
	struct plant p;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "main");
	p = plant(&t, 1);
	make(&p, 0, 100);
	for (unsigned i = 0; i < 64; i++) { /* in each stretch 100, then 1100, then 100 again */
		trace_alloc(&t, &p.lane, i * 1000 + 300, p.base + 0x800, 1000, p.stack);
		trace_free(&t, &p.lane, i * 1000 + 600, p.base + 0x800);
	}
	trace_end(&t, 64000, 0);
	reported_open(&d, &t, "heap", "growth", NULL);
	assert_int_equal(cell_of(&d, 1, "max_bytes")->number, 100);
	assert_string_equal(cell_of(&d, 1, "verdict")->text, "steady");
	assert_string_equal(cell_of(&d, 1, "course")->text, "@@@@@@@@@@@@@@@@");
	assert_int_equal(reported_fact(&d, "stretch_ns")->number, 1000);
	reported_release(&d);
	trace_release(&t);
}

static void a_recording_without_an_end_is_read_for_it(void **state)
{
	struct trace t;
	struct reported d;
	struct plant p;

	(void)state;
	trace_init(&t);
	trace_add_thread(&t, 0, 100, "main");
	p = plant(&t, 1);
	for (unsigned i = 1; i <= 640; i++)
		make(&p, i, 100);
	reported_open(&d, &t, "heap", "growth", NULL);
	assert_int_equal(reported_fact(&d, "stretch_ns")->number, 640 * STEP_NS / 64);
	assert_string_equal(cell_of(&d, 1, "verdict")->text, "grows steadily");
	reported_release(&d);
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(planted_courses_are_called_by_their_names),
		cmocka_unit_test(the_floor_of_a_stretch_is_its_least),
		cmocka_unit_test(a_recording_without_an_end_is_read_for_it),
	};

	return cmocka_run_group_tests_name("analyzer/reports/heap_growth", tests, NULL, NULL);
}
