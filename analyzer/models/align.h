/* SPDX-License-Identifier: MIT */
/*
 * align.h - the same code in two recordings, although it was built anew and lies elsewhere.
 *
 * Addresses say nothing over a rebuild. A frame is known by its module (base name without a version; the two
 * executables are one module whatever they are called), its function (without what compilers append: ".part.0",
 * ".constprop.0"; with the base name of its source file where both builds have debug information), and its call site in
 * the function. Inlined functions are functions, so it does not matter what the compiler inlines.
 *
 * Call sites of a function are ordered by their line relative to the function's first one. Where the builds are the
 * same, equal lines are equal sites. Else the two lists are aligned as a text is by diff: best a pair with the same
 * line, the same callees and the same weight; one of a list of as many sites may have moved; what is left over is in
 * one build only.
 *
 * A function whose sites do not align although it is passed as often as before is one site: compilers differ in the
 * lines they say. Frames of std:: and allocators do not tell stacks of a rebuilt program apart.
 *
 * A call in tail position leaves no frame when it is optimised. A stack that is in one build only, and has the
 * functions of one that is in the other only with some left out, and as large a weight, is that stack.
 *
 * What a rename or a move to another file or library does to a function can't be told from its removal: it is gone, and
 * another one new.
 */
#ifndef RINGSIDE_ALIGN_H
#define RINGSIDE_ALIGN_H

#include "analyzer/read/recording.h"

enum align_side { ALIGN_OLD, ALIGN_NEW, ALIGN_SIDES };

/* Numbers that are equal for equal code; from 1 on, 0: unknown. */
struct align_place {
	uint32_t module, function;
	uint32_t site; /* within the function */
};

struct align;

/* align_new - for stacks that come from `stacks`. NULL without memory. */
struct align *align_new(struct stacks *stacks);
void align_free(struct align *a);

/*
 * What is loaded there, before align_finish: the program by its base name first, then modules with their build-ids (at
 * most RSD_BUILD_ID_MAX bytes; none: 0). align_recording does both. 0 or -ENOMEM.
 */
int align_program(struct align *a, enum align_side side, const char *name);
int align_module(struct align *a, enum align_side side, const char *path, const uint8_t *build_id, uint32_t len);
int align_recording(struct align *a, enum align_side side, const struct recording *rec);

/*
 * align_stack - a stack that will be asked for.
 *
 * weight:     what is equal in both recordings if nothing changed (allocations), or 0.
 * is_sample:  its innermost line is where a timer struck, which is no call site.
 */
int align_stack(struct align *a, enum align_side side, struct stack_id stack, uint64_t weight, bool is_sample);

/* align_finish - after all stacks of both sides. */
int align_finish(struct align *a);

/* align_frame - of a stack that was added; all 0 for others. */
struct align_place align_frame(const struct align *a, const struct frame *frame);

/* align_stand_in - the new recording's stack that an old one without an equal is; itself for all others. */
struct stack_id align_stand_in(const struct align *a, struct stack_id stack);

/* align_key - a hash of the functions and call sites of what stands in for a stack that was added. */
uint64_t align_key(const struct align *a, struct stack_id stack);

#endif
