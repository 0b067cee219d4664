/* SPDX-License-Identifier: MIT */
/* Stacks through a module that does not exist: each address is a function of its own, "app+0x100". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analyzer/web/tree.h"

struct bench {
	struct symbols *symbols;
	struct stacks *stacks;
	struct modules modules;
	struct web_tree tree;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->symbols = symbols_new(NULL);
	b->stacks = stacks_new(b->symbols);
	modules_init(&b->modules);
	modules_add(&b->modules, 1, "/nowhere/app", 12, NULL, 0, 0, 0, 0x10000);
	symbols_object(b->symbols, modules_by_id(&b->modules, 1));
	assert_int_equal(web_tree_init(&b->tree, b->stacks), 0);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	web_tree_release(&b->tree);
	stacks_free(b->stacks);
	modules_release(&b->modules);
	symbols_free(b->symbols);
	free(b);
	return 0;
}

/* A stack by its functions, outermost first, ended by 0. */
static struct stack_id stack(const struct bench *b, const uint64_t *addresses)
{
	struct stack_id id = { 0 };

	for (; *addresses; addresses++)
		id = stacks_push(b->stacks, id, 1, *addresses, true, CUT_NONE);
	return id;
}
#define STACK(b, ...) stack(b, (const uint64_t[]){ __VA_ARGS__, 0 })

static void add(struct bench *b, struct stack_id id, enum web_metric metric, int64_t value)
{
	web_tree_add(&b->tree, web_tree_at(&b->tree, id), metric, value);
}

static int64_t shown_sum(const struct web_tree *t, enum web_metric metric)
{
	int64_t sum = 0;

	for (size_t i = 0; i < t->shown_len; i++) {
		sum += t->shown[i].self[metric];
		if (i)
			assert_true(t->shown[i].parent < i);
	}
	return sum;
}

static void stacks_that_begin_alike_share_nodes(void **state)
{
	struct bench *b = *state;

	add(b, STACK(b, 0x100, 0x200), WEB_CPU, 5);
	add(b, STACK(b, 0x100, 0x200, 0x300), WEB_CPU, 7);
	add(b, STACK(b, 0x100, 0x400), WEB_ALLOC_SPACE, 9);
	assert_int_equal(b->tree.nodes_len, 5);
	assert_int_equal(web_tree_prune(&b->tree, 100), 0);
	assert_int_equal(b->tree.shown_len, 5);
	assert_true(b->tree.least_share == 0);
	assert_int_equal(shown_sum(&b->tree, WEB_CPU), 12);
	assert_int_equal(shown_sum(&b->tree, WEB_ALLOC_SPACE), 9);
}

static void a_stack_without_frames_has_a_name(void **state)
{
	struct bench *b = *state;
	uint32_t node = web_tree_at(&b->tree, (struct stack_id){ 0 });

	assert_true(node > 0);
	assert_string_equal(b->tree.frames[b->tree.nodes[node].frame].function, "[no stack]");
}

static void a_stack_that_is_cut_says_so(void **state)
{
	struct bench *b = *state;
	struct stack_id id = stacks_push(b->stacks, (struct stack_id){ 0 }, 1, 0x100, true, CUT_DEPTH);
	uint32_t parent = b->tree.nodes[web_tree_at(&b->tree, id)].parent;

	assert_non_null(strstr(b->tree.frames[b->tree.nodes[parent].frame].function, "callers missing"));
}

static void what_is_merged_keeps_its_sum_with_its_caller(void **state)
{
	struct bench *b = *state;
	int64_t small = 0;

	add(b, STACK(b, 0x100, 0x200), WEB_CPU, 1000000);
	for (uint64_t i = 0; i < 500; i++) {
		add(b, STACK(b, 0x100, 0x200, 0x1000 + i, 0x2000), WEB_CPU, (int64_t)(1 + i % 3));
		add(b, STACK(b, 0x100, 0x200, 0x1000 + i), WEB_BLOCKED, 1);
		small += (int64_t)(1 + i % 3);
	}
	/* Of the other number each is a large part. */
	add(b, STACK(b, 0x100, 0x200, 0x1000 + 3, 0x2000), WEB_HELD, 1);
	assert_int_equal(web_tree_prune(&b->tree, 50), 0);
	assert_true(b->tree.shown_len <= 2 * 50);
	assert_true(b->tree.least_share > 0);
	assert_int_equal(shown_sum(&b->tree, WEB_CPU), 1000000 + small);
	assert_int_equal(shown_sum(&b->tree, WEB_BLOCKED), 500);
	for (size_t i = 0; i < b->tree.nodes_len; i++)
		assert_true(b->tree.nodes[i].shown < b->tree.shown_len);
	/* The one of which HELD is all is still there by name. */
	assert_int_equal(shown_sum(&b->tree, WEB_HELD), 1);
	for (size_t i = 0; i < b->tree.shown_len; i++)
		if (b->tree.shown[i].self[WEB_HELD])
			assert_string_equal(b->tree.frames[b->tree.shown[i].frame].function, "app+0x2000");
	/* And with more room nothing is merged. */
	assert_int_equal(web_tree_prune(&b->tree, 10000), 0);
	assert_int_equal(b->tree.shown_len, b->tree.nodes_len);
}

static void what_only_passes_a_number_on_is_not_charged(void **state)
{
	struct bench *b = *state;
	uint32_t inner = web_tree_at(&b->tree, STACK(b, 0x100, 0x200, 0x300));
	uint32_t all = web_tree_at(&b->tree, STACK(b, 0x300));
	regex_t passes;

	assert_int_equal(regcomp(&passes, "0x[23]00$", REG_EXTENDED | REG_NOSUB), 0);
	assert_int_equal(web_tree_above(&b->tree, inner, &passes), web_tree_at(&b->tree, STACK(b, 0x100)));
	assert_int_equal(web_tree_above(&b->tree, all, &passes), all);
	regfree(&passes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(stacks_that_begin_alike_share_nodes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stack_without_frames_has_a_name, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stack_that_is_cut_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_merged_keeps_its_sum_with_its_caller, setup, teardown),
		cmocka_unit_test_setup_teardown(what_only_passes_a_number_on_is_not_charged, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
