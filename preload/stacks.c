// SPDX-License-Identifier: MIT
/*
 * stacks.c - capture: unwind, compare with the last stack, number the frames that are new.
 *
 * The verified memo: unwinding is a deterministic function of (ip, sp, bp) and the stack words it reads. A state
 * remembers the frames of its last capture, outermost first, each with the slots that its ip and bp came from.
 * As soon as the walk comes to a frame that is remembered with the same ip, sp and bp, the slots of the frames
 * further out are compared by plain loads; when all hold what they held, the rest of the stack is the same and
 * so is its node. Nothing is ever patched, so longjmp, exceptions and coroutine switches need no care.
 *
 * One array serves both: the remembered frames stand at its beginning, the frames of the walk in progress grow
 * down from its end. Innermost frames come last in both, so that joining them is one move.
 */
#include "preload/stacks.h"

#include "preload/file.h"
#include "preload/modules.h"
#include "preload/nodes.h"
#include "preload/unwind.h"

#define SLACK 16u /* room for new frames beside a remembered stack of full depth */
#define ALL_SAME UINT32_MAX

struct stack_state {
	struct unwind unwind;
	uint32_t depth, cap; /* cap: of frames */
	uint32_t len;	     /* remembered */
	uint32_t epoch;	     /* in which they were */
	uint32_t cut;	     /* why frames[0] has no caller */
	bool is_end_settled; /* its rule alone says so */
	bool is_plain;	     /* remembered frames need no more than their two slots */
	struct frame frames[];
};

static uint32_t epoch;

size_t stack_state_size(unsigned depth)
{
	return sizeof(struct stack_state) + (depth + SLACK) * sizeof(struct frame);
}

struct stack_state *stack_state_init(void *memory, unsigned depth)
{
	struct stack_state *s = memory;

	s->unwind.native_low = s->unwind.native_high = 0;
	s->unwind.native_tries = 0;
	s->depth = depth ? depth : 1;
	s->cap = s->depth + SLACK - !depth;
	s->len = 0;
	return s;
}

/* ---- the memo --------------------------------------------------------------------------------------------- */

/* Does remembered frame i still lead to remembered frame i - 1? The long way, for frames that need it. */
static bool leads_on_slow(struct stack_state *s, uint32_t i)
{
	const struct frame *want = &s->frames[i - 1];
	struct frame got;

	return unwind_step(&s->unwind, &s->frames[i], &got) == UNWIND_ON && got.ip == want->ip && got.sp == want->sp &&
	       got.bp == want->bp && got.flags == want->flags;
}

static bool leads_on(struct stack_state *s, uint32_t i)
{
	const struct frame *f = &s->frames[i - 1];

	if (f->flags & FRAME_OPAQUE || f->sp > s->unwind.high || (f->bp_slot && f->bp_slot < s->unwind.low))
		return leads_on_slow(s, i);
	return *(const uintptr_t *)(f->sp - 8) == f->ip && (!f->bp_slot || *(const uintptr_t *)f->bp_slot == f->bp);
}

/* Is there still nothing beyond the outermost remembered frame? */
static bool is_end_same(struct stack_state *s)
{
	struct frame ignored;

	return s->is_end_settled || (uint32_t)unwind_step(&s->unwind, &s->frames[0], &ignored) == s->cut;
}

/* The common case in a tight loop: all slots are in the thread's own stack, which is one window. */
static uint32_t verify_plain(const struct frame *frames, uint32_t from)
{
	for (uint32_t i = from; i > 0; i--) {
		const struct frame *f = &frames[i - 1];

		if (*(const uintptr_t *)(f->sp - 8) != f->ip || (f->bp_slot && *(const uintptr_t *)f->bp_slot != f->bp))
			return i;
	}
	return 0;
}

/* How far out from frame `from` the remembered stack holds: ALL_SAME, or the first frame with another caller. */
static uint32_t verify(struct stack_state *s, uint32_t from)
{
	uint32_t i = from;

	/* sp grows outwards when no frame is opaque: the outermost one tells that none is beyond the window. */
	if (s->is_plain && s->frames[from].sp >= s->unwind.low && s->frames[0].sp <= s->unwind.high) {
		i = verify_plain(s->frames, from);
		if (i)
			return i;
	}
	for (; i > 0; i--)
		if (!leads_on(s, i))
			return i;
	return is_end_same(s) ? ALL_SAME : 0;
}

/* ---- capture ---------------------------------------------------------------------------------------------- */

