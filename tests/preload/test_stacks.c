// SPDX-License-Identifier: MIT
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#include "preload/file.h"
#include "preload/stacks.h"
#include "tests/support/fake_file.h"

#define DEPTH 64
#define NOINLINE __attribute__((noinline, noclone))

static struct stack_state *own;

static struct stack_state *new_state(void)
{
	return stack_state_init(calloc(1, stack_state_size(DEPTH)), DEPTH);
}

static int begin(void **state)
{
	(void)state;
	fake_file_open(2000);
	stacks_begin();
	own = new_state();
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(own);
	return 0;
}

NOINLINE static uint32_t capture(struct stack_state *state)
{
	struct regs regs = REGS_OF_CALLER();

	return stack_capture(state, &regs, false);
}

static unsigned length(uint32_t id)
{
	unsigned n = 0;

	for (; id; id = fake_file_node(id)->parent)
		n++;
	return n;
}

static const struct rsd_node *outermost(uint32_t id)
{
	while (fake_file_node(id)->parent)
		id = fake_file_node(id)->parent;
	return fake_file_node(id);
}

/* The capture stands `n` calls of this function deep. Never a tail call. */
NOINLINE static uint32_t deep(struct stack_state *state, int n)
{
	uint32_t id = n ? deep(state, n - 1) : capture(state);

	__asm__ volatile("" : "+r"(id));
	return id;
}

