// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "preload/cfi.h"

/*
 * Code that never runs, with rules to be read. Labels name the addresses that the cases ask for. The escapes are
 * what compilers write: DW_CFA_def_cfa_expression of a PLT entry, and of a function that realigns its stack.
 */
__asm__(".text\n"
	".p2align 4\n"
	"plain: .cfi_startproc\n"
	"  nop\n"
	"plain_pushed: push %rbp\n"
	".cfi_adjust_cfa_offset 8\n"
	".cfi_rel_offset %rbp, 0\n"
	"plain_framed: mov %rsp, %rbp\n"
	".cfi_def_cfa_register %rbp\n"
	"  nop\n"
	".cfi_remember_state\n"
	"plain_left: leave\n"
	".cfi_def_cfa %rsp, 8\n"
	".cfi_restore %rbp\n"
	"  ret\n"
	".cfi_restore_state\n"
	"plain_again: nop\n"
	".cfi_endproc\n"
	"first: .cfi_startproc\n"
	".cfi_undefined %rip\n"
	"  nop\n"
	".cfi_endproc\n"
	".p2align 4\n"
	"plt: .cfi_startproc\n"
	".cfi_escape 0x0f, 0x0b, 0x77, 0x08, 0x80, 0x00, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22\n"
	"  .fill 16, 1, 0x90\n"
	".cfi_endproc\n"
	"realigned: .cfi_startproc\n"
	".cfi_escape 0x0f, 0x03, 0x76, 0x78, 0x06\n" /* CFA = *(bp - 8) */
	".cfi_escape 0x10, 0x06, 0x02, 0x76, 0x00\n" /* bp saved at bp */
	"  nop\n"
	".cfi_endproc\n"
	"kept_in_memory: .cfi_startproc\n"
	".cfi_escape 0x0f, 0x06, 0x77, 0x98, 0x01, 0x06, 0x23, 0x08\n" /* CFA = *(sp + 152) + 8 */
	"  nop\n"
	".cfi_endproc\n"
	"by_rbx: .cfi_startproc\n"
	".cfi_def_cfa %rbx, 32\n"
	"  nop\n"
	".cfi_endproc\n"
	"handler_return: .cfi_startproc\n"
	".cfi_signal_frame\n"
	"  nop\n"
	".cfi_endproc\n"
	"without: nop\n"
	"  .fill 32, 1, 0x90\n");

extern const char plain[], plain_pushed[], plain_framed[], plain_left[], plain_again[], first[], plt[], realigned[],
	kept_in_memory[], by_rbx[], handler_return[], without[];

static struct cfi_work work;

static struct rule rule_at(const void *pc)
{
	struct module module;

	assert_true(module_find((uintptr_t)pc, &module));
	return cfi_rule(&module, (uintptr_t)pc, &work);
}

static int begin(void **state)
{
	(void)state;
	return modules_begin();
}

static void each_address_has_the_rule_of_its_row(void **state)
{
	static const struct {
		const char *what, *pc;
		int offset; /* in the function */
		enum rule_kind kind;
		int64_t cfa, inner;
		enum rule_bp bp;
		int64_t bp_offset;
	} cases[] = {
		{ "at entry", plain, 0, RULE_SP, 8, 0, RULE_BP_SAME, 0 },
		{ "before the push", plain_pushed, 0, RULE_SP, 8, 0, RULE_BP_SAME, 0 },
		{ "after the push", plain_framed, 0, RULE_SP, 16, 0, RULE_BP_AT_CFA, -16 },
		{ "in the body", plain_left, 0, RULE_BP, 16, 0, RULE_BP_AT_CFA, -16 },
		{ "after leave", plain_left, 1, RULE_SP, 8, 0, RULE_BP_SAME, 0 },
		{ "state restored", plain_again, 0, RULE_BP, 16, 0, RULE_BP_AT_CFA, -16 },
		{ "PLT before its push", plt, 10, RULE_SP, 8, 0, RULE_BP_SAME, 0 },
		{ "PLT after its push", plt, 11, RULE_SP, 16, 0, RULE_BP_SAME, 0 },
		{ "realigned stack", realigned, 0, RULE_AT_BP, 0, -8, RULE_BP_AT_BP, 0 },
		{ "sp kept in memory", kept_in_memory, 0, RULE_AT_SP, 8, 152, RULE_BP_SAME, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rule rule = rule_at(cases[i].pc + cases[i].offset);
		bool is_deref = cases[i].kind == RULE_AT_SP || cases[i].kind == RULE_AT_BP;

		if (rule_kind(rule) != cases[i].kind)
			fail_msg("%s: kind %d", cases[i].what, rule_kind(rule));
		assert_int_equal(is_deref ? rule_added(rule) : rule_offset(rule), cases[i].cfa);
		if (is_deref)
			assert_int_equal(rule_inner(rule), cases[i].inner);
		assert_int_equal(rule_bp(rule), cases[i].bp);
		assert_int_equal(rule_bp_offset(rule), cases[i].bp_offset);
	}
}

static void ends_signals_and_gaps_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(rule_kind(rule_at(first)), RULE_END);
	assert_int_equal(rule_kind(rule_at(handler_return)), RULE_SIGNAL);
	assert_int_equal(rule_kind(rule_at(by_rbx)), RULE_COMPLEX);
	assert_int_equal(rule_kind(rule_at(without + 16)), RULE_NO_INFO);
}

