// SPDX-License-Identifier: MIT
/* unwind.c - windows of readable stack, rules that are not cached, and steps without a plain rule. See unwind.h. */
#include "preload/unwind.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/auxv.h>
#include <ucontext.h>

#include "format/record.h"
#include "preload/file.h"
#include "preload/old_libc.h"
#include "preload/raw.h"
#include "preload/unwind_arch.h"

#define PAGE ((uintptr_t)4096)
#define GAP_MAX (16 * PAGE)			/* probed page by page to keep a window in one piece */
#define NATIVE_GAP_MAX (256 * PAGE)		/* the same below the known part of the thread's own stack */
#define ABOVE_MAIN_MAX ((uintptr_t)16 << 20)	/* arguments and environment */
#define ABOVE_THREAD_MAX ((uintptr_t)256 << 10) /* static TLS */
#define NATIVE_TRIES_MAX 16			/* a thread that never runs on its own stack is probed for ever */
#define FRAME_SIZE_MAX ((uintptr_t)16 << 20)	/* of a frame that we only guess */

/* An address above the first thread's stack, which the kernel put there. */
static uintptr_t above_main_stack;

/* The sp that the first thread began with, 0: not known. */
static uintptr_t main_stack_end;

/* The return address of a coroutine's first frame, 0: not known. Some libcs have no makecontext. */
static uintptr_t coroutine_end;
#pragma weak makecontext

/* ---- readable memory -------------------------------------------------------------------------------------- */

static bool probe(uintptr_t page)
{
	return raw_can_read((const void *)page);
}

static bool probe_range(uintptr_t low, uintptr_t high)
{
	/* Downwards, as a stack grows. */
	for (uintptr_t page = high; page > low; page -= PAGE)
		if (!probe(page - PAGE))
			return false;
	return true;
}

static bool in_native(const struct unwind *u, uintptr_t at)
{
	return at - u->native_low < u->native_high - u->native_low;
}

static void use_native(struct unwind *u)
{
	u->low = u->native_low;
	u->high = u->native_high;
}

/* The thread is deeper in its own stack than ever seen: look at what is new. */
static bool extend_native_down(struct unwind *u, uintptr_t sp)
{
	uintptr_t page = sp & ~(PAGE - 1);

	if (!u->native_high || page >= u->native_low || u->native_low - page > NATIVE_GAP_MAX ||
	    !probe_range(page, u->native_low))
		return false;
	u->native_low = page;
	return true;
}

bool unwind_reach(struct unwind *u, uintptr_t at)
{
	uintptr_t page = at & ~(PAGE - 1);

	if (at & 7)
		return false;
	if (at >= u->low && at < u->high)
		return true;
	if (in_native(u, at)) {
		use_native(u);
		return true;
	}
	if (u->high && page >= u->high && page - u->high < GAP_MAX) {
		while (u->high <= page) {
			if (!probe(u->high))
				return false;
			u->high += PAGE;
		}
		return true;
	}
	if (!probe(page))
		return false;
	if (u->high)
		u->first_sp = 0;
	u->low = page;
	u->high = page + PAGE;
	return true;
}

void unwind_enter(struct unwind *u, uintptr_t sp)
{
	u->low = u->high = 0;
	if (in_native(u, sp) || extend_native_down(u, sp))
		use_native(u);
	else
		unwind_reach(u, sp & ~(uintptr_t)7);
}

/* Read a word that a rule without plain bounds points to; the window need not move on for it. */
bool unwind_peek(struct unwind *u, uintptr_t at, uintptr_t *value)
{
	if (at & 7)
		return false;
	if (!(at >= u->low && at < u->high) && !in_native(u, at) && !probe(at & ~(PAGE - 1)))
		return false;
	*value = *(const uintptr_t *)at;
	return true;
}

/* ---- begin and end ---------------------------------------------------------------------------------------- */

/*
 * Where does a coroutine return to when its function ends? That stub of libc has no unwind information, and its
 * address can be had only by looking at what makecontext writes on a stack.
 */
