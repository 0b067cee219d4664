/* SPDX-License-Identifier: MIT */
/*
 * replay.h - a walk with all registers, for the few functions whose rule needs one more than sp and bp.
 *
 * Such are the loader's lazy resolver (rbx) and the first instructions of a function that realigns its stack (r10).
 * The walk begins again at its start, with every register that is known there: those of the signal's
 * ucontext, or the recorder's own at this moment, and interprets every frame up to the one in question.
 */
#ifndef RINGSIDE_PRELOAD_REPLAY_H
#define RINGSIDE_PRELOAD_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/unwind_arch.h"

struct frame;
struct unwind;

/* Registers by DWARF number; bit n of `known` says that reg[n] is one. */
struct replay {
	uintptr_t reg[ARCH_REGISTERS];
	uint32_t known;
};

/*
 * replay_step - the caller of `frame`, which the walk of `u` has come to.
 *
 * Returns:  false when a register that is needed can't be known, or memory not read.
 * Safety:   async-signal-safe, lock-free. About 250 bytes of stack.
 * Cost:     about 0.5 us for each frame from the start of the walk.
 */
bool replay_step(struct unwind *u, const struct frame *frame, struct frame *caller);

#endif
