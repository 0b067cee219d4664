/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/util/list.h"
#include "analyzer/util/whole.h"
#include "analyzer/web/tree.h"
#include "format/kinds.h"

const char *web_metric_name(enum web_metric metric)
{
	static const char *const names[WEB_METRICS] = {
#define WEB_METRIC(id, group, name, unit, words) name,
#include "analyzer/web/metrics.def"
	};

	return names[metric];
}

/* ---- growing -------------------------------------------------------------------------------------------------- */

static const struct align_place no_place;

static uint32_t frame_at(struct web_tree *t, struct web_frame f, struct align_place same)
{
	/* Strings are interned: equal names are equal pointers. */
	const uintptr_t key[] = { same.function ? same.function : (uintptr_t)f.function,
				  same.function ? same.module : (uintptr_t)f.module,
				  same.function ? 0 : (uintptr_t)f.file };
	bool is_new;
	uint64_t *at = map_at(&t->frame_of, hash_bytes(key, sizeof(key)), &is_new);

	if (!at || (is_new && list_grow((void **)&t->frames, &t->frames_cap, t->frames_len, sizeof(*t->frames)))) {
		t->failed = true;
		return 0;
	}
	if (is_new) {
		t->frames[t->frames_len] = f;
		*at = t->frames_len++;
	}
	return (uint32_t)*at;
}

static uint32_t child_at(struct web_tree *t, uint32_t parent, uint32_t frame, uint32_t line)
{
	bool is_new;
	uint64_t *at = map_at(&t->child_of, (uint64_t)parent << 32 | frame, &is_new);

	if (!at || (is_new && list_grow((void **)&t->nodes, &t->nodes_cap, t->nodes_len, sizeof(*t->nodes)))) {
		t->failed = true;
		return 0;
	}
	if (is_new) {
		t->nodes[t->nodes_len] = (struct web_node){ .parent = parent, .frame = frame, .line = line };
		*at = t->nodes_len++;
	} else if (t->nodes[*at].line != line) {
		t->nodes[*at].has_lines = true;
	}
	return (uint32_t)*at;
}

int web_tree_init(struct web_tree *t, struct stacks *stacks)
{
	*t = (struct web_tree){ .stacks = stacks };
	map_init(&t->frame_of);
	map_init(&t->child_of);
	map_init(&t->node_of);
	frame_at(t, (struct web_frame){ .function = "all" }, no_place);
	if (!list_grow((void **)&t->nodes, &t->nodes_cap, 0, sizeof(*t->nodes)))
		t->nodes[t->nodes_len++] = (struct web_node){ 0 };
	return t->failed || !t->nodes_len ? -ENOMEM : 0;
}

void web_tree_release(struct web_tree *t)
{
	free(t->frames);
	free(t->nodes);
	free(t->shown);
	map_release(&t->frame_of);
	map_release(&t->child_of);
	map_release(&t->node_of);
	frames_release(&t->scratch);
	*t = (struct web_tree){ 0 };
}

static const char *words_of_cut(struct web_tree *t, enum rsd_cut cut)
{
	char text[128];

	snprintf(text, sizeof(text), "[callers missing: %s]", cut_words(cut));
	return symbols_intern(stacks_symbols(t->stacks), text);
}

static uint32_t grow(struct web_tree *t, struct stack_id stack)
{
	enum rsd_cut cut = stack.v ? stacks_cut(t->stacks, stack) : CUT_NONE;
	struct web_frame no_stack = { .function = "[no stack]" };
	uint32_t node = 0;

	if (!stack.v)
		return child_at(t, 0, frame_at(t, no_stack, no_place), 0);
	if (stacks_frames(t->stacks, stack, &t->scratch)) {
		t->failed = true;
		return 0;
	}
	if (cut != CUT_NONE) {
		const char *words = words_of_cut(t, cut);

		node = words ? child_at(t, 0, frame_at(t, (struct web_frame){ .function = words }, no_place), 0) : 0;
	}
	for (size_t i = t->scratch.len; i-- > 0;) {
		const struct frame *f = t->scratch.list[i];
		struct web_frame frame = { .function = f->function, .module = f->module, .file = f->file };

		node = child_at(t, node, frame_at(t, frame, t->align ? align_frame(t->align, f) : no_place), f->line);
	}
	return node;
}

uint32_t web_tree_at(struct web_tree *t, struct stack_id stack)
{
	uint64_t node;

	/* A tail call may have left no frame in one build. */
	if (t->align && t->is_base)
		stack = align_stand_in(t->align, stack);
	if (map_get(&t->node_of, stack.v, &node))
		return (uint32_t)node;
	node = grow(t, stack);
	if (map_put(&t->node_of, stack.v, node))
		t->failed = true;
	return (uint32_t)node;
}

