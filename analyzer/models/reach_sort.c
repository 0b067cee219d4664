/* SPDX-License-Identifier: MIT */
/*
 * reach_sort.c - from pointers to states, as memcheck does it.
 *
 * Blocks wait in a stack until their pointers were followed. One that was possibly lost and turns out to be reachable
 * is followed again, because all that hangs on it may become reachable too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/reach.h"
#include "analyzer/util/list.h"

#define SEEN REACH_STATES /* for the time of sorting */

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

/* All blocks of state `from` that hang on `head`, it included, get the state `to`. */
static void move(struct reach *r, uint32_t head, unsigned from, unsigned to)
{
	r->blocks[head].state = (uint8_t)to;
	push(r, head);
	while (r->stack_len) {
		uint32_t block = r->stack[--r->stack_len];

		for (size_t i = r->first_edge[block]; i < r->first_edge[block + 1]; i++) {
			uint32_t next = (uint32_t)r->edges[i] >> 1;

			if (r->blocks[next].state != from)
				continue;
			r->blocks[next].state = (uint8_t)to;
			push(r, next);
		}
	}
}

/*
 * Heads are blocks on which all others hang that are lost, as few as do. Taken in the order of addresses, one may turn
 * out to hang on a later one; none hangs on an earlier one, which would have taken it along. So the same backwards
 * leaves those on which nothing but their own ring leads: what they take along is indirectly lost. memcheck goes only
 * once, and may call more blocks lost where a lost block points into a ring.
 */
static void find_indirect(struct reach *r)
{
	uint32_t *heads = NULL;
	size_t len = 0, cap = 0;

	for (uint32_t i = 0; i < r->blocks_len && !r->failed; i++) {
		if (r->blocks[i].state != REACH_LOST)
			continue;
		if (list_grow((void **)&heads, &cap, len, sizeof(*heads)))
			r->failed = true;
		else
			heads[len++] = i;
		move(r, i, REACH_LOST, SEEN);
	}
	while (len-- > 0) {
		if (r->blocks[heads[len]].state != SEEN)
			continue;
		move(r, heads[len], SEEN, REACH_INDIRECT);
		r->blocks[heads[len]].state = REACH_LOST;
	}
	free(heads);
}

/*
 * What the loader allocates for itself, as the vector of a thread's TLS: it keeps that for the next thread when a
 * thread has ended, where nobody looks.
 */
static bool is_loaders(const struct reach *r, const struct reach_block *b)
{
	const struct stacks *stacks = r->a->rec.stacks;
	const char *path = symbols_path(stacks_symbols(r->a->rec.stacks), stacks_node(stacks, b->stack).object);

	return !strncmp(path_base(path), "ld-linux", 8) || !strncmp(path_base(path), "ld-2.", 5);
}

static void reach_special(struct reach *r)
{
	for (uint32_t i = 0; i < r->blocks_len; i++)
		if (r->blocks[i].is_young || is_loaders(r, &r->blocks[i]))
			reach_from(r, i << 1, true, false);
	follow_reachable(r, false);
}

int reach_sort(struct reach *r, bool (*is_suppressed)(void *self, const struct reach_block *block), void *self)
{
	reach_roots(r, 0, r->sure_roots, false);
	reach_special(r);
	reach_roots(r, r->sure_roots, r->roots_len, true);
	for (uint32_t i = 0; i < r->blocks_len; i++)
		if (r->blocks[i].state == REACH_LOST && r->blocks[i].is_freed)
			move(r, i, REACH_LOST, REACH_FREED_LATER);
	if (!r->is_whole || r->end.cut || r->misses_blocks) {
		for (uint32_t i = 0; i < r->blocks_len; i++)
			if (r->blocks[i].state == REACH_LOST)
				r->blocks[i].state = REACH_UNKNOWN_STATE;
		return r->failed ? -ENOMEM : 0;
	}
	for (uint32_t i = 0; is_suppressed && i < r->blocks_len; i++)
		if (r->blocks[i].state == REACH_LOST && is_suppressed(self, &r->blocks[i]))
			move(r, i, REACH_LOST, REACH_SUPPRESSED);
	find_indirect(r);
	return r->failed ? -ENOMEM : 0;
}
