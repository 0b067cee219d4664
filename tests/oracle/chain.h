/* SPDX-License-Identifier: MIT */
/*
 * chain.h - one stack as three unwinders tell it, and what their difference means.
 *
 * Ours is read from the nodes that stack_capture made; libgcc's is _Unwind_Backtrace, which interprets the same
 * tables with all registers at hand; libunwind's is unw_step. libgcc_s must come before libunwind on the link line:
 * both export _Unwind_Backtrace, and a context of the one means nothing to the other.
 */
#ifndef RINGSIDE_TESTS_CHAIN_H
#define RINGSIDE_TESTS_CHAIN_H

#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <stdbool.h>
#include <stdint.h>

#define CHAIN_MAX 520u /* frames */

/* Innermost frame first. */
struct chain {
	unsigned len;
	unsigned cut, guessed; /* ours only: reason at the end, first guessed frame (or CHAIN_MAX) */
	uintptr_t ip[CHAIN_MAX];
	uint32_t node[CHAIN_MAX]; /* ours only */
};

/* How a capture compares. */
enum verdict { EQUAL, LONGER_GUESSED, CUT_MARKED, WRONG, VERDICTS };
extern const char *const verdict_names[VERDICTS];

/* chain_of_node - what was captured. false: another thread has not made its nodes readable yet. */
bool chain_of_node(struct chain *c, uint32_t id);

/*
 * chain_of_libgcc - everything from the frame with this ip on, `most` frames of it. Called in a function that this
 * frame called, or in a handler that interrupted it (is_exact).
 *
 * Returns:  false when libgcc read where nothing is: the handler of SIGSEGV must call chain_crash.
 * Safety:   async-signal-safe where libgcc is (glibc 2.35 or newer). About 2 KiB of stack.
 */
bool chain_of_libgcc(struct chain *c, uintptr_t from, bool is_exact, unsigned most);

/*
 * chain_crash - of a handler of SIGSEGV with SA_NODEFER and an empty mask: does not return when libgcc is to blame.
 */
void chain_crash(void);

/*
 * chain_unguard - faults are nobody's but the caller's until chain_reguard: for a handler that may have interrupted
 * libgcc. chain_reguard takes what chain_unguard returned.
 */
void *chain_unguard(void);
void chain_reguard(void *guard);

/* chain_of_libunwind - the same, from the registers in `context`. Takes locks of the loader. */
void chain_of_libunwind(struct chain *c, unw_context_t *context, int flags, uintptr_t from, unsigned most);

/* chain_common - how many frames both have in common. */
unsigned chain_common(const struct chain *a, const struct chain *b);
bool chain_is_equal(const struct chain *a, const struct chain *b);

/*
 * chain_judge - `theirs` was asked for more than `depth` frames, our limit.
 *
 * A guess where the oracle gives up is more, not less; a stack that ends early must say so, and one that says
 * it was cut at the limit must have been longer. Whatever else differs is wrong.
 */
enum verdict chain_judge(const struct chain *ours, const struct chain *theirs, unsigned depth);

/*
 * chain_explains_crash - libgcc crashed; `theirs` is what it had told before. Is it clear why?
 *
 * It reads the code of a frame that has no unwind information, to see whether it is a signal trampoline, and stack
 * wherever tables say. Some are wrong at some instructions: of swapcontext between loading rsp and pushing the new
 * address; of clang 14 between `add $8,%rsp` and the pops; of gcc between `pop %rbp` and the end of a function that
 * realigned its stack. And _Unwind_RaiseException at last writes the registers of the catching function over those that
 * it saved of its caller. Ours must have come to the same place and say that no module is there, or no stack.
 */
bool chain_explains_crash(const struct chain *ours, const struct chain *theirs);

/* chain_says_same - two of ours, by what the nodes say: threads that meet may give one stack two numbers. */
bool chain_says_same(const struct chain *a, const struct chain *b);

/* chain_is_named_right - does each frame have the number of the module that is at its address now? */
bool chain_is_named_right(const struct chain *ours);

#endif