static void the_same_place_has_the_same_id(void **state)
{
	uint32_t ids[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		ids[i] = capture(own);
	assert_int_not_equal(ids[0], 0);
	assert_int_equal(ids[0], ids[1]);
	assert_int_equal(ids[0], ids[2]);
	assert_int_not_equal(capture(own), ids[0]);
}

#ifdef __SANITIZE_THREAD__
#define ROUNDS 3000
#else
#define ROUNDS 20000
#endif

/* The memo must notice every change: random walks up and down, against a state that remembers nothing. */
NOINLINE static void wander_a(unsigned *seed, int depth);
NOINLINE static void wander_b(unsigned *seed, int depth);
NOINLINE static void wander_c(unsigned *seed, int depth);
static struct stack_state *forgetful;

static void wander_on(unsigned *seed, int depth)
{
	static void (*const ways[])(unsigned *seed, int depth) = { wander_a, wander_b, wander_b, wander_c };

	while (depth && rand_r(seed) % 16 > 7)
		ways[rand_r(seed) % 4](seed, depth - 1);
	__asm__ volatile("");
}

NOINLINE static void wander_a(unsigned *seed, int depth)
{
	assert_int_not_equal(capture(own), 0);
	wander_on(seed, depth);
	__asm__ volatile("");
}

/* A frame of any size, and libc's frames, which have no frame pointer, in between. */
static _Thread_local unsigned *sort_seed;
static _Thread_local int sort_depth;

static int wandering(const void *a, const void *b)
{
	wander_on(sort_seed, sort_depth);
	return *(const char *)a - *(const char *)b;
}

NOINLINE static void wander_c(unsigned *seed, int depth)
{
	volatile char pad[rand_r(seed) % 6 * 16 + 16] __attribute__((unused));
	char text[] = "ba";

	pad[0] = 1;
	sort_seed = seed;
	sort_depth = depth;
	qsort(text, 2, 1, wandering);
	pad[0] = 2;
}

NOINLINE static void wander_b(unsigned *seed, int depth)
{
	volatile char pad[200] = { 0 };
	struct regs regs;
	uint32_t id;

	pad[depth] = pad[0] = 1;
	regs = (struct regs){ (uintptr_t)__builtin_return_address(0), (uintptr_t)__builtin_frame_address(0) + 16,
			      *(uintptr_t *)__builtin_frame_address(0), NULL };
	id = stack_capture(own, &regs, false);
	assert_int_equal(id, stack_capture(stack_state_init(forgetful, DEPTH), &regs, false));
	wander_on(seed, depth);
}

static void the_memo_agrees_with_a_fresh_walk(void **state)
{
	unsigned seed = 5;

	(void)state;
	forgetful = new_state();
	for (int i = 0; i < ROUNDS; i++)
		wander_b(&seed, 20);
	assert_true(own->memo.round > 3); /* it was full, and began anew */
	free(forgetful);
}

/* Three places that call on from one function, whose frame is the same. */
NOINLINE static uint32_t capture_under(int way, int n)
{
	uint32_t id = 0;

	if (n == 0)
		return capture(own);
	switch (way % 3) {
	case 0:
		id = capture_under(way / 3, n - 1);
		__asm__ volatile("nop" : "+r"(id));
		break;
	case 1:
		id = capture_under(way / 3, n - 1);
		__asm__ volatile("nop; nop" : "+r"(id));
		break;
	default:
		id = capture_under(way / 3, n - 1);
		__asm__ volatile("nop; nop; nop" : "+r"(id));
		break;
	}
	return id;
}

NOINLINE static uint32_t capture_way(int way)
{
	uint32_t id = capture_under(way, 8);

	__asm__ volatile("" : "+r"(id));
	return id;
}

static void a_changed_caller_far_out_is_noticed(void **state)
{
	enum { WAYS = 6561 };
	static uint32_t ids[WAYS];

	(void)state;
	for (int i = 0; i < 2 * WAYS; i++) {
		int way = abs(i - WAYS) % WAYS;
		uint32_t id = capture_way(way);

		assert_int_not_equal(id, 0);
		assert_true(!ids[way] || ids[way] == id);
		ids[way] = id;
	}
	for (int i = 1; i < WAYS; i++)
		assert_int_not_equal(ids[i], ids[i - 1]);
}

static void a_state_for_another_thread_remembers_nothing(void **state)
{
	uint32_t before = deep(own, 5);

	(void)state;
	stack_state_init(own, DEPTH);
	assert_int_equal(own->memo.used, 0);
	assert_int_equal(own->memo.origin, 0);
	assert_int_not_equal(before, 0);
	assert_int_not_equal(deep(own, 5), 0);
	for (unsigned i = 0; i < 40000; i++)
		stack_state_init(own, DEPTH); /* the round comes around */
	assert_int_equal(length(deep(own, 5)), length(before));
}

static void a_deep_stack_keeps_its_innermost_frames(void **state)
{
	uint32_t shallow = deep(own, 10), id = deep(own, 300), again = deep(own, 300);

	(void)state;
	assert_int_equal(outermost(shallow)->cut, CUT_NONE);
	assert_int_equal(length(id), DEPTH);
	assert_int_equal(outermost(id)->cut, CUT_DEPTH);
	assert_int_equal(id, again);
	assert_true(fake_file_node(id)->ip_module == fake_file_node(shallow)->ip_module);
	/* Back up again: what was cut off must come back. */
	assert_int_equal(length(deep(own, 10)), length(shallow));
	id = deep(own, DEPTH - 20);
	assert_int_equal(length(id), length(shallow) - 10 + DEPTH - 20);
	assert_int_equal(outermost(id)->cut, CUT_NONE);
}

/* Neither a whole walk nor adding to what is remembered may call it cut. */
static void a_stack_of_just_the_depth_is_complete(void **state)
{
	int n = DEPTH - (int)length(deep(own, 0));
	struct stack_state *states[] = { new_state(), own, own };
	int depths[] = { n, n - 1, n };
	uint32_t ids[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		ids[i] = deep(states[i], depths[i]);
	assert_int_equal(length(ids[0]), DEPTH);
	assert_int_equal(outermost(ids[0])->cut, CUT_NONE);
	assert_int_equal(ids[0], ids[2]);
	assert_int_equal(outermost(deep(own, n + 1))->cut, CUT_DEPTH);
	free(states[0]);
}

static void a_full_file_gives_no_id_and_is_counted(void **state)
{
	(void)state;
	fake_file_open(1);
	stacks_begin();
	assert_int_equal(capture(own), 0);
	assert_int_equal(capture(own), 0);
	assert_int_equal(file_header->counter[COUNT_LOST_STACKS], 2);
	assert_int_equal(fake_file_nodes(), 0);
}

static void a_new_dump_begins_without_nodes(void **state)
{
	uint32_t before = deep(own, 5), after;

	(void)state;
	fake_file_open(100);
	stacks_begin();
	after = capture(own);
	assert_int_equal(fake_file_nodes(), length(after));
	assert_in_range(after, 1, before);
	assert_non_null(fake_file_module(1));
}

static void modules_are_written_with_path_and_build_id(void **state)
{
	char exe[512];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe));
	uint32_t id = capture(own);
	const struct meta_module *m = fake_file_module(RSD_NODE_MODULE(fake_file_node(id)));

	(void)state;
	assert_non_null(m);
	assert_int_equal(m->path_len, len);
	assert_memory_equal(m + 1, exe, (size_t)len);
	assert_int_equal(m->build_id_len, 20);
	assert_in_range(RSD_NODE_IP(fake_file_node(id)), m->start, m->end - 1);
	assert_int_equal(fake_file_metas(META_MODULE), file_header->next_module - 1);
}

static uint32_t seen_in_callback;

static int comparing(const void *a, const void *b)
{
	seen_in_callback = capture(own);
	return *(const char *)a - *(const char *)b;
}

