/* SPDX-License-Identifier: MIT */
/*
 * frame_tree.h - the frames of all stacks that a format names, as one tree: each is written once.
 *
 * A node is a frame under its caller's node; frames of equal name, file and line are one. Memory grows with the
 * distinct stacks, not with the events.
 */
#ifndef RINGSIDE_FRAME_TREE_H
#define RINGSIDE_FRAME_TREE_H

#include "analyzer/symbols/stack_index.h"
#include "analyzer/util/map.h"

struct tree_node {
	uint32_t parent;       /* node number; 0: outermost */
	uint32_t frame_number; /* equal frames under other callers have the same */
	const struct frame *frame;
};

struct frame_tree {
	struct stacks *stacks;
	struct tree_node *nodes; /* number n is nodes[n - 1]; parents come before their children */
	size_t len, cap;
	const struct frame **distinct; /* frame number n is distinct[n - 1] */
	size_t distinct_len, distinct_cap;
	bool failed; /* memory ran out */
	/* Private. */
	struct map frame_of;
	struct map number_of;
	struct stack_index index; /* of stacks: node number + 1 */
	struct frames frames;
};

void frame_tree_init(struct frame_tree *t, struct stacks *stacks);
void frame_tree_release(struct frame_tree *t);

/* frame_tree_of - the node of a stack's innermost frame; 0: the stack is empty. */
uint32_t frame_tree_of(struct frame_tree *t, struct stack_id stack);

#endif
