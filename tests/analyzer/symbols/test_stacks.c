/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analyzer/symbols/stacks.h"

struct bench {
	struct symbols *symbols;
	struct stacks *stacks;
	struct modules modules[2];
	struct stack_space *space[2]; /* the second process has the same library elsewhere */
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->symbols = symbols_new(NULL);
	b->stacks = stacks_new(b->symbols);
	for (int i = 0; i < 2; i++) {
		uint64_t at = i ? 0x700000 : 0x100000;

		modules_init(&b->modules[i]);
		modules_add(&b->modules[i], (uint32_t)i + 3, "/lib/none.so", 12, "\1\2", 2, at, at, at + 0x10000);
		b->space[i] = stack_space_new(b->stacks, &b->modules[i]);
	}
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 2; i++) {
		stack_space_free(b->space[i]);
		modules_release(&b->modules[i]);
	}
	stacks_free(b->stacks);
	symbols_free(b->symbols);
	free(b);
	return 0;
}

static struct rsd_node node(uint32_t parent, uint32_t module, uint64_t ip, uint8_t flags, uint8_t cut)
{
	return (struct rsd_node){
		.ip_module = (uint64_t)module << 48 | ip, .parent = parent, .flags = flags, .cut = cut, .committed = 1
	};
}

static void equal_stacks_are_one_over_races_and_processes(void **state)
{
	struct bench *b = *state;
	struct rsd_node here[] = {
		node(0, 3, 0x100100, 0, 0),		   /* 1 */
		node(1, 3, 0x100200, 0, 0),		   /* 2 */
		node(0, 3, 0x100100, 0, 0),		   /* 3: 1 again */
		node(3, 3, 0x100200, 0, 0),		   /* 4: 2 again */
		node(1, 3, 0x100200, RSD_NODE_EXACT, 0),   /* 5: not a return address */
		node(1, 3, 0x100200, RSD_NODE_GUESSED, 0), /* 6: 2, found another way */
	};
	struct rsd_node there[] = { node(2, 4, 0x700200, 0, 0), node(0, 4, 0x700100, 0, 0) };
	struct stack_id two, id;

	assert_int_equal(stack_space_add(b->space[0], 1, here, 6), 0);
	assert_int_equal(stack_space_add(b->space[1], 1, there, 2), 0);
	two = stacks_resolve(b->space[0], 2);
	assert_true(two.v != 0);
	assert_int_equal(stacks_resolve(b->space[0], 4).v, two.v);
	assert_int_equal(stacks_resolve(b->space[0], 6).v, two.v);
	assert_int_equal(stacks_resolve(b->space[1], 1).v, two.v);
	assert_true(stacks_resolve(b->space[0], 5).v != two.v);
	assert_int_equal(stacks_depth(b->stacks, two), 2);
	assert_int_equal(stacks_node(b->stacks, two).address, 0x200);
	id = stacks_node(b->stacks, two).parent;
	assert_int_equal(stacks_node(b->stacks, id).address, 0x100);
	assert_int_equal(stacks_node(b->stacks, id).parent.v, 0);
	assert_int_equal(stacks_cut(b->stacks, two), CUT_NONE);
	assert_int_equal(stack_space_unknown(b->space[0]), 0);
}

static void the_outermost_cut_is_the_stacks_cut(void **state)
{
	struct bench *b = *state;
	struct rsd_node nodes[] = { node(0, 3, 0x100100, 0, CUT_DEPTH), node(1, 3, 0x100200, 0, CUT_JIT),
				    node(0, 3, 0x100100, 0, CUT_NONE) };

	stack_space_add(b->space[0], 1, nodes, 3);
	assert_int_equal(stacks_cut(b->stacks, stacks_resolve(b->space[0], 2)), CUT_DEPTH);
	assert_int_equal(stacks_cut(b->stacks, stacks_resolve(b->space[0], 1)), CUT_DEPTH);
	assert_int_equal(stacks_cut(b->stacks, stacks_resolve(b->space[0], 3)), CUT_NONE);
	assert_true(stacks_resolve(b->space[0], 1).v != stacks_resolve(b->space[0], 3).v);
}

