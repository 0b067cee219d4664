// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cmocka.h>

#include "preload/stacks.h"
#include "preload/unwind.h"
#include "tests/support/fake_file.h"

#define PAGE 4096
#define DEPTH 64

static struct stack_state *states[2];

static int begin(void **state)
{
	(void)state;
	fake_file_open(1000);
	stacks_begin();
	for (int i = 0; i < 2; i++)
		states[i] = stack_state_init(calloc(1, stack_state_size(DEPTH)), DEPTH);
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(states[0]);
	free(states[1]);
	return 0;
}

static unsigned length(uint32_t id)
{
	unsigned n = 0;

	for (; id; id = fake_file_node(id)->parent)
		n++;
	return n;
}

static enum rsd_cut cut_of(uint32_t id)
{
	while (fake_file_node(id)->parent)
		id = fake_file_node(id)->parent;
	return fake_file_node(id)->cut;
}

static const struct rsd_node *frame_of(uint32_t id, unsigned i)
{
	while (i--)
		id = fake_file_node(id)->parent;
	return fake_file_node(id);
}

/* Two pages of stack under one that can't be read. */
static uintptr_t *stack_under_guard(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	mprotect(p, PAGE, PROT_NONE);
	mprotect(p + 3 * PAGE, PAGE, PROT_NONE);
	return (uintptr_t *)(p + PAGE);
}

__attribute__((noinline)) static struct regs here(void)
{
	return (struct regs)REGS_OF_CALLER();
}

static void a_stack_up_to_main_is_complete(void **state)
{
	struct regs regs = here();
	uint32_t id = stack_capture(states[0], &regs, false);

	(void)state;
	assert_in_range(length(id), 4, DEPTH - 1);
	assert_int_equal(cut_of(id), CUT_NONE);
}

/* Registers as a thread with damaged memory has them: real code, anything else. */
static void garbage_registers_crash_nothing(void **state)
{
	uintptr_t *guarded = stack_under_guard();
	const uintptr_t places[] = { (uintptr_t)guarded,
				     (uintptr_t)(guarded + 1023),
				     (uintptr_t)&guarded,
				     0,
				     PAGE,
				     UINTPTR_MAX - 7,
				     (uintptr_t)garbage_registers_crash_nothing,
				     UINTPTR_MAX / 2 };
	const uintptr_t codes[] = { (uintptr_t)qsort,
				    (uintptr_t)memcpy,
				    (uintptr_t)malloc,
				    (uintptr_t)begin,
				    (uintptr_t)stack_capture,
				    (uintptr_t)guarded,
				    0,
				    (uintptr_t)&guarded };
	unsigned seed = 3;

	(void)state;
	for (int i = 0; i < 1024; i++)
		guarded[i] = rand_r(&seed) % 3 ? codes[rand_r(&seed) % 8] + (uintptr_t)rand_r(&seed) % 256
					       : places[rand_r(&seed) % 8] + (uintptr_t)rand_r(&seed) % 64 * 8;
	for (int i = 0; i < 200000; i++) {
		struct regs regs = {
			.ip = codes[rand_r(&seed) % 8] + (uintptr_t)rand_r(&seed) % 1024,
			.sp = places[rand_r(&seed) % 8] + (uintptr_t)rand_r(&seed) % 8192,
			.bp = places[rand_r(&seed) % 8] + (uintptr_t)rand_r(&seed) % 8192,
		};
		uint32_t id = stack_capture(states[i & 1], &regs, i & 2);

		if (id)
			assert_in_range(length(id), 1, DEPTH);
	}
	munmap((char *)guarded - PAGE, 4 * PAGE);
}

/* A frame whose caller would be above the end of readable memory. */
static void a_guard_page_is_not_read(void **state)
{
	uintptr_t *stack = stack_under_guard();
	struct regs regs = here();
	uint32_t id;

	(void)state;
	regs.sp = (uintptr_t)(stack + 1023);
	regs.bp = (uintptr_t)(stack + 1022);
	for (int i = 0; i < 1024; i++)
		stack[i] = regs.ip;
	id = stack_capture(states[0], &regs, false);
	assert_in_range(length(id), 1, 3);
	assert_int_not_equal(cut_of(id), CUT_NONE);
	munmap((char *)stack - PAGE, 4 * PAGE);
}

/* ---- generated code --------------------------------------------------------------------------------------- */

static uint32_t seen_by_callback;

__attribute__((noinline)) static void callback(void)
{
	struct regs regs = here();

	seen_by_callback = stack_capture(states[0], &regs, false);
}

static const uint8_t with_frame_pointer[] = {
	0x55,				       /* push %rbp */
	0x48, 0x89, 0xe5,		       /* mov %rsp, %rbp */
	0x48, 0xb8, 0,	  0, 0, 0, 0, 0, 0, 0, /* mov $callback, %rax */
	0xff, 0xd0,			       /* call *%rax */
	0x5d, 0xc3,			       /* pop %rbp; ret */
};
static const uint8_t without_frame_pointer[] = {
	0x55, 0x31, 0xed, 0x90, /* push %rbp; xor %ebp, %ebp; nop */
	0x48, 0xb8, 0,	  0,	0, 0, 0, 0, 0, 0, 0xff, 0xd0, 0x5d, 0xc3,
};

