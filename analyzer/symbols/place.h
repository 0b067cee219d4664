/* SPDX-License-Identifier: MIT */
/*
 * place.h - where in the program a stack is: its innermost frame that is not std:: or an allocator.
 */
#ifndef RINGSIDE_PLACE_H
#define RINGSIDE_PLACE_H

#include "analyzer/symbols/stacks.h"
#include "analyzer/util/buf.h"

/*
 * place_name - "function (file.c:12)" of a stack's innermost frame that is not std:: or an allocator; when that has no
 * name, the nearest caller that has one comes first: "sqlite3Malloc (libsqlite3.so.0) through libsqlite3.so.0+0xa74f0".
 * Appended to *out, safe.
 */
void place_name(struct buf *out, struct stacks *stacks, struct stack_id stack);
/*
 * The same in two steps: equal frames have equal names, and finding them is cheaper than spelling them. Both NULL: no
 * stack.
 */
struct place {
	const struct frame *site, *source; /* source: the caller with a name; site itself; NULL: none has one */
};
struct place place_find(struct stacks *stacks, struct stack_id stack);
void place_spell(struct buf *out, struct place f);

/* place_find_ahead - the same, by who asks for one stack after another in a pass: see stacks_ahead. */
struct place place_find_ahead(struct stacks *stacks, struct stack_id stack);

/*
 * places_want - the places of `len` stacks, the first at `first` and `stride` bytes from one to the next, will be asked
 * for: see stacks_want.
 */
void places_want(struct stacks *stacks, const struct stack_id *first, size_t stride, size_t len);

/* place_is_plumbing - a frame of std:: or an allocator, which only passes a request on. */
bool place_is_plumbing(const struct frame *frame);

/* place_name_and_caller - the same and " for CALLER": a helper that sleeps says little without who called it. */
void place_name_and_caller(struct buf *out, struct stacks *stacks, struct stack_id stack);
/* place_add_caller - only the second half, for a place in `stack` that has a source line. */
void place_add_caller(struct buf *out, struct stacks *stacks, struct stack_id stack, struct place place);

#endif