static void loops_and_holes_end_the_stack(void **state)
{
	struct bench *b = *state;
	struct rsd_node nodes[] = {
		node(2, 3, 0x100100, 0, 0),	      node(1, 3, 0x100200, 0, 0), /* 1 and 2 call each other */
		node(3, 3, 0x100300, 0, 0),					  /* 3 calls itself */
		node(4000000000u, 3, 0x100400, 0, 0),				  /* 4: nobody there */
		node(0, 3, 0x100500, 0, 0),					  /* 5: never committed */
		node(5, 3, 0x100600, 0, 0),					  /* 6 */
	};
	struct stack_id id;

	nodes[4].committed = 0;
	stack_space_add(b->space[0], 1, nodes, 6);
	for (uint32_t raw = 1; raw <= 3; raw++) {
		id = stacks_resolve(b->space[0], raw);
		assert_in_range(stacks_depth(b->stacks, id), RSD_DEPTH_MAX - 1, RSD_DEPTH_MAX);
		assert_int_equal(stacks_cut(b->stacks, id), CUT_LOOP);
	}
	id = stacks_resolve(b->space[0], 4);
	assert_int_equal(stacks_depth(b->stacks, id), 1);
	assert_int_equal(stacks_cut(b->stacks, id), CUT_NO_STATE);
	id = stacks_resolve(b->space[0], 6);
	assert_int_equal(stacks_depth(b->stacks, id), 1);
	assert_int_equal(stack_space_unknown(b->space[0]), 0);
	assert_int_equal(stacks_resolve(b->space[0], 5).v, 0);
	assert_int_equal(stacks_resolve(b->space[0], 99).v, 0);
	assert_int_equal(stack_space_unknown(b->space[0]), 2);
	assert_int_equal(stacks_resolve(b->space[0], 0).v, 0);
	assert_int_equal(stack_space_unknown(b->space[0]), 2);
}

/* A live file: the node is committed later and its extent given again. */
static void nodes_may_come_later(void **state)
{
	struct bench *b = *state;
	struct rsd_node nodes[] = { node(0, 3, 0x100100, 0, 0), node(1, 3, 0x100200, 0, 0) };

	nodes[1].committed = 0;
	stack_space_add(b->space[0], 1, nodes, 2);
	assert_int_equal(stacks_resolve(b->space[0], 2).v, 0);
	nodes[1].committed = 1;
	stack_space_add(b->space[0], 1, nodes, 2);
	assert_int_equal(stacks_depth(b->stacks, stacks_resolve(b->space[0], 2)), 2);
}

static void bad_ids_are_refused(void **state)
{
	struct bench *b = *state;
	struct rsd_node nodes[] = { node(0, 0, 1, 0, 0), node(0, 0, 2, 0, 0) };

	assert_int_equal(stack_space_add(b->space[0], 0, nodes, 2), -EINVAL);
	assert_int_equal(stack_space_add(b->space[0], UINT32_MAX, nodes, 2), -EINVAL);
	assert_int_equal(stack_space_add(b->space[0], UINT32_MAX - 2, nodes, 2), 0);
	assert_true(stacks_resolve(b->space[0], UINT32_MAX - 1).v != 0);
}

static void return_addresses_are_looked_up_inside_the_call(void **state)
{
	struct bench *b = *state;
	struct rsd_node nodes[] = { node(0, 3, 0x100100, 0, 0), node(1, 3, 0x100100, RSD_NODE_EXACT, 0),
				    node(2, 0, 0x7777, 0, 0) };
	struct frames frames = { 0 };

	stack_space_add(b->space[0], 1, nodes, 3);
	assert_int_equal(stacks_frames(b->stacks, stacks_resolve(b->space[0], 3), &frames), 0);
	assert_int_equal(frames.len, 3);
	assert_string_equal(frames.list[0]->function, "[unknown]");
	assert_int_equal(frames.list[0]->address, 0x7776);
	assert_string_equal(frames.list[1]->function, "none.so+0x100");
	assert_string_equal(frames.list[2]->function, "none.so+0xff");
	assert_string_equal(frames.list[2]->module, "none.so");
	assert_int_equal(stacks_frames(b->stacks, (struct stack_id){ 0 }, &frames), 0);
	assert_int_equal(frames.len, 0);
	assert_int_equal(stacks_leaf(b->stacks, (struct stack_id){ 0 })->len, 1);
	frames_release(&frames);
}

