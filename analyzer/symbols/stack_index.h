/* SPDX-License-Identifier: MIT */
/*
 * stack_index.h - a small number for each stack, found in two loads: what every event asks for.
 *
 * Stacks are numbered in the order they are met (stacks.h), so those of a dump lie close together: pages of an array,
 * made when first needed.
 */
#ifndef RINGSIDE_STACK_INDEX_H
#define RINGSIDE_STACK_INDEX_H

#include "analyzer/symbols/stacks.h"

#define STACK_INDEX_PAGE 4096u

/* Ready when zeroed: every number is 0. */
struct stack_index {
	uint32_t **pages; /* NULL: all 0 */
	uint32_t pages_len;
};

void stack_index_release(struct stack_index *x);

static inline uint32_t stack_index_get(const struct stack_index *x, struct stack_id stack)
{
	const uint32_t *page = stack.v / STACK_INDEX_PAGE < x->pages_len ? x->pages[stack.v / STACK_INDEX_PAGE] : NULL;

	return page ? page[stack.v % STACK_INDEX_PAGE] : 0;
}

/* stack_index_put - 0 or -ENOMEM. */
int stack_index_put(struct stack_index *x, struct stack_id stack, uint32_t number);

#endif
