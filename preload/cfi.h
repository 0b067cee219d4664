/* SPDX-License-Identifier: MIT */
/*
 * cfi.h - from .eh_frame to a rule: what the compiler wrote about how to leave a function, for one address.
 *
 * The CFA, the return address and the registers that a callee must keep are followed. Expressions are evaluated
 * symbolically over "register + n", "*(register + n) + m" and constants (the address itself is one), which covers
 * PLT stubs, realigned stacks and the assembler code that keeps the old sp in memory. A row that needs no register
 * but sp and bp becomes a rule; for others the rule is RULE_COMPLEX, and replay.c uses the row.
 */
#ifndef RINGSIDE_PRELOAD_CFI_H
#define RINGSIDE_PRELOAD_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/modules.h"
#include "preload/rules.h"
#include "preload/unwind_arch.h"

enum cfi_base {
	CFI_UNKNOWN = 0, /* needs something that can't be said here */
	CFI_CONST,	 /* offset */
	CFI_REG,	 /* reg + offset */
	CFI_AT_REG,	 /* *(reg + inner) + offset */
	CFI_CFA,	 /* CFA + offset */
	CFI_IN_REG,	 /* moved to reg */
	CFI_SAME,	 /* a register that was not saved */
	CFI_UNDEFINED,
};

/* Eight bytes, so that it travels in a register. */
struct cfi_value {
	int32_t offset;
	int16_t inner;
	uint8_t base; /* enum cfi_base */
	uint8_t reg;  /* DWARF number */
};

/* cfa is a value; saved[] are the addresses where registers were saved (or CFI_IN_REG and on). */
struct cfi_row {
	struct cfi_value cfa, saved[ARCH_FOLLOWED];
};

#define CFI_REMEMBER_MAX 6
#define CFI_STACK_MAX 8

/* Where reading is. Past the end, or at something unknown, both become NULL and every further value is 0. */
struct cfi_cursor {
	const uint8_t *p, *end;
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
 * cfi_row - the row for the code at `pc`, which lies in `module`: work->row, and work->fde.is_signal_frame.
 *
 * Returns:  0, -ENOENT when nothing describes pc or the tables are damaged, -ENOTSUP when they say what we
 *           don't understand.
 * Safety:   async-signal-safe, lock-free; reads only inside the module's range. The module must stay loaded.
 * Cost:     0.1 to 1 us, more while its pages are not in memory.
 */
int cfi_row(const struct module *module, uintptr_t pc, struct cfi_work *work);

/* cfi_rule - the same as a rule without module id: RULE_NO_INFO, RULE_COMPLEX, RULE_SIGNAL or how to go on. */
struct rule cfi_rule(const struct module *module, uintptr_t pc, struct cfi_work *work);

#endif