static void a_node_without_module_is_looked_up_by_address(void **state)
{
	struct bench *b = *state;
	struct rsd_node nodes[] = { node(0, 3, 0x100100, 0, 0), node(0, 0, 0x100100, 0, 0) };

	stack_space_add(b->space[0], 1, nodes, 2);
	assert_int_equal(stacks_resolve(b->space[0], 1).v, stacks_resolve(b->space[0], 2).v);
}

/* app calls malloc, the wrapper passes it on to the C library: the wrapper is no frame. Its own work is one. */
static void the_recorder_is_at_most_one_frame(void **state)
{
	static const char path[] = "/opt/ringside/libringside.so";
	struct bench *b = *state;
	struct rsd_node nodes[] = { node(0, 3, 0x100100, 0, 0), node(1, 9, 0x900100, 0, 0),
				    node(2, 9, 0x900200, RSD_NODE_EXACT, 0), node(2, 3, 0x100300, 0, 0) };
	struct frames frames = { 0 };

	modules_add(&b->modules[0], 9, path, sizeof(path) - 1, NULL, 0, 0x900000, 0x900000, 0x910000);
	stack_space_add(b->space[0], 1, nodes, 4);
	assert_int_equal(stacks_frames(b->stacks, stacks_resolve(b->space[0], 3), &frames), 0);
	assert_int_equal(frames.len, 2);
	assert_string_equal(frames.list[0]->function, "[ringside]");
	assert_string_equal(frames.list[1]->function, "none.so+0xff");
	assert_int_equal(stacks_frames(b->stacks, stacks_resolve(b->space[0], 4), &frames), 0);
	assert_int_equal(frames.len, 2);
	assert_string_equal(frames.list[0]->function, "none.so+0x2ff");
	assert_string_equal(frames.list[1]->function, "none.so+0xff");
	frames_release(&frames);
}

static void random_nodes_do_no_harm(void **state)
{
	struct bench *b = *state;
	struct frames frames = { 0 };
	struct rsd_node nodes[300];

	srand(4);
	for (int round = 0; round < 30; round++) {
		for (size_t i = 0; i < 300; i++)
			nodes[i] = node((uint32_t)rand() % 320, (uint32_t)rand() % 5, (uint64_t)rand() % 0x800000,
					(uint8_t)rand(), (uint8_t)rand());
		stack_space_add(b->space[round % 2], 1 + (uint32_t)rand() % 500, nodes, 300);
	}
	for (uint32_t id = 0; id < 900; id++) {
		struct stack_id stack = stacks_resolve(b->space[id % 2], id);

		assert_true(stacks_depth(b->stacks, stack) <= RSD_DEPTH_MAX);
		assert_int_equal(stacks_frames(b->stacks, stack, &frames), 0);
		assert_true(frames.len <= stacks_depth(b->stacks, stack));
	}
	frames_release(&frames);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(equal_stacks_are_one_over_races_and_processes, setup, teardown),
		cmocka_unit_test_setup_teardown(the_outermost_cut_is_the_stacks_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(loops_and_holes_end_the_stack, setup, teardown),
		cmocka_unit_test_setup_teardown(nodes_may_come_later, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_ids_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(return_addresses_are_looked_up_inside_the_call, setup, teardown),
		cmocka_unit_test_setup_teardown(a_node_without_module_is_looked_up_by_address, setup, teardown),
		cmocka_unit_test_setup_teardown(the_recorder_is_at_most_one_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(random_nodes_do_no_harm, setup, teardown),
	};

	return cmocka_run_group_tests_name("analyzer/symbols/stacks", tests, NULL, NULL);
}
