/* SPDX-License-Identifier: MIT */
/*
 * stacks.h - stack ids of dumps made comparable, and their frames.
 *
 * A dump names a stack by the id of a node (parent, module, ip). The same stack may have two ids in one dump, and
 * has another one in the next process, where libraries lie elsewhere. Here every stack is one `struct stack_id`:
 * a node (parent, object, ELF address, exact) that exists once. So equal stacks are equal numbers, over
 * reloaded libraries, processes and runs.
 *
 * struct stack_space is one dump's view: its raw nodes and modules. Nodes are checked when a stack is first asked
 * for: a missing, uncommitted or looping parent ends the stack there with a cut reason, and no stack is longer
 * than RSD_DEPTH_MAX frames.
 */
#ifndef RINGSIDE_STACKS_H
#define RINGSIDE_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/symbols/modules.h"
#include "analyzer/symbols/symbols.h"

/* One distinct stack; 0 is the empty one. */
struct stack_id {
	uint32_t v;
};

struct stacks;	    /* all distinct stacks of an analysis */
struct stack_space; /* one dump's ids */

/* symbols is kept and must outlive it. Returns NULL without memory. */
struct stacks *stacks_new(struct symbols *symbols);
void stacks_free(struct stacks *s);

/* stack_space_new - modules is kept: add modules to it before asking for stacks that run through them. */
struct stack_space *stack_space_new(struct stacks *s, struct modules *modules);
void stack_space_free(struct stack_space *space);

/*
 * stack_space_add - `count` nodes as they stand in a NODES extent, ids first, first + 1, ... Uncommitted nodes are
 * skipped; a node that was already added is left as it is, so a live file's extent may be given again.
 *
 * Returns:  0, -EINVAL when first is 0 or ids leave 32 bits, -ENOMEM.
 */
int stack_space_add(struct stack_space *space, uint32_t first, const struct rsd_node *nodes, size_t count);

/* stack_space_reserve - all nodes that were added will be resolved: make room for them at once, if there is any. */
void stack_space_reserve(struct stack_space *space);

/*
 * stacks_resolve - the stack that the dump calls `id`.
 *
 * Returns:  {0} for id 0 and for an id the dump does not hold (then *space's count of unknown ids grows), or
 *           without memory.
 * Cost:     one array access once known.
 */
struct stack_id stacks_resolve(struct stack_space *space, uint32_t id);

/* stack_space_unknown - how many asks were for ids that are not in the dump. */
uint64_t stack_space_unknown(const struct stack_space *space);

/*
 * stacks_push - `parent` called this: for imports, whose frames are symbols_give's (their number is the address, which
 * is exact), and tests. {0} without memory; `parent` itself when it has RSD_DEPTH_MAX frames.
 */
struct stack_id stacks_push(struct stacks *s, struct stack_id parent, uint32_t object, uint64_t address, bool is_exact,
			    enum rsd_cut cut);

/* One raw frame: ELF address in an object, or a run-time address with object 0. */
struct stack_node {
	struct stack_id parent; /* the caller */
	uint32_t object;
	uint64_t address; /* as unwound: a return address unless is_exact */
	bool is_exact;
};

/* stacks_node - the innermost frame of `id` and the stack below it; all 0 for the empty stack. */
struct stack_node stacks_node(const struct stacks *s, struct stack_id id);
uint32_t stacks_depth(const struct stacks *s, struct stack_id id);

/* stacks_cut - why the stack ends (cuts.def, CUT_NONE: it is whole); see cut_words(). */
enum rsd_cut stacks_cut(const struct stacks *s, struct stack_id id);

/* stacks_len - ids are below this number. */
uint32_t stacks_len(const struct stacks *s);

/* A list of frames, reusable; ready when zeroed. The frames themselves belong to the symbols. */
struct frames {
	const struct frame **list;
	size_t len, cap;
};
void frames_release(struct frames *f);

/*
 * stacks_frames - all frames of a stack, innermost first, inlined ones included. The recorder's own code is one frame
 * "[ringside]" where it was running, and no frame where it only passed a call on.
 *
 * out:      cleared first.
 * Returns:  0 or -ENOMEM.
 */
int stacks_frames(struct stacks *s, struct stack_id id, struct frames *out);

/*
 * The same frame by frame, for whoever needs only the first few: names are looked up as they are asked for.
 *
 *     struct frame_walk w = { .stacks = s, .id = id };
 *
 *     while ((frame = stacks_next_frame(&w)))
 */
struct frame_walk {
	struct stacks *stacks;
	struct stack_id id; /* whose frames come next */
	const struct frame_chain *chain;
	uint32_t at; /* in the chain */
	bool has_begun;
	bool is_peeking; /* set first: stop at a frame whose name is not known yet, and want it */
	bool is_missing; /* that is why NULL was returned; the next call tries again */
};
const struct frame *stacks_next_frame(struct frame_walk *w);

/*
 * Names come from another process, and a question costs more than most answers. So who will look at many stacks says it
 * first; what comes out is the same.
 *
 * stacks_expect - its site will be asked for: symbols_expect where its innermost frame of the program is.
 * stacks_want - all its frames will be asked for.
 * stacks_ahead - the next stacks of the dump that was opened last, in the order in which the program met them, each
 * once: who meets one stack after another in a pass may prepare for these. Returns how many, at most `max`.
 */
void stacks_expect(struct stacks *s, struct stack_id id);
void stacks_want(struct stacks *s, struct stack_id id);
size_t stacks_ahead(struct stacks *s, struct stack_id *list, size_t max);

/* stacks_want_ahead - stacks_want for the next thousands of these. */
void stacks_want_ahead(struct stacks *s);

/* stacks_leaf - the frames of the innermost node only; a fixed "[unknown]" for the empty stack. */
const struct frame_chain *stacks_leaf(struct stacks *s, struct stack_id id);

struct symbols *stacks_symbols(struct stacks *s);

#endif