static uintptr_t find_coroutine_end(void)
{
	uintptr_t stack[64], sp;
	ucontext_t context;

	if (!makecontext)
		return 0;
	context.uc_stack.ss_sp = stack;
	context.uc_stack.ss_size = sizeof(stack);
	context.uc_link = NULL;
	makecontext(&context, (void (*)(void))find_coroutine_end, 0);
	sp = *(const uintptr_t *)((const char *)&context + ARCH_UC_SP);
	return sp - (uintptr_t)stack < sizeof(stack) ? *(const uintptr_t *)sp : 0;
}

/* Where the kernel left argc: the loader calls constructors from there, out of code without unwind information. */
static uintptr_t find_main_stack_end(void)
{
	void **symbol = dlsym(RTLD_DEFAULT, "__libc_stack_end");

	return symbol ? (uintptr_t)*symbol : 0;
}

int unwind_begin_process(void)
{
	above_main_stack = getauxval(AT_RANDOM);
	if (!coroutine_end)
		coroutine_end = find_coroutine_end();
	if (!main_stack_end)
		main_stack_end = find_main_stack_end();
	return rules_begin();
}

bool unwind_begin(struct unwind *u, const struct regs *from, bool is_exact, struct frame *first)
{
	u->rules = rules_view();
	if (!u->rules.entries)
		return false;
	*first = (struct frame){
		.ip = from->ip,
		.sp = from->sp,
		.bp = from->bp,
		.flags = is_exact ? FRAME_EXACT : 0,
	};
	u->context = is_exact ? from->context : NULL;
	u->is_exact = is_exact;
	u->first_sp = from->sp;
	unwind_enter(u, from->sp);
	return true;
}

/*
 * Does the stack that ends at `top` belong to the thread? The first thread's is below what the kernel put there.
 * Another's is directly below its control block, without a gap (a guard page is below each such stack, so
 * no other mapping passes for it).
 */
static bool is_native_top(uintptr_t top)
{
	uintptr_t tp = arch_thread_pointer();

	if (raw1(SYS_gettid, 0) == raw1(SYS_getpid, 0))
		return above_main_stack - top < ABOVE_MAIN_MAX;
	return tp - top < ABOVE_THREAD_MAX && probe_range(top & ~(PAGE - 1), (tp | (PAGE - 1)) + 1);
}

/*
 * A complete walk in one piece that ended at the top of the thread's own stack tells where that is; it lives as long
 * as the thread. Other stacks may be unmapped, and others mapped in their place, between two captures: nothing is
 * remembered of them.
 */
void unwind_end(struct unwind *u, const struct frame *outermost)
{
	if (u->native_high || !u->first_sp || u->low > u->first_sp || outermost->sp > u->high ||
	    u->native_tries >= NATIVE_TRIES_MAX)
		return;
	u->native_tries++;
	if (!is_native_top(outermost->sp))
		return;
	u->native_low = u->first_sp & ~(PAGE - 1);
	u->native_high = u->high;
}

/* ---- rules ------------------------------------------------------------------------------------------------ */

/* Some libcs give their rt_sigreturn stub no unwind information: its code is its own. */
static bool is_trampoline(const struct unwind *u, uintptr_t ip)
{
	return ip + ARCH_TRAMPOLINE_SIZE <= u->module.end && probe(ip & ~(PAGE - 1)) &&
	       probe((ip + ARCH_TRAMPOLINE_SIZE - 1) & ~(PAGE - 1)) && arch_is_trampoline((const uint8_t *)ip);
}

__attribute__((noinline)) struct rule unwind_rule_slow(struct unwind *u, uintptr_t pc)
{
	struct rule rule = { RULE_NO_CODE };

	if (module_find(pc, &u->module)) {
		rule = cfi_rule(&u->module, pc, &u->cfi);
		/* Seen as a return address, the stub begins one byte later. */
		if (rule_kind(rule) == RULE_NO_INFO && (is_trampoline(u, pc + 1) || is_trampoline(u, pc)))
			rule = (struct rule){ RULE_SIGNAL };
		if (rule_kind(rule) == RULE_NO_INFO && pc + 1 == coroutine_end)
			rule = (struct rule){ RULE_END };
		rule = rule_with_module(rule, module_id(&u->module));
	}
	/* A library may be loaded where there is nothing yet, and nobody would tell. */
	if (rule_kind(rule) != RULE_NO_CODE)
		rules_store(&u->rules, pc, rule);
	return rule;
}

