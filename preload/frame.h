/* SPDX-License-Identifier: MIT */
/* frame.h - where a walk begins, and one frame of it: where it stands, and what it was found by. */
#ifndef RINGSIDE_PRELOAD_FRAME_H
#define RINGSIDE_PRELOAD_FRAME_H

#include <stdint.h>

#include "format/record.h"

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

#define FRAME_EXACT RSD_NODE_EXACT     /* ip is an interrupted instruction, not a return address */
#define FRAME_GUESSED RSD_NODE_GUESSED /* found without a rule */
#define FRAME_OPAQUE 4u		       /* found by more than the words below and the callee's bp */
#define FRAME_BY_BP 8u		       /* found by the bp of its callee */
#define FRAME_NEEDS_BP 16u	       /* memo.c: it, or one further out, was found by its bp */

struct frame {
	uintptr_t ip, sp, bp; /* sp: after the return from the callee, its CFA. ip was in the word below sp */
	uintptr_t bp_slot;    /* where bp was loaded from, 0: the callee had not changed it */
	uintptr_t cfa_slot;   /* where sp was computed from, 0: from registers */
	uint32_t node;	      /* stacks.c: the id of the stack from the outermost frame to this one */
	uint32_t at;	      /* memo.c: index of its first word */
	uint16_t module;      /* known after unwind_step() */
	uint8_t flags;
};

#endif
