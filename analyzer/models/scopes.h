/* SPDX-License-Identifier: MIT */
/*
 * scopes.h - the function during one call of which a block lived.
 *
 * The stacks of an allocation and of the free have their outer frames in common. The innermost common frame called the
 * two next ones; where both are in one function, that function was active all the while: it called what allocated, and
 * later what freed. Where they are not, the common frame made two calls, and is the function itself.
 *
 *     main <- handle <- parse <- make_node <- malloc          common: main, handle; parse is not
 *     main <- handle <- drop_node <- free                     scope: handle
 *
 * Stacks say which calls led to a place, not which of several calls after one another it was: a block that handle keeps
 * in a static variable and frees when it is called again looks the same.
 */
#ifndef RINGSIDE_SCOPES_H
#define RINGSIDE_SCOPES_H

#include "analyzer/symbols/stacks.h"
#include "analyzer/util/buf.h"

struct scope {
	const struct frame *function; /* the one whose code it is, not one inlined in it */
	struct stack_id at;	      /* the allocation's stack, from this function outwards */
};

/* scope_of - of two stacks of one thread. false: they have nothing in common, or no names tell the functions apart. */
bool scope_of(struct stacks *s, struct stack_id allocated, struct stack_id freed, struct scope *out);

/* scope_is_same - frames of one function. */
bool scope_is_same(const struct frame *a, const struct frame *b);

/* scope_distance - how many calls, in that function's own module, lead from it to the one that allocates: 0, itself. */
uint32_t scope_distance(struct stacks *s, const struct scope *scope, struct stack_id allocated);

/* scope_name - "handle (server.c)", appended, safe. */
void scope_name(struct buf *out, const struct frame *function);

#endif