/* ---- steps ------------------------------------------------------------------------------------------------ */

/* A handler may have a stack of its own; so may the target of a switch. */
static void follow_to_stack(struct unwind *u, uintptr_t sp)
{
	if (sp >= u->low && sp < u->high)
		return;
	u->first_sp = 0;
	unwind_enter(u, sp);
}

/* The interrupted registers, from the ucontext that the kernel left on the stack of the handler. */
static int step_signal(struct unwind *u, const struct frame *frame, struct frame *caller)
{
	uintptr_t ip, sp, bp;

	if (!unwind_peek(u, frame->sp + ARCH_UC_IP, &ip) || !unwind_peek(u, frame->sp + ARCH_UC_SP, &sp) ||
	    !unwind_peek(u, frame->sp + ARCH_UC_BP, &bp))
		return CUT_BAD_MEMORY;
	*caller = (struct frame){ .ip = ip, .sp = sp, .bp = bp, .flags = FRAME_EXACT | FRAME_OPAQUE };
	follow_to_stack(u, sp);
	return UNWIND_ON;
}

static bool find_cfa(struct unwind *u, const struct frame *frame, struct rule rule, uintptr_t *cfa, uintptr_t *slot)
{
	*slot = 0;

	switch (rule_kind(rule)) {
	case RULE_SP:
		*cfa = frame->sp + (uintptr_t)rule_offset(rule);
		return true;
	case RULE_BP:
		*cfa = frame->bp + (uintptr_t)rule_offset(rule);
		return true;
	default:
		*slot = (rule_kind(rule) == RULE_AT_SP ? frame->sp : frame->bp) + (uintptr_t)rule_inner(rule);
		if (!unwind_peek(u, *slot, cfa))
			return false;
		*cfa += (uintptr_t)rule_added(rule);
		return true;
	}
}

/* The caller's bp; *slot: where it was, 0 when it is still in the register. */
static bool find_bp(struct unwind *u, const struct frame *frame, struct rule rule, uintptr_t cfa, uintptr_t *slot,
		    uintptr_t *bp)
{
	*slot = 0;
	*bp = frame->bp;
	if (rule_bp(rule) == RULE_BP_SAME)
		return true;
	if (rule_bp(rule) == RULE_BP_LOST) {
		*bp = 0;
		return true;
	}
	*slot = (rule_bp(rule) == RULE_BP_AT_CFA ? cfa : frame->bp) + (uintptr_t)rule_bp_offset(rule);
	return unwind_peek(u, *slot, bp);
}

static int step_rule(struct unwind *u, const struct frame *frame, struct frame *caller, struct rule rule)
{
	bool is_by_bp = rule_kind(rule) == RULE_BP || rule_kind(rule) == RULE_AT_BP || rule_bp(rule) == RULE_BP_AT_BP;
	uintptr_t cfa, cfa_slot, slot, bp;

	if (!find_cfa(u, frame, rule, &cfa, &cfa_slot))
		return CUT_BAD_MEMORY;
	if (cfa <= frame->sp)
		return CUT_LOOP;
	if (!unwind_reach(u, cfa - 8) || !find_bp(u, frame, rule, cfa, &slot, &bp))
		return CUT_BAD_MEMORY;
	*caller = (struct frame){
		.ip = *(const uintptr_t *)(cfa - 8),
		.sp = cfa,
		.bp = bp,
		.bp_slot = slot,
		.cfa_slot = cfa_slot,
		.flags = is_by_bp ? FRAME_BY_BP : 0,
	};
	return caller->ip ? UNWIND_ON : UNWIND_END;
}

/* Is this the address after a call? Code without a module counts only when it can be read and looks like one. */
static bool is_return_address(struct unwind *u, uintptr_t ra)
{
	enum rule_kind kind;

	if (ra < PAGE || ra >> 47)
		return false;
	kind = rule_kind(unwind_rule(u, ra - 1));
	if (kind == RULE_SIGNAL)
		return true;
	if ((kind == RULE_NO_INFO || kind == RULE_NO_CODE || (ra & (PAGE - 1)) < ARCH_CALL_MAX) &&
	    !(probe((ra - ARCH_CALL_MAX) & ~(PAGE - 1)) && probe((ra - 1) & ~(PAGE - 1))))
		return false;
	return arch_is_after_call((const uint8_t *)ra);
}