static void run_generated(const uint8_t *code, size_t size)
{
	uint8_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*const target)(void) = callback;

	assert_ptr_not_equal(page, MAP_FAILED);
	memcpy(page, code, size);
	memcpy(page + 6, &target, 8);
	((void (*)(void))page)();
	munmap(page, PAGE);
}

static void generated_code_is_passed_by_its_frame_pointer(void **state)
{
	uint32_t id;

	(void)state;
	run_generated(with_frame_pointer, sizeof(with_frame_pointer));
	id = seen_by_callback;
	assert_int_equal(cut_of(id), CUT_NONE);
	assert_int_equal(RSD_NODE_MODULE(frame_of(id, 1)), 0);
	assert_int_equal(frame_of(id, 2)->flags, RSD_NODE_GUESSED);
	assert_in_range(length(id), 6, DEPTH - 1);
}

static void generated_code_without_one_ends_the_stack_with_a_reason(void **state)
{
	(void)state;
	run_generated(without_frame_pointer, sizeof(without_frame_pointer));
	assert_int_equal(length(seen_by_callback), 2);
	assert_int_equal(cut_of(seen_by_callback), CUT_JIT);
}

/* ---- signals and other stacks ----------------------------------------------------------------------------- */

static uint32_t seen_by_handler[2];

static void handler(int sig, siginfo_t *info, void *context)
{
	struct regs regs = here();

	(void)sig;
	(void)info;
	seen_by_handler[0] = stack_capture(states[0], &regs, false);
	regs.ip = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	regs.sp = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RSP];
	regs.bp = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RBP];
	regs.context = context;
	seen_by_handler[1] = stack_capture(states[1], &regs, true);
}

static void a_handler_on_its_own_stack_leads_to_what_it_interrupted(void **state)
{
	static char alternate[65536];
	stack_t ss = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	struct sigaction act = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	(void)state;
	sigaltstack(&ss, NULL);
	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
	ss.ss_flags = SS_DISABLE;
	sigaltstack(&ss, NULL);
	assert_int_equal(cut_of(seen_by_handler[0]), CUT_NONE);
	/* Two frames more: the handler and the trampoline. */
	assert_int_equal(length(seen_by_handler[0]), length(seen_by_handler[1]) + 2);
	assert_int_equal(frame_of(seen_by_handler[0], 2)->flags, RSD_NODE_EXACT);
	assert_true(frame_of(seen_by_handler[0], 2)->ip_module == frame_of(seen_by_handler[1], 0)->ip_module);
}

static ucontext_t back, inside;
static uint32_t seen_inside;

static void coroutine(void)
{
	struct regs regs = here();

	seen_inside = stack_capture(states[0], &regs, false);
	swapcontext(&inside, &back);
}

/* A stack that is unmapped later must not be remembered as readable. */
static void a_coroutine_stack_is_not_trusted_later(void **state)
{
	char *stack = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct regs regs;
	uint32_t id;

	(void)state;
	getcontext(&inside);
	inside.uc_stack.ss_sp = stack;
	inside.uc_stack.ss_size = 16 * PAGE;
	makecontext(&inside, coroutine, 0);
	swapcontext(&back, &inside);
	assert_in_range(length(seen_inside), 1, 3);
	assert_int_equal(cut_of(seen_inside), CUT_NONE);
	regs = (struct regs){ .ip = frame_of(seen_inside, 0)->ip_module & 0xffffffffffff,
			      .sp = (uintptr_t)inside.uc_mcontext.gregs[REG_RSP] + 16,
			      .bp = (uintptr_t)inside.uc_mcontext.gregs[REG_RBP] };
	munmap(stack, 16 * PAGE);
	id = stack_capture(states[0], &regs, false);
	assert_int_equal(cut_of(id), CUT_BAD_MEMORY);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_stack_up_to_main_is_complete, begin, end),
		cmocka_unit_test_setup_teardown(garbage_registers_crash_nothing, begin, end),
		cmocka_unit_test_setup_teardown(a_guard_page_is_not_read, begin, end),
		cmocka_unit_test_setup_teardown(generated_code_is_passed_by_its_frame_pointer, begin, end),
		cmocka_unit_test_setup_teardown(generated_code_without_one_ends_the_stack_with_a_reason, begin, end),
		cmocka_unit_test_setup_teardown(a_handler_on_its_own_stack_leads_to_what_it_interrupted, begin, end),
		cmocka_unit_test_setup_teardown(a_coroutine_stack_is_not_trusted_later, begin, end),
	};

	return cmocka_run_group_tests_name("preload/unwind", tests, NULL, NULL);
}