uint32_t web_tree_above(const struct web_tree *t, uint32_t node, const regex_t *only_passes)
{
	uint32_t above = node;

	while (above && !regexec(only_passes, t->frames[t->nodes[above].frame].function, 0, NULL, 0))
		above = t->nodes[above].parent;
	return above ? above : node;
}

void web_tree_add(struct web_tree *t, uint32_t node, enum web_metric metric, int64_t value)
{
	unsigned at = metric + (t->is_base ? WEB_METRICS : 0);

	if (value <= 0)
		return;
	t->nodes[node].self[at] = whole_add(t->nodes[node].self[at], value);
	t->total[at] = whole_add(t->total[at], value);
}

/* ---- pruning -------------------------------------------------------------------------------------------------- */

typedef int64_t web_values[WEB_VALUES];

static web_values *cumulate(const struct web_tree *t)
{
	web_values *cum = calloc(t->nodes_len, sizeof(*cum));

	for (size_t i = t->nodes_len; cum && i-- > 0;)
		for (unsigned m = 0; m < WEB_VALUES; m++) {
			int64_t *above = i ? &cum[t->nodes[i].parent][m] : NULL;

			cum[i][m] = whole_add(cum[i][m], t->nodes[i].self[m]);
			if (above)
				*above = whole_add(*above, cum[i][m]);
		}
	return cum;
}

static bool is_large(const struct web_tree *t, const web_values *cum, size_t node, double share)
{
	for (unsigned m = 0; m < WEB_VALUES; m++)
		if (cum[node][m] > 0 && (double)cum[node][m] >= share * (double)t->total[m])
			return true;
	return false;
}

static double choose_share(const struct web_tree *t, const web_values *cum, size_t limit)
{
	for (double share = 0;; share = share ? share * 1.5 : 1e-6) {
		size_t large = 0;

		for (size_t i = 0; i < t->nodes_len && large <= limit; i++)
			large += is_large(t, cum, i, share);
		if (large <= limit || share > 0.5)
			return share;
	}
}

/* The one node of `parent`, which is shown, for all that is not. */
static uint32_t smaller_of(struct web_tree *t, uint32_t *smaller, uint32_t parent, uint32_t frame)
{
	if (!smaller[parent]) {
		smaller[parent] = (uint32_t)t->shown_len;
		t->shown[t->shown_len++] = (struct web_node){ .parent = parent, .frame = frame };
	}
	return smaller[parent];
}

static void show(struct web_tree *t, const web_values *cum, uint32_t *smaller, bool *is_rest, uint32_t frame)
{
	t->shown[0] = t->nodes[0];
	t->shown_len = 1;
	t->nodes[0].shown = 0;
	for (size_t i = 1; i < t->nodes_len; i++) {
		struct web_node *node = &t->nodes[i];
		uint32_t parent = t->nodes[node->parent].shown;

		if (is_rest[parent]) {
			node->shown = parent;
		} else if (is_large(t, cum, i, t->least_share)) {
			node->shown = (uint32_t)t->shown_len;
			t->shown[t->shown_len] = *node;
			t->shown[t->shown_len++].parent = parent;
			continue;
		} else {
			node->shown = smaller_of(t, smaller, parent, frame);
			is_rest[node->shown] = true;
		}
		for (unsigned m = 0; m < WEB_VALUES; m++)
			t->shown[node->shown].self[m] = whole_add(t->shown[node->shown].self[m], node->self[m]);
	}
}

int web_tree_prune(struct web_tree *t, size_t limit)
{
	uint32_t frame = frame_at(t, (struct web_frame){ .function = "(smaller)" }, no_place);
	web_values *cum = cumulate(t);
	/* Each node that is shown may have one more for the rest. */
	uint32_t *smaller = calloc(2 * t->nodes_len + 1, sizeof(*smaller));
	bool *is_rest = calloc(2 * t->nodes_len + 1, sizeof(*is_rest));
	struct web_node *shown = realloc(t->shown, (2 * t->nodes_len + 1) * sizeof(*shown));
	bool has_memory = cum && smaller && is_rest && shown;

	t->shown = shown ? shown : t->shown;
	if (has_memory) {
		t->least_share = choose_share(t, cum, limit);
		show(t, cum, smaller, is_rest, frame);
	}
	free(cum);
	free(smaller);
	free(is_rest);
	return has_memory && !t->failed ? 0 : -ENOMEM;
}
