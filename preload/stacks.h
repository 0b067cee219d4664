/* SPDX-License-Identifier: MIT */
/*
 * stacks.h - from registers to a stack id in the dump.
 *
 * A stack is a node of a tree (struct rsd_node); its id is what records carry. Capture unwinds with unwind.h,
 * then looks the frames up from the outermost to the innermost, making nodes for those not seen before.
 */
#ifndef RINGSIDE_PRELOAD_STACKS_H
#define RINGSIDE_PRELOAD_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where to begin: the frame whose code runs at ip, with its stack and frame pointer at that moment. */
struct regs {
	uintptr_t ip, sp, bp;
	const void *context; /* ucontext_t of the signal, NULL: none. A few functions need one more register */
};

/*
 * REGS_OF_CALLER - the registers of the function that called this wrapper, as they are after its return.
 * Only in an EXPORT function, which is compiled with a frame pointer and not inlined.
 */
#define REGS_OF_CALLER()                                                                                               \
	((struct regs){ .ip = (uintptr_t)__builtin_return_address(0),                                                  \
			.sp = (uintptr_t)__builtin_frame_address(0) + 16,                                              \
			.bp = *(uintptr_t *)__builtin_frame_address(0) })

/* Per thread and per context (ordinary, signal handler): buffers and, later, the memo. */
struct stack_state;

/* Bytes stack_state_init wants for stacks of `depth` frames. */
size_t stack_state_size(unsigned depth);

/* stack_state_init - make a state in zeroed memory of that size. */
struct stack_state *stack_state_init(void *memory, unsigned depth);

/*
 * stack_capture - the id of the stack that begins at `from`.
 *
 * is_exact:  from->ip is an interrupted instruction (signal), not a return address.
 * state:     of the calling thread; nobody else may use it meanwhile. A handler uses a state of its own.
 * Returns:   the id, 0 when nothing could be stored (counted). A cut stack carries its reason.
 * Safety:    async-signal-safe, lock-free, no allocation from the program's heap, no loader lock; errno kept.
 *            About 200 bytes of stack with cached rules, about 620 when a rule must be interpreted.
 * Cost:      docs/performance.md; a few ns a frame when its rules are cached.
 */
uint32_t stack_capture(struct stack_state *state, const struct regs *from, bool is_exact);

/* stacks_begin - called once when a dump is open (again in a forked child with a dump of its own). */
void stacks_begin(void);

/* stacks_modules_changed - something was unloaded: addresses may mean something else from now on. */
void stacks_modules_changed(void);

#endif
