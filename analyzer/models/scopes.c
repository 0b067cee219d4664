/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "analyzer/models/scopes.h"

static const struct frame *function_of(struct stacks *s, struct stack_id node)
{
	const struct frame_chain *chain = stacks_leaf(s, node);
	const struct frame *frame = &chain->frames[chain->len - 1];

	return node.v && frame->source != FRAME_UNKNOWN ? frame : NULL;
}

/* Names are interned. A function may have a part elsewhere, so its address says nothing. */
bool scope_is_same(const struct frame *a, const struct frame *b)
{
	return a->function == b->function && a->module_path == b->module_path && a->decl_file == b->decl_file;
}

static struct stack_id caller(const struct stacks *s, struct stack_id node)
{
	return stacks_node(s, node).parent;
}

bool scope_of(struct stacks *s, struct stack_id allocated, struct stack_id freed, struct scope *out)
{
	uint32_t a_depth = stacks_depth(s, allocated), b_depth = stacks_depth(s, freed);
	struct stack_id a = allocated, b = freed, a_inner = { 0 }, b_inner = { 0 };
	const struct frame *a_function, *b_function;

	while (a.v != b.v) {
		bool is_a = a_depth >= b_depth, is_b = b_depth >= a_depth;

		if (is_a) {
			a_inner = a;
			a = caller(s, a);
			a_depth--;
		}
		if (is_b) {
			b_inner = b;
			b = caller(s, b);
			b_depth--;
		}
	}
	a_function = function_of(s, a_inner);
	b_function = function_of(s, b_inner);
	if (a_function && b_function && scope_is_same(a_function, b_function))
		*out = (struct scope){ a_function, a_inner };
	else
		*out = (struct scope){ function_of(s, a), a };
	return out->function != NULL;
}

uint32_t scope_distance(struct stacks *s, const struct scope *scope, struct stack_id allocated)
{
	uint32_t calls = 0;

	for (struct stack_id at = allocated; at.v && at.v != scope->at.v; at = caller(s, at)) {
		const struct frame *function = function_of(s, at);

		calls += function && function->module_path == scope->function->module_path;
	}
	return calls;
}

void scope_name(struct buf *out, const struct frame *function)
{
	const char *file = function->decl_file ? function->decl_file : function->file;
	const char *slash = file ? strrchr(file, '/') : NULL;

	buf_add_safe(out, function->function, strlen(function->function));
	file = slash ? slash + 1 : file ? file : function->source != FRAME_OFFSET ? function->module : NULL;
	if (!file)
		return;
	buf_add_string(out, " (");
	buf_add_safe(out, file, strlen(file));
	buf_add_string(out, ")");
}