/* Assembler without unwind information rarely moves sp: the word there may be the return address. */
static bool guess_leaf(struct unwind *u, const struct frame *frame, struct frame *caller)
{
	uintptr_t ra;

	if (!(frame->flags & FRAME_EXACT) || !unwind_peek(u, frame->sp, &ra) || !is_return_address(u, ra))
		return false;
	*caller = (struct frame){
		.ip = ra,
		.sp = frame->sp + 8,
		.bp = frame->bp,
		.flags = FRAME_GUESSED,
	};
	return true;
}

/* push %rbp; mov %rsp, %rbp: believed when it leads to a return address further up. 0 at its end: UNWIND_END. */
static int guess_by_frame_pointer(struct unwind *u, const struct frame *frame, struct frame *caller, int reason)
{
	uintptr_t ra, bp;

	if (!frame->bp || frame->bp < frame->sp || frame->bp - frame->sp > FRAME_SIZE_MAX ||
	    !unwind_peek(u, frame->bp, &bp) || !unwind_peek(u, frame->bp + 8, &ra))
		return reason;
	if (!ra && !bp)
		return UNWIND_END;
	if ((bp && bp <= frame->bp) || !is_return_address(u, ra) || !unwind_reach(u, frame->bp + 8))
		return reason;
	*caller = (struct frame){
		.ip = ra,
		.sp = frame->bp + 16,
		.bp = bp,
		.bp_slot = frame->bp,
		.flags = FRAME_GUESSED | FRAME_BY_BP,
	};
	return UNWIND_ON;
}

static int step_guess(struct unwind *u, const struct frame *frame, struct frame *caller, int reason)
{
	int ret = UNWIND_ON;

	if (!guess_leaf(u, frame, caller))
		ret = guess_by_frame_pointer(u, frame, caller, reason);
	if (ret == UNWIND_ON)
		file_count(COUNT_STACKS_GUESSED, 1);
	return ret;
}

/* Rules of epilogues are wrong here and there, but at a return instruction there is no doubt. */
static bool step_return(struct unwind *u, const struct frame *frame, struct frame *caller)
{
	if (!(frame->flags & FRAME_EXACT) || !probe(frame->ip & ~(PAGE - 1)) ||
	    !arch_is_return((const uint8_t *)frame->ip))
		return false;
	return guess_leaf(u, frame, caller);
}

static int step_by_kind(struct unwind *u, const struct frame *frame, struct frame *caller, struct rule rule)
{
	switch (rule_kind(rule)) {
	case RULE_SP:
	case RULE_BP:
	case RULE_AT_SP:
	case RULE_AT_BP:
		return step_rule(u, frame, caller, rule);
	case RULE_END:
		return UNWIND_END;
	case RULE_SIGNAL:
		return step_signal(u, frame, caller);
	case RULE_COMPLEX:
		/* No guess: where rules say that things are difficult, a guess is wrong. */
		if (!replay_step(u, frame, caller))
			return CUT_EXPRESSION;
		follow_to_stack(u, caller->sp);
		return UNWIND_ON;
	case RULE_NO_INFO:
		if (main_stack_end - frame->sp < 16)
			return UNWIND_END;
		return step_guess(u, frame, caller, CUT_NO_INFO);
	default:
		/* No return address at all: a table was wrong one frame further in, and bp says nothing about that. */
		if (!(frame->flags & FRAME_EXACT) && !is_return_address(u, frame->ip))
			return CUT_JIT;
		return step_guess(u, frame, caller, CUT_JIT);
	}
}

__attribute__((noinline)) int unwind_step_slow(struct unwind *u, struct frame *frame, struct frame *caller,
					       struct rule rule)
{
	int ret = step_by_kind(u, frame, caller, rule);

	return ret > 0 && step_return(u, frame, caller) ? UNWIND_ON : ret;
}