/* .eh_frame_hdr with a pointer to .eh_frame and nothing else, in reach of 32-bit offsets. */
static uint8_t bare_header[8];

static void an_object_without_search_table_is_scanned(void **state)
{
	struct module module;
	int32_t offset;
	uintptr_t eh_frame;

	(void)state;
	assert_true(module_find((uintptr_t)plain, &module));
	memcpy(&offset, module.eh_frame_hdr + 4, 4);
	eh_frame = (uintptr_t)module.eh_frame_hdr + 4 + (uintptr_t)(intptr_t)offset;
	offset = (int32_t)(eh_frame - (uintptr_t)(bare_header + 4));
	memcpy(bare_header, (uint8_t[]){ 1, 0x1b, 0xff, 0xff }, 4);
	memcpy(bare_header + 4, &offset, 4);
	module.eh_frame_hdr = bare_header;
	assert_int_equal(rule_kind(cfi_rule(&module, (uintptr_t)plain_left, &work)), RULE_BP);
	assert_int_equal(rule_kind(cfi_rule(&module, (uintptr_t)without + 16, &work)), RULE_NO_INFO);
}

/*
 * A copy of this program's tables, damaged at random, ending where nothing may be read. Offsets are relative, so
 * the copy describes code at the same distance.
 */
static void damaged_tables_are_survived(void **state)
{
	struct module module, copy;
	size_t size, mapped;
	uint8_t *pages, *at;
	uintptr_t moved;
	unsigned seed = 1;

	(void)state;
	assert_true(module_find((uintptr_t)plain, &module));
	/* From the header on: the linker puts .eh_frame behind it. */
	size = 16384;
	if (size > module.end - (uintptr_t)module.eh_frame_hdr)
		size = module.end - (uintptr_t)module.eh_frame_hdr;
	size &= ~(size_t)4095;
	mapped = size + 4096;
	pages = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(mprotect(pages + size, 4096, PROT_NONE), 0);
	for (int round = 0; round < 3000; round++) {
		size_t used = size - (size_t)(rand_r(&seed) % 2000) / 4 * 4;

		at = pages + size - used;
		memcpy(at, module.eh_frame_hdr, used);
		moved = (uintptr_t)at - (uintptr_t)module.eh_frame_hdr;
		for (int i = 0; i < 1 + round % 40; i++)
			at[(size_t)rand_r(&seed) % used] = (uint8_t)rand_r(&seed);
		copy = (struct module){ (uintptr_t)at, (uintptr_t)at + used, 0, at, NULL };
		for (const char *pc = plain; pc < without; pc += 3)
			cfi_rule(&copy, (uintptr_t)pc + moved, &work);
	}
	munmap(pages, mapped);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_address_has_the_rule_of_its_row, begin),
		cmocka_unit_test_setup(ends_signals_and_gaps_are_told_apart, begin),
		cmocka_unit_test_setup(an_object_without_search_table_is_scanned, begin),
		cmocka_unit_test_setup(damaged_tables_are_survived, begin),
	};

	return cmocka_run_group_tests_name("preload/cfi", tests, NULL, NULL);
}
