/* SPDX-License-Identifier: MIT */
/*
 * unwind.h - from a frame to its caller.
 *
 * In this order: the cached or freshly interpreted rule; where it needs more registers, the walk once more with all
 * of them (replay.h); where there is none, the word at sp of an interrupted leaf, when a call precedes it; a
 * frame pointer that withstands doubt; else the reason why the walk ends.
 *
 * Invariants, which make it safe with garbage in registers and on damaged stacks:
 * - the CFA grows from frame to frame, but for the step out of a signal frame;
 * - every word is read inside a window known to be readable. The thread's own stack is remembered, since what is
 *   above sp there can't go away; on any other stack each page is probed in each walk;
 * - every number that is believed without a rule is flagged FRAME_GUESSED.
 */
#ifndef RINGSIDE_PRELOAD_UNWIND_H
#define RINGSIDE_PRELOAD_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/cfi.h"
#include "preload/frame.h"
#include "preload/replay.h"
#include "preload/rules.h"

/* One thread's view; the state of one walk. Zeroed memory is a valid beginning. */
struct unwind {
	struct rules_view rules;
	uintptr_t low, high;		   /* readable, this walk; low <= sp */
	uintptr_t native_low, native_high; /* the thread's own stack as far as known, or 0 */
	uint32_t native_tries;		   /* to learn it */
	uintptr_t first_sp;		   /* of the walk; 0 when its window did not grow in one piece */
	const void *context;		   /* ucontext_t of the signal, or NULL */
	bool is_exact;			   /* began at an interrupted instruction */
	struct module module;
	struct cfi_work cfi;
	struct replay replay;
};

enum { UNWIND_ON = -1, UNWIND_END = 0 /* and positive: enum rsd_cut */ };

/* unwind_begin_process - once per dump, before any walk. 0 or -errno. */
int unwind_begin_process(void);

/*
 * unwind_begin - start a walk at registers.
 *
 * Returns:  false when there is no rule cache (no memory, or before unwind_begin_process).
 */
bool unwind_begin(struct unwind *u, const struct regs *from, bool is_exact, struct frame *first);

/* unwind_enter - the walk goes on at this sp: a window around it. */
void unwind_enter(struct unwind *u, uintptr_t sp);

/* unwind_end - the walk came to its natural end at this frame: learn the thread's own stack from it. */
void unwind_end(struct unwind *u, const struct frame *outermost);

/*
 * unwind_reach - make sure that the 8 bytes at `at` can be read and that the window holds them.
 * unwind_peek - read a word that may be anywhere; the window stays. Both: false when it can't be read.
 */
bool unwind_reach(struct unwind *u, uintptr_t at);
bool unwind_peek(struct unwind *u, uintptr_t at, uintptr_t *value);

/* unwind_step_slow - unwind_step for everything but the two common kinds of rule. */
int unwind_step_slow(struct unwind *u, struct frame *frame, struct frame *caller, struct rule rule);

/* unwind_rule_slow - interpret and cache. */
struct rule unwind_rule_slow(struct unwind *u, uintptr_t pc);

static inline uintptr_t frame_pc(const struct frame *frame)
{
	return frame->ip - !(frame->flags & FRAME_EXACT);
}

/* unwind_rule - the rule for the code at pc; never RULE_NONE. */
static inline struct rule unwind_rule(struct unwind *u, uintptr_t pc)
{
	struct rule rule = rules_find(&u->rules, pc);

	return __builtin_expect(rule.bits != 0, 1) ? rule : unwind_rule_slow(u, pc);
}

/*
 * unwind_step - find the caller of `frame`; also sets frame->module.
 *
 * Returns:  UNWIND_ON and *caller is set, UNWIND_END (frame is the outermost), or the reason of a cut.
 * Safety:   async-signal-safe, lock-free.
 * Cost:     3 to 5 ns when the rule is cached.
 */
static inline __attribute__((always_inline)) int unwind_step(struct unwind *u, struct frame *frame,
							     struct frame *caller)
{
	struct rule rule = unwind_rule(u, frame_pc(frame));
	enum rule_kind kind = rule_kind(rule);
	uintptr_t cfa, slot, bp = frame->bp;

	frame->module = (uint16_t)rule_module(rule);
	if (kind != RULE_SP && kind != RULE_BP)
		return unwind_step_slow(u, frame, caller, rule);
	cfa = (kind == RULE_SP ? frame->sp : bp) + (uintptr_t)rule_offset(rule);
	if (cfa <= frame->sp || cfa > u->high || cfa & 7)
		return unwind_step_slow(u, frame, caller, rule);
	slot = 0;
	if (rule_bp(rule) != RULE_BP_SAME) {
		slot = cfa + (uintptr_t)rule_bp_offset(rule);
		/* Saved registers are between sp and the return address. */
		if (rule_bp(rule) != RULE_BP_AT_CFA || slot < frame->sp || slot > cfa - 16)
			return unwind_step_slow(u, frame, caller, rule);
		bp = *(const uintptr_t *)slot;
	}
	caller->ip = *(const uintptr_t *)(cfa - 8);
	if (!caller->ip)
		return UNWIND_END;
	caller->sp = cfa;
	caller->bp = bp;
	caller->bp_slot = slot;
	caller->cfa_slot = 0;
	caller->flags = kind == RULE_BP ? FRAME_BY_BP : 0;
	return UNWIND_ON;
}

#endif