/* A library that calls us back: libc's qsort, from a second copy of it in a namespace of its own. */
static uint32_t module_of_second_libc(void **handle)
{
	void (*sort)(void *, size_t, size_t, int (*)(const void *, const void *));
	char text[] = "ba";

	*handle = dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW);
	assert_non_null(*handle);
	*(void **)&sort = dlsym(*handle, "qsort");
	sort(text, 2, 1, comparing);
	return RSD_NODE_MODULE(fake_file_node(fake_file_node(seen_in_callback)->parent));
}

static void an_unloaded_module_is_told_and_known_again(void **state)
{
	void *handle;
	uint32_t first = module_of_second_libc(&handle), second;
	uintptr_t start = fake_file_module(first)->start;

	(void)state;
	dlclose(handle);
	stacks_modules_changed();
	assert_int_equal(fake_file_metas(META_MODULE_GONE), 1);
	second = module_of_second_libc(&handle);
	if (fake_file_module(second)->start == start)
		assert_int_equal(second, first);
	else
		assert_int_not_equal(second, first);
	dlclose(handle);
}

static void *capture_in_thread(void *arg)
{
	struct stack_state *state = new_state();
	uintptr_t last = 0;

	(void)arg;
	for (int i = 0; i < 3000; i++)
		last = deep(state, i % 50);
	free(state);
	return (void *)last;
}

static void threads_build_one_tree(void **state)
{
	pthread_t threads[4];
	void *last[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, capture_in_thread, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], &last[i]);
	for (int i = 0; i < 4; i++) {
		uint32_t id = (uint32_t)(uintptr_t)last[i];

		assert_int_equal(outermost(id)->cut, CUT_NONE);
		assert_int_equal(length(id), length((uint32_t)(uintptr_t)last[0]));
	}
	/* 50 levels, two nodes each; a race makes a few twice. */
	assert_in_range(fake_file_nodes(), 100, 400);
}

static struct stack_state *of_handler;
static volatile unsigned handled, bad;

static void on_timer(int sig, siginfo_t *info, void *context)
{
	const greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
	struct regs regs = { (uintptr_t)g[REG_RIP], (uintptr_t)g[REG_RSP], (uintptr_t)g[REG_RBP], context };
	uint32_t id = stack_capture(of_handler, &regs, true);

	(void)sig;
	(void)info;
	handled++;
	bad += !id || outermost(id)->cut != CUT_NONE;
}

/* The handler interrupts captures at any instruction, in the middle of making nodes and rules. */
static void a_handler_may_capture_inside_a_capture(void **state)
{
	struct sigaction act = { .sa_sigaction = on_timer, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct itimerval every = { { 0, 500 }, { 0, 500 } }, off = { { 0, 0 }, { 0, 0 } };

	(void)state;
#ifdef __SANITIZE_THREAD__
	skip(); /* it puts signals off until they can interrupt nothing of interest */
#endif
	of_handler = new_state();
	handled = bad = 0;
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	for (int i = 0; handled < 300; i++) {
		if (i % 1000 == 0)
			stacks_modules_changed(); /* all rules anew */
		assert_int_not_equal(deep(own, i % 40), 0);
	}
	setitimer(ITIMER_REAL, &off, NULL);
	assert_int_equal(bad, 0);
	free(of_handler);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_same_place_has_the_same_id, begin, end),
		cmocka_unit_test_setup_teardown(the_memo_agrees_with_a_fresh_walk, begin, end),
		cmocka_unit_test_setup_teardown(a_changed_caller_far_out_is_noticed, begin, end),
		cmocka_unit_test_setup_teardown(a_state_for_another_thread_remembers_nothing, begin, end),
		cmocka_unit_test_setup_teardown(a_deep_stack_keeps_its_innermost_frames, begin, end),
		cmocka_unit_test_setup_teardown(a_stack_of_just_the_depth_is_complete, begin, end),
		cmocka_unit_test_setup_teardown(a_full_file_gives_no_id_and_is_counted, begin, end),
		cmocka_unit_test_setup_teardown(a_new_dump_begins_without_nodes, begin, end),
		cmocka_unit_test_setup_teardown(modules_are_written_with_path_and_build_id, begin, end),
		cmocka_unit_test_setup_teardown(an_unloaded_module_is_told_and_known_again, begin, end),
		cmocka_unit_test_setup_teardown(threads_build_one_tree, begin, end),
		cmocka_unit_test_setup_teardown(a_handler_may_capture_inside_a_capture, begin, end),
	};

	return cmocka_run_group_tests_name("preload/stacks", tests, NULL, NULL);
}
