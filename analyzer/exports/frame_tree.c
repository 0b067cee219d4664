/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/export.h"
#include "analyzer/exports/frame_tree.h"
#include "analyzer/util/list.h"

void frame_tree_init(struct frame_tree *t, struct stacks *stacks)
{
	*t = (struct frame_tree){ .stacks = stacks };
	map_init(&t->number_of);
	map_init(&t->frame_of);
}

void frame_tree_release(struct frame_tree *t)
{
	free(t->nodes);
	free(t->distinct);
	map_release(&t->number_of);
	map_release(&t->frame_of);
	stack_index_release(&t->index);
	frames_release(&t->frames);
}

static uint32_t frame_number(struct frame_tree *t, const struct frame *frame)
{
	const char *name = export_frame_name(frame), *file = frame->file ? frame->file : "";
	const char *module = frame->module_path ? frame->module_path : "";
	const uint64_t key[] = { frame->line, hash_bytes(name, strlen(name)), hash_bytes(file, strlen(file)),
				 hash_bytes(module, strlen(module)) };
	bool is_new;
	uint64_t *at = map_at(&t->frame_of, hash_bytes(key, sizeof(key)), &is_new);

	if (!at ||
	    (is_new && list_grow((void **)&t->distinct, &t->distinct_cap, t->distinct_len, sizeof(*t->distinct)))) {
		t->failed = true;
		return 0;
	}
	if (is_new) {
		t->distinct[t->distinct_len++] = frame;
		*at = t->distinct_len;
	}
	return (uint32_t)*at;
}

static uint32_t child_of(struct frame_tree *t, uint32_t parent, const struct frame *frame)
{
	uint32_t number = frame_number(t, frame);
	bool is_new;
	uint64_t *at = map_at(&t->number_of, (uint64_t)parent << 32 | number, &is_new);

	if (!number || !at || (is_new && list_grow((void **)&t->nodes, &t->cap, t->len, sizeof(*t->nodes)))) {
		t->failed = true;
		return parent;
	}
	if (is_new) {
		t->nodes[t->len++] = (struct tree_node){ .parent = parent, .frame_number = number, .frame = frame };
		*at = t->len;
	}
	return (uint32_t)*at;
}

uint32_t frame_tree_of(struct frame_tree *t, struct stack_id stack)
{
	uint32_t number = stack_index_get(&t->index, stack), node = 0;

	if (number)
		return number - 1;
	if (stacks_frames(t->stacks, stack, &t->frames)) {
		t->failed = true;
		return 0;
	}
	for (size_t i = t->frames.len; i-- > 0;)
		node = child_of(t, node, t->frames.list[i]);
	if (stack_index_put(&t->index, stack, node + 1))
		t->failed = true;
	return node;
}
