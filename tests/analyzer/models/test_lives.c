/* SPDX-License-Identifier: MIT */
/* test_lives.c - where blocks end: stacks of frees, and how many blocks each stands for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/models/lives.h"
#include "tests/support/trace.h"

#define ENDS_MAX 16

struct seen {
	struct lives lives;
	struct analysis a;
	struct symbols *symbols;
	struct stacks *stacks;
	struct {
		struct life life;
		struct life_end end;
		struct weight known;
	} ends[ENDS_MAX];
	size_t len;
};

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct seen *s = self;

	assert_true(s->len < ENDS_MAX);
	s->ends[s->len].life = *life;
	s->ends[s->len].end = *end;
	s->ends[s->len++].known = lives_known(&s->lives, life, end);
}

static void resized(void *self, const struct life *old, const struct life_end *end, struct life *now)
{
	(void)now;
	ended(self, old, end);
}

static void see(struct seen *s, const struct trace *t)
{
	char *path = trace_write(t, SIZE_MAX);
	struct buf error = { 0 };

	*s = (struct seen){ .lives.watcher = { .resized = resized, .ended = ended } };
	s->lives.watcher.self = s;
	s->symbols = symbols_new(NULL);
	s->stacks = stacks_new(s->symbols);
	assert_int_equal(analysis_begin(&s->a, path, s->stacks, NULL, NULL, &error), 0);
	assert_int_equal(lives_run(&s->lives, &s->a), 0);
	unlink(path);
	free(path);
}

static void release(struct seen *s)
{
	analysis_release(&s->a);
	stacks_free(s->stacks);
	symbols_free(s->symbols);
}

static void free_at(struct trace *t, struct trace_lane *lane, uint64_t ns, uint64_t addr, uint32_t stack)
{
	struct rec_free record = { .addr = addr, .stack = stack, .api = API_FREE };

	trace_put(t, lane, EV_FREE, ns, &record, sizeof(record));
}

static bool is_stack(struct seen *s, struct stack_id stack, uint32_t id)
{
	return stack.v == recording_stack(&s->a.rec, id).v;
}

static void a_free_with_a_stack_stands_for_those_without(void **state)
{
	struct trace t;
	struct trace_lane lane;
	struct seen s;
	uint32_t made, freed;

	(void)state;
	trace_init(&t);
	trace_header(&t)->free_every = 32;
	trace_add_thread(&t, 0, 100, "main");
	made = trace_stack(&t, 0x10, 0x20);
	freed = trace_stack(&t, 0x10, 0x30);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_alloc(&t, &lane, 1, 0x1000, 100, made);
	trace_alloc(&t, &lane, 2, 0x2000, 200, made);
	trace_alloc(&t, &lane, 3, 0x3000, 300, made);
	free_at(&t, &lane, 4, 0x1000, freed);
	trace_free(&t, &lane, 5, 0x2000);
	see(&s, &t);
	assert_int_equal(s.len, 3);
	assert_true(is_stack(&s, s.ends[0].end.stack, freed));
	assert_int_equal(weight_count(s.ends[0].known.ones), 32);
	assert_int_equal(s.ends[0].known.bytes, 3200);
	assert_int_equal(s.ends[1].end.stack.v, 0);
	assert_int_equal(s.ends[1].known.ones, 0);
	assert_int_equal(s.ends[1].known.bytes, 0);
	assert_int_equal(s.ends[2].end.fate, LIFE_GOES_ON);
	assert_int_equal(s.ends[2].known.ones, 0);
	release(&s);
	trace_release(&t);
}

/* Both halves are one call, and none was left out: it stands for itself. */
static void a_realloc_ends_a_block_where_it_is_called(void **state)
{
	struct trace t;
	struct trace_lane lane;
	struct seen s;
	uint32_t made, grown;

	(void)state;
	trace_init(&t);
	trace_header(&t)->free_every = 32;
	trace_add_thread(&t, 0, 100, "main");
	made = trace_stack(&t, 0x10, 0x20);
	grown = trace_stack(&t, 0x10, 0x40);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_alloc(&t, &lane, 1, 0x1000, 100, made);
	trace_realloc(&t, &lane, 2, 0x1000, 0x5000, 150, grown);
	see(&s, &t);
	assert_int_equal(s.len, 2);
	assert_int_equal(s.ends[0].end.fate, LIFE_RESIZED);
	assert_true(is_stack(&s, s.ends[0].life.stack, made));
	assert_true(is_stack(&s, s.ends[0].end.stack, grown));
	assert_int_equal(weight_count(s.ends[0].known.ones), 1);
	assert_int_equal(s.ends[0].known.bytes, 100);
	assert_true(is_stack(&s, s.ends[1].life.stack, grown));
	release(&s);
	trace_release(&t);
}

/* Its free was not chosen: all frees of sampled blocks have a stack. */
static void a_sampled_block_has_the_weight_of_its_sample_only(void **state)
{
	struct trace t;
	struct trace_lane lane;
	struct seen s;
	uint32_t made, freed;
	struct rec_alloc record = { .addr = 0x1000, .size = 100, .api = API_MALLOC };

	(void)state;
	trace_init(&t);
	trace_header(&t)->free_every = 32;
	trace_header(&t)->heap_mode = RSD_HEAP_SAMPLE;
	trace_header(&t)->sample_bytes = 1000;
	trace_add_thread(&t, 0, 100, "main");
	made = trace_stack(&t, 0x10, 0x20);
	freed = trace_stack(&t, 0x10, 0x30);
	record.stack = made;
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_put(&t, &lane, EV_SAMPLED_ALLOC, 1, &record, sizeof(record));
	free_at(&t, &lane, 2, 0x1000, freed);
	see(&s, &t);
	assert_int_equal(s.len, 1);
	assert_int_equal(s.ends[0].known.ones, weight_of_sample(1000, 100).ones);
	assert_int_equal(s.ends[0].known.bytes, weight_of_sample(1000, 100).bytes);
	release(&s);
	trace_release(&t);
}

/* Version 2 had neither the tags nor the fields at the header's end. */
static void a_dump_of_the_version_before_has_no_stacks_of_frees(void **state)
{
	struct trace t;
	struct trace_lane lane;
	struct seen s;
	uint32_t made;

	(void)state;
	trace_init(&t);
	trace_header(&t)->version = 2;
	trace_header(&t)->header_size = offsetof(struct rsd_header, free_every);
	trace_header(&t)->free_every = 77; /* what follows a shorter header belongs to something else */
	trace_add_thread(&t, 0, 100, "main");
	made = trace_stack(&t, 0x10, 0x20);
	lane = trace_lane(&t, RSD_EXTENT_EVENTS, 0, 0);
	trace_alloc(&t, &lane, 1, 0x1000, 100, made);
	trace_free(&t, &lane, 2, 0x1000);
	see(&s, &t);
	assert_int_equal(s.a.rec.reader.header.free_every, 0);
	assert_int_equal(s.len, 1);
	assert_int_equal(s.ends[0].end.fate, LIFE_FREED);
	assert_int_equal(s.ends[0].known.ones, 0);
	release(&s);
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_free_with_a_stack_stands_for_those_without),
		cmocka_unit_test(a_realloc_ends_a_block_where_it_is_called),
		cmocka_unit_test(a_sampled_block_has_the_weight_of_its_sample_only),
		cmocka_unit_test(a_dump_of_the_version_before_has_no_stacks_of_frees),
	};

	return cmocka_run_group_tests_name("analyzer/models/lives", tests, NULL, NULL);
}
