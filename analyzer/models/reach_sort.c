/* SPDX-License-Identifier: MIT */
/*
 * reach_sort.c - from pointers to states, as memcheck does it.
 *
 * Blocks wait in a stack until their pointers were followed. One that was possibly lost and turns out to be reachable
 * is followed again, because all that hangs on it may become reachable too.
 */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/models/reach.h"
#include "analyzer/util/list.h"

static void push(struct reach *r, uint32_t block)
{
	if (list_grow((void **)&r->stack, &r->stack_cap, r->stack_len, sizeof(*r->stack)))
		r->failed = true;
	else
		r->stack[r->stack_len++] = block;
}

/* `target`: block << 1 | is interior. A chain is definite while all its pointers lead to begins. */
static void reach_from(struct reach *r, uint32_t target, bool is_definite, bool is_mapped)
{
	struct reach_block *b = &r->blocks[target >> 1];
	bool is_sure = is_definite && !(target & 1);

	if (b->state == REACH_LOST) {
		b->state = is_sure ? REACH_REACHABLE : REACH_POSSIBLE;
		b->is_mapped = is_mapped;
	} else if (b->state == REACH_POSSIBLE && is_sure) {
		b->state = REACH_REACHABLE;
	} else {
		return;
	}
	push(r, target >> 1);
}

static void follow_reachable(struct reach *r, bool is_mapped)
{
	while (r->stack_len) {
		uint32_t block = r->stack[--r->stack_len];
		bool is_definite = r->blocks[block].state == REACH_REACHABLE;

		for (size_t i = r->first_edge[block]; i < r->first_edge[block + 1]; i++)
			reach_from(r, (uint32_t)r->edges[i], is_definite, is_mapped);
	}
}

static void reach_roots(struct reach *r, size_t from, size_t to, bool is_mapped)
{
	for (size_t i = from; i < to; i++)
		reach_from(r, r->roots[i], true, is_mapped);
	follow_reachable(r, is_mapped);
}

/* All unreached blocks that hang on what is in the stack get one state. */
static void follow_as(struct reach *r, enum reach_state state)
{
	while (r->stack_len) {
		uint32_t block = r->stack[--r->stack_len];

		for (size_t i = r->first_edge[block]; i < r->first_edge[block + 1]; i++) {
			uint32_t to = (uint32_t)r->edges[i] >> 1;

			if (r->blocks[to].state != REACH_LOST)
				continue;
			r->blocks[to].state = (uint8_t)state;
			push(r, to);
		}
	}
}

static void excuse(struct reach *r, uint32_t block, enum reach_state state)
{
	r->blocks[block].state = (uint8_t)state;
	push(r, block);
	follow_as(r, state);
}

/*
 * In the order of addresses each block that is still lost takes along what hangs on it: also one that was taken for the
 * head of its own before. So of a ring one stays.
 */
static void find_indirect(struct reach *r)
{
	for (uint32_t head = 0; head < r->blocks_len; head++) {
		if (r->blocks[head].state != REACH_LOST)
			continue;
		push(r, head);
		while (r->stack_len) {
			uint32_t block = r->stack[--r->stack_len];

			for (size_t i = r->first_edge[block]; i < r->first_edge[block + 1]; i++) {
				uint32_t to = (uint32_t)r->edges[i] >> 1;

				if (to == head || r->blocks[to].state != REACH_LOST)
					continue;
				r->blocks[to].state = REACH_INDIRECT;
				push(r, to);
			}
		}
	}
}

int reach_sort(struct reach *r, bool (*is_suppressed)(void *self, const struct reach_block *block), void *self)
{
	reach_roots(r, 0, r->sure_roots, false);
	for (uint32_t i = 0; i < r->blocks_len; i++)
		if (r->blocks[i].is_young)
			reach_from(r, i << 1, true, false);
	follow_reachable(r, false);
	reach_roots(r, r->sure_roots, r->roots_len, true);
	for (uint32_t i = 0; i < r->blocks_len; i++)
		if (r->blocks[i].state == REACH_LOST && r->blocks[i].is_freed)
			excuse(r, i, REACH_FREED_LATER);
	for (uint32_t i = 0; is_suppressed && i < r->blocks_len; i++)
		if (r->blocks[i].state == REACH_LOST && is_suppressed(self, &r->blocks[i]))
			excuse(r, i, REACH_SUPPRESSED);
	find_indirect(r);
	return r->failed ? -ENOMEM : 0;
}
