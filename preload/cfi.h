/* SPDX-License-Identifier: MIT */
/*
 * cfi.h - from .eh_frame to a rule: what the compiler wrote about how to leave a function, for one address.
 *
 * Only the CFA, the return address and the frame pointer are followed. Expressions are evaluated symbolically
 * over "sp + n", "bp + n" and constants (the address itself is one), which covers PLT stubs, realigned stacks
 * and the assembler code that keeps the old sp in memory. Anything else becomes RULE_COMPLEX.
 */
#ifndef RINGSIDE_PRELOAD_CFI_H
#define RINGSIDE_PRELOAD_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/modules.h"
#include "preload/rules.h"

enum cfi_base {
	CFI_UNKNOWN = 0, /* needs something that we don't follow */
	CFI_CONST,	 /* offset */
	CFI_SP,		 /* sp + offset */
	CFI_BP,		 /* bp + offset */
	CFI_AT_SP,	 /* *(sp + inner) + offset */
	CFI_AT_BP,	 /* *(bp + inner) + offset */
	CFI_CFA,	 /* CFA + offset */
	CFI_SAME,	 /* a register that was not saved */
	CFI_UNDEFINED,
};

/* Eight bytes, so that it travels in a register. */
struct cfi_value {
	int32_t offset;
	int16_t inner;
	uint8_t base; /* enum cfi_base */
};

/* cfa is a value; ra and bp are the addresses where they were saved (or CFI_SAME, CFI_UNDEFINED). */
struct cfi_row {
	struct cfi_value cfa, ra, bp;
};

#define CFI_REMEMBER_MAX 6
#define CFI_STACK_MAX 8

struct cfi_cursor {
	const uint8_t *p, *end;
	bool is_bad; /* read past the end, or met something unknown: every further value is 0 */
};

/* One FDE with the CIE it refers to. */
struct cfi_fde {
	uintptr_t begin, size; /* code described */
	struct cfi_cursor initial, code;
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra_register;
	uint8_t pointer_encoding;
	bool is_signal_frame, has_augmentation_size;
};

/* Scratch memory, kept off the stack because wrappers run on the program's small stacks. */
struct cfi_work {
	struct cfi_fde fde;
	struct cfi_row row, initial, remembered[CFI_REMEMBER_MAX];
	unsigned remembered_len;
	struct cfi_value stack[CFI_STACK_MAX];
	unsigned stack_len;
};

/*
 * cfi_rule - the rule for the code at `pc`, which lies in `module`.
 *
 * Returns:  a rule without module id; RULE_NO_INFO when nothing describes pc or the tables are damaged.
 * Safety:   async-signal-safe, lock-free; reads only inside the module's range. The module must stay loaded.
 * Cost:     0.1 to 1 us, more while its pages are not in memory.
 */
struct rule cfi_rule(const struct module *module, uintptr_t pc, struct cfi_work *work);

#endif