static bool is_same_frame(const struct frame *a, const struct frame *b)
{
	return a->sp == b->sp && a->ip == b->ip && a->bp == b->bp && !((a->flags ^ b->flags) & ~FRAME_OPAQUE);
}

/*
 * Walk from frames[*top], growing down, until the end, a cut, or a remembered frame whose callers all hold.
 * Returns how many remembered frames follow. `kept` counts remembered frames not yet passed or overwritten.
 */
static uint32_t walk(struct stack_state *s, uint32_t *top_of_walk)
{
	uint32_t top = *top_of_walk, kept = s->len;
	struct frame *frames = s->frames;
	int ret;

	for (;;) {
		while (kept && frames[kept - 1].sp < frames[top].sp)
			kept--;
		if (kept && is_same_frame(&frames[kept - 1], &frames[top])) {
			uint32_t last = verify(s, kept - 1);

			if (last == ALL_SAME && (s->cut != CUT_DEPTH || s->cap - top - 1 + kept >= s->depth)) {
				*top_of_walk = top + 1;
				return kept;
			}
			/* What was verified belongs to the new stack; go on behind it. */
			if (last == ALL_SAME)
				last = 0;
			frames[top] = frames[kept - 1];
			while (--kept > last)
				frames[--top] = frames[kept - 1];
			unwind_enter(&s->unwind, frames[top].sp);
		}
		if (s->cap - top >= s->depth) {
			frames[top].module = (uint16_t)rule_module(unwind_rule(&s->unwind, frame_pc(&frames[top])));
			ret = CUT_DEPTH;
			break;
		}
		if (kept > top - 1)
			kept = top - 1;
		ret = unwind_step(&s->unwind, &frames[top], &frames[top - 1]);
		if (ret != UNWIND_ON)
			break;
		top--;
	}
	if (ret == UNWIND_END)
		unwind_end(&s->unwind, &frames[top]);
	s->cut = (uint32_t)ret;
	s->is_end_settled = ret == CUT_DEPTH || rule_kind(unwind_rule(&s->unwind, frame_pc(&frames[top]))) == RULE_END;
	*top_of_walk = top;
	return 0;
}

/* Longer than allowed: the innermost frames are kept. Returns how many frames have a valid node: none then. */
static uint32_t cut_to_depth(struct stack_state *s, uint32_t numbered)
{
	uint32_t excess = s->len - s->depth;

	if (s->len <= s->depth)
		return numbered;
	for (uint32_t i = 0; i < s->depth; i++)
		s->frames[i] = s->frames[i + excess];
	s->len = s->depth;
	s->cut = CUT_DEPTH;
	s->is_end_settled = true;
	return 0;
}

/* Give the frames from `i` on their nodes. Returns the innermost one. */
static uint32_t number(struct stack_state *s, uint32_t i)
{
	uint32_t node = i ? s->frames[i - 1].node : 0;

	for (; i < s->len; i++) {
		struct frame *f = &s->frames[i];

		node = node_get(node, (f->ip & 0xffffffffffffu) | (uint64_t)f->module << 48,
				f->flags & (FRAME_EXACT | FRAME_GUESSED), i ? 0 : (uint8_t)s->cut);
		if (!node) {
			s->len = 0;
			return 0;
		}
		f->node = node;
	}
	return node;
}

uint32_t stack_capture(struct stack_state *s, const struct regs *from, bool is_exact)
{
	uint32_t now = __atomic_load_n(&epoch, __ATOMIC_ACQUIRE), top = s->cap - 1, kept;

	if (s->epoch != now)
		s->len = 0;
	s->epoch = now;
	if (!file_header || !unwind_begin(&s->unwind, from, is_exact, &s->frames[top]))
		return 0;
	kept = walk(s, &top);
	if (!kept)
		s->is_plain = true;
	for (s->len = kept; top < s->cap; top++) {
		s->is_plain &= !(s->frames[top].flags & FRAME_OPAQUE);
		s->frames[s->len++] = s->frames[top];
	}
	return number(s, cut_to_depth(s, kept));
}

/* ---- process ---------------------------------------------------------------------------------------------- */

void stacks_begin(void)
{
	modules_begin();
	nodes_begin();
	unwind_begin_process();
	__atomic_add_fetch(&epoch, 1, __ATOMIC_RELEASE);
}

void stacks_modules_changed(void)
{
	/* First the numbers, then what refers to them: a rule made in between must not find an old number. */
	modules_changed();
	rules_forget();
	__atomic_add_fetch(&epoch, 1, __ATOMIC_RELEASE);
}
