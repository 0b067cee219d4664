/* SPDX-License-Identifier: MIT */
/*
 * stacks.h - from registers to a stack id in the dump.
 *
 * A stack is a node of a tree (struct rsd_node); its id is what records carry. Capture asks the memo; where that
 * doesn't know, it unwinds up to the first frame that the memo does know, then looks the new frames up from the
 * outermost to the innermost, making nodes for those not seen before.
 */
#ifndef RINGSIDE_PRELOAD_STACKS_H
#define RINGSIDE_PRELOAD_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/compiler.h"
#include "preload/memo.h"

/*
 * Per thread and per context (ordinary, signal handler). It is as large as stack_state_size says: what a walk needs
 * follows, and belongs to stacks.c.
 */
struct stack_state {
	uint32_t epoch; /* in which the memo was right */
	struct memo memo;
};

/* Grows whenever code may have moved or node ids begin anew: what is remembered from an earlier one is void. */
extern uint32_t stacks_epoch HIDDEN;

/* Bytes stack_state_init wants for stacks of `depth` frames. */
size_t stack_state_size(unsigned depth);

/*
 * stack_state_init - a state that knows nothing, in zeroed memory of that size, or of a state that is to serve
 * another thread or dump. Cost: nothing to speak of, once in 16 000 times 64 KiB are cleared.
 */
struct stack_state *stack_state_init(void *memory, unsigned depth);

/* stack_capture_slow - stack_capture where the memo doesn't know the innermost frame. */
uint32_t stack_capture_slow(struct stack_state *state, const struct regs *from, bool is_exact);

/*
 * stack_capture - the id of the stack that begins at `from`.
 *
 * is_exact:  from->ip is an interrupted instruction (signal), not a return address.
 * state:     of the calling thread; nobody else may use it meanwhile. A handler uses a state of its own.
 * Returns:   the id, 0 when nothing could be stored (counted). A cut stack carries its reason.
 * Safety:    async-signal-safe, lock-free, no allocation from the program's heap, no loader lock; errno kept.
 *            About 300 bytes of stack with cached rules, about 700 when a rule must be interpreted.
 * Cost:      docs/performance.md; 0.3 ns a frame at a place that was captured before, about 20 ns for each frame
 *            that was not.
 */
static inline __attribute__((always_inline)) uint32_t stack_capture(struct stack_state *state, const struct regs *from,
								    bool is_exact)
{
	struct frame first = { .ip = from->ip, .sp = from->sp, .bp = from->bp, .flags = is_exact ? FRAME_EXACT : 0 };

	if (__builtin_expect(state->epoch == __atomic_load_n(&stacks_epoch, __ATOMIC_ACQUIRE), 1)) {
		const struct mark *mark = memo_find(&state->memo, &first);

		if (__builtin_expect(mark && memo_holds(&state->memo, mark), 1))
			return mark->node;
	}
	return stack_capture_slow(state, from, is_exact);
}

/* stacks_begin - called once when a dump is open (again in a forked child with a dump of its own). */
void stacks_begin(void);

/*
 * stacks_modules_changing - something may be unloaded from now on, and something else loaded in its place.
 * stacks_modules_changed - that is done. In pairs; captures in between are right, but slow.
 */
void stacks_modules_changing(void);
void stacks_modules_changed(void);

#endif
