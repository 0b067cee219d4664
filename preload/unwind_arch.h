/* SPDX-License-Identifier: MIT */
/*
 * unwind_arch.h - what unwinding must know about a processor, in one place.
 *
 * A port says: the DWARF numbers of the registers we follow, where a signal frame keeps them, what the code of
 * a signal trampoline and of a call looks like, and which kinds of rule a CFI row may become (cfi.c assumes
 * a return address in memory just below the CFA, which is x86-64; aarch64 also needs "in the link register").
 */
#ifndef RINGSIDE_PRELOAD_UNWIND_ARCH_H
#define RINGSIDE_PRELOAD_UNWIND_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)

enum {
	ARCH_DWARF_BX = 3,
	ARCH_DWARF_BP = 6,
	ARCH_DWARF_SP = 7,
	ARCH_DWARF_R12 = 12,
	ARCH_DWARF_RA = 16,
	ARCH_REGISTERS = 17,
	ARCH_RA_OFFSET = -8, /* the return address is at CFA - 8 */

	/* What a row of CFI says about registers, in this order. */
	ARCH_RA = 0,
	ARCH_BP = 1,
	ARCH_SP = 2, /* in the few rows that don't end at the CFA: code that switches stacks */
	ARCH_FOLLOWED = 8,

	/* Offsets into a ucontext; when a handler returns, one is at sp. */
	ARCH_UC_BP = 120,
	ARCH_UC_SP = 160,
	ARCH_UC_IP = 168,

	ARCH_TRAMPOLINE_SIZE = 9,
	ARCH_CALL_MAX = 7, /* bytes of the longest call instruction we recognise */
};

/* DWARF numbers of the followed registers: the return address and those that a callee keeps. */
static const uint8_t arch_followed[ARCH_FOLLOWED] = {
	ARCH_DWARF_RA, ARCH_DWARF_BP, ARCH_DWARF_SP, ARCH_DWARF_BX, 12, 13, 14, 15
};

/* Where a ucontext has a register, by DWARF number: 40 + 8 * its place in gregs. */
static const uint8_t arch_uc_offset[ARCH_REGISTERS] = { 144, 136, 152, 128, 112, 104, 120, 160, 40,
							48,  56,  64,  72,  80,	 88,  96,  168 };

/* The registers of this instruction: those that a callee keeps, sp and ip, by DWARF number. */
#define ARCH_HERE(reg)                                                                                                 \
	__asm__ volatile(                                                                                              \
		"leaq 0f(%%rip), %%rax\n0:\tmovq %%rax, 128(%0)\n\tmovq %%rsp, 56(%0)\n\tmovq %%rbp, 48(%0)\n\t"       \
		"movq %%rbx, 24(%0)\n\tmovq %%r12, 96(%0)\n\tmovq %%r13, 104(%0)\n\tmovq %%r14, 112(%0)\n\t"           \
		"movq %%r15, 120(%0)"                                                                                  \
		:                                                                                                      \
		: "r"(reg)                                                                                             \
		: "rax", "memory")
#define ARCH_KEPT (1u << 3 | 1u << 6 | 1u << 7 | 0xfu << 12 | 1u << 16)

/* mov $15, %rax; syscall: rt_sigreturn, as libc's restorers spell it. `code` has ARCH_TRAMPOLINE_SIZE bytes. */
static inline bool arch_is_trampoline(const uint8_t *code)
{
	static const uint8_t sigreturn[ARCH_TRAMPOLINE_SIZE] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };

	return __builtin_memcmp(code, sigreturn, sizeof(sigreturn)) == 0;
}

/* Is the instruction that ends at `ra` a call? The ARCH_CALL_MAX bytes before `ra` are readable. */
static inline bool arch_is_after_call(const uint8_t *ra)
{
	static const struct {
		uint8_t length, mask, bits; /* of `FF modrm ...`: its length, and modrm & mask == bits */
	} forms[] = {
		{ 2, 0xf8, 0xd0 }, /* call *%reg */
		{ 2, 0xf8, 0x10 }, /* call *(%reg) */
		{ 3, 0xff, 0x14 }, /* call *(%reg,%reg,n) */
		{ 3, 0xf8, 0x50 }, /* call *disp8(%reg) */
		{ 4, 0xff, 0x54 }, /* call *disp8(%reg,%reg,n) */
		{ 6, 0xff, 0x15 }, /* call *disp32(%rip) */
		{ 6, 0xf8, 0x90 }, /* call *disp32(%reg) */
		{ 7, 0xff, 0x94 }, /* call *disp32(%reg,%reg,n) */
		{ 7, 0xff, 0x14 }, /* call *disp32(,%reg,n) */
	};

	if (ra[-5] == 0xe8)
		return true;
	for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (ra[-forms[i].length] == 0xff && (ra[1 - forms[i].length] & forms[i].mask) == forms[i].bits)
			return true;
	return false;
}

/* Is the instruction at `ip` a return? */
static inline bool arch_is_return(const uint8_t *ip)
{
	return *ip == 0xc3;
}

/* The thread pointer. In a thread of libc's making its block stands above the thread's stack. */
static inline uintptr_t arch_thread_pointer(void)
{
	uintptr_t tp;

	__asm__("mov %%fs:0, %0" : "=r"(tp));
	return tp;
}

#else
#error "unwinding is not ported to this processor yet: unwind_arch.h says what a port needs"
#endif

#endif
