// SPDX-License-Identifier: MIT
/* stacks.c - capture: walk as far as the memo doesn't know, number the frames that are new, remember. */
#include "preload/stacks.h"

#include "preload/file.h"
#include "preload/modules.h"
#include "preload/nodes.h"
#include "preload/unwind.h"

uint32_t stacks_epoch;

/* How a walk ended. */
struct walk {
	uint32_t len; /* frames */
	struct mark joined;
	bool has_joined; /* the last frame has that mark, which holds; else it is the outermost */
	int result;	 /* of unwind_step for the outermost, or CUT_DEPTH */
};

/*
 * A state with what a walk works on, which must not lie on the program's stack: there may be little of it.
 * frames: depth of them, innermost first, and one that tells whether there are more.
 */
struct walker {
	struct stack_state state;
	struct unwind unwind;
	struct walk walk;
	struct frame last, ignored; /* of can_join */
	uint32_t depth;
	struct frame frames[];
};

size_t stack_state_size(unsigned depth)
{
	return sizeof(struct walker) + ((depth ? depth : 1) + 1) * sizeof(struct frame);
}

struct stack_state *stack_state_init(void *memory, unsigned depth)
{
	struct walker *w = memory;

	memo_init(&w->state.memo);
	w->unwind.native_low = w->unwind.native_high = 0;
	w->unwind.native_tries = 0;
	w->depth = depth ? depth : 1;
	return &w->state;
}

/* ---- the walk ------------------------------------------------------------------------------------------------- */

/*
 * May the walk end at this frame, because what is remembered from there on holds? Else *bar is where the outermost
 * difference is: no frame further in than that can hold.
 */
static bool can_join(struct walker *w, const struct mark *mark, const struct frame *frame, uintptr_t *bar)
{
	int result;

	switch (memo_check(&w->state.memo, mark, bar, &w->last, &result)) {
	case MEMO_END:
		return true;
	case MEMO_LINK:
		return false;
	default:
		if (unwind_step(&w->unwind, &w->last, &w->ignored) == result)
			return true;
		*bar = w->last.sp;
		unwind_enter(&w->unwind, frame->sp);
		return false;
	}
}

/* From frames[0] outwards, until a frame that is remembered and holds, the end of the stack, or a cut. */
static void walk(struct walker *w)
{
	struct frame *frame = w->frames;
	struct walk *end = &w->walk;
	uintptr_t bar = 0;

	for (end->len = 1;; end->len++, frame++) {
		const struct mark *mark = frame->sp > bar ? memo_find(&w->state.memo, frame) : NULL;

		/* A stack that becomes too long is cut, and has another outermost frame. */
		end->has_joined =
			mark && end->len - 1 + MEMO_HEIGHT(mark) <= w->depth && can_join(w, mark, frame, &bar);
		if (end->has_joined) {
			frame->node = mark->node;
			end->joined = *mark;
			end->result = UNWIND_END;
			return;
		}
		end->result = unwind_step(&w->unwind, frame, frame + 1);
		if (end->result == UNWIND_ON && end->len == w->depth)
			end->result = CUT_DEPTH;
		if (end->result != UNWIND_ON)
			return;
	}
}

/* Give the new frames their nodes, from the outermost inwards. Returns the innermost one, 0: no room. */
static uint32_t number(struct frame *frames, const struct walk *walk)
{
	uint32_t i = walk->has_joined ? walk->len - 1 : walk->len, node = walk->has_joined ? frames[i].node : 0;

	while (i-- > 0) {
		struct frame *f = &frames[i];

		node = node_get(node, (f->ip & 0xffffffffffffu) | (uint64_t)f->module << 48,
				f->flags & (FRAME_EXACT | FRAME_GUESSED), node ? 0 : (uint8_t)walk->result);
		if (!node)
			return 0;
		f->node = node;
	}
	return node;
}

/* The outermost frame is so by its rule alone, whatever stands on the stack. */
static bool is_end_sure(struct unwind *u, const struct frame *outermost, int result)
{
	return result == CUT_DEPTH || rule_kind(unwind_rule(u, frame_pc(outermost))) == RULE_END;
}

static void remember(struct walker *w)
{
	const struct walk *walk = &w->walk;
	struct frame *outermost = &w->frames[walk->len - 1];
	bool is_sure = walk->has_joined || is_end_sure(&w->unwind, outermost, walk->result);

	if (walk->has_joined && walk->len == 1)
		return;
	if (!walk->has_joined && walk->result == UNWIND_END)
		unwind_end(&w->unwind, outermost);
	if (w->unwind.native_high)
		memo_stack(&w->state.memo, w->unwind.native_high);
	memo_add(&w->state.memo, w->frames, walk->len, walk->has_joined ? &walk->joined : NULL, is_sure, walk->result,
		 walk->result != CUT_DEPTH);
}

__attribute__((noinline)) uint32_t stack_capture_slow(struct stack_state *state, const struct regs *from, bool is_exact)
{
	struct walker *w = (struct walker *)state;
	uint32_t now = __atomic_load_n(&stacks_epoch, __ATOMIC_ACQUIRE), node;

	if (state->epoch != now)
		memo_forget(&state->memo);
	state->epoch = now;
	if (!file_header || !unwind_begin(&w->unwind, from, is_exact, &w->frames[0]))
		return 0;
	walk(w);
	node = number(w->frames, &w->walk);
	/* While something is being unloaded an address may come to mean something else at any moment. */
	if (node && w->unwind.rules.is_kept)
		remember(w);
	return node;
}

/* ---- process -------------------------------------------------------------------------------------------------- */

void stacks_begin(void)
{
	modules_begin();
	nodes_begin();
	unwind_begin_process();
	__atomic_add_fetch(&stacks_epoch, 1, __ATOMIC_RELEASE);
}

void stacks_modules_changing(void)
{
	rules_pause();
	__atomic_add_fetch(&stacks_epoch, 1, __ATOMIC_RELEASE);
}

void stacks_modules_changed(void)
{
	/* First the numbers, then what refers to them: a rule made in between must not find an old number. */
	modules_changed();
	rules_resume();
	__atomic_add_fetch(&stacks_epoch, 1, __ATOMIC_RELEASE);
}
