/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/groups.h"
#include "analyzer/util/list.h"
#include "analyzer/views/views_model.h"

int groups_init(struct groups *g, struct stacks *stacks, enum group_by by, const struct group_filter *filter,
		struct buf *error)
{
	int err;

	*g = (struct groups){ .stacks = stacks, .by = by };
	map_init(&g->by_key);
	if (!filter)
		return 0;
	err = view_pattern_new(&g->focus, filter->focus, "--focus", error);
	err = err ? err : view_pattern_new(&g->ignore, filter->ignore, "--ignore", error);
	return err ? err : view_pattern_new(&g->hide, filter->hide, "--hide", error);
}

void groups_release(struct groups *g)
{
	stack_index_release(&g->index);
	map_release(&g->by_key);
	view_pattern_free(g->focus);
	view_pattern_free(g->ignore);
	view_pattern_free(g->hide);
	free(g->list);
	*g = (struct groups){ 0 };
}

/* Does the filter leave this stack? */
static bool is_wanted(const struct groups *g, struct stack_id stack)
{
	struct frame_walk w = { .stacks = g->stacks, .id = stack };
	const struct frame *frame;
	bool in_focus = !g->focus;

	if (g->suppressions || g->focus || g->ignore)
		stacks_want_ahead(g->stacks);
	if (g->suppressions && suppressions_find(g->suppressions, g->stacks, stack))
		return false;
	if (!g->focus && !g->ignore)
		return true;
	while ((frame = stacks_next_frame(&w))) {
		if (g->ignore && view_pattern_matches(g->ignore, frame))
			return false;
		in_focus = in_focus || view_pattern_matches(g->focus, frame);
	}
	return in_focus;
}

/* The place of a stack without the frames that are to be hidden. */
static struct place visible_place(const struct groups *g, struct stack_id stack)
{
	struct place place = place_find_ahead(g->stacks, stack);
	struct frame_walk w = { .stacks = g->stacks, .id = stack };
	const struct frame *frame;
	bool has_come = false;

	if (!g->hide || !place.site || !view_pattern_matches(g->hide, place.site))
		return place;
	while ((frame = stacks_next_frame(&w))) {
		has_come = has_come || frame == place.site;
		if (has_come && !view_pattern_matches(g->hide, frame))
			return (struct place){ frame, frame };
	}
	return place;
}

/* Code that was inlined at several places has a frame for each, and is one place. Texts are interned. */
static void key_frame(const struct frame *frame, const void *words[4])
{
	if (!frame)
		return;
	words[0] = frame->function;
	words[1] = frame->file;
	words[2] = frame->module_path;
	words[3] = (const void *)(uintptr_t)(frame->file ? frame->line : frame->address);
}

static uint64_t key_of(const struct groups *g, struct stack_id stack, const struct place *place)
{
	const void *words[8] = { NULL };

	if (g->by == BY_STACK)
		return stack.v;
	if (g->by == BY_MODULE) {
		words[0] = place->site ? place->site->module_path : NULL;
		return hash_bytes(words, sizeof(words));
	}
	if (g->by == BY_FUNCTION) {
		words[0] = place->site ? place->site->function : NULL;
		words[1] = place->site ? place->site->module_path : NULL;
		return hash_bytes(words, sizeof(words));
	}
	key_frame(place->site, words);
	key_frame(place->source, words + 4);
	return hash_bytes(words, sizeof(words));
}

static uint32_t find_or_add(struct groups *g, struct stack_id stack)
{
	struct place place = visible_place(g, stack);
	bool is_new;
	uint64_t *at = map_at(&g->by_key, key_of(g, stack, &place), &is_new);

	if (!at || (is_new && list_grow((void **)&g->list, &g->cap, g->len, sizeof(*g->list)))) {
		g->failed = true;
		return 0;
	}
	if (is_new) {
		g->list[g->len] = (struct group){ .stack = stack, .place = place };
		*at = g->len++;
	}
	return (uint32_t)*at;
}

uint32_t groups_new(struct groups *g, struct stack_id stack)
{
	uint32_t group = is_wanted(g, stack) ? find_or_add(g, stack) : GROUP_NONE;

	if (stack_index_put(&g->index, stack, group + 1))
		g->failed = true;
	return group;
}

/* Where its lines are does not matter: a function is one whatever its callers. */
static void function_name(const struct group *of, struct buf *out)
{
	struct frame frame = of->place.site ? *of->place.site : (struct frame){ .function = "[no stack]" };

	frame.file = frame.decl_file;
	frame.line = frame.decl_line;
	view_frame_name(out, &frame);
}

void groups_name(const struct groups *g, uint32_t group, struct buf *out)
{
	const struct group *of = &g->list[group];

	if (g->by == BY_FUNCTION) {
		function_name(of, out);
	} else if (g->by != BY_MODULE) {
		place_spell(out, of->place);
		if (g->by == BY_STACK)
			place_add_caller(out, g->stacks, of->stack, of->place);
	} else if (of->place.site && of->place.site->module) {
		buf_add_safe(out, of->place.site->module, strlen(of->place.site->module));
	} else {
		buf_add_string(out, "[unknown]");
	}
}

void groups_column_as(const struct groups *g, struct table *t, const char *title, const char *key,
		      const char *module_title, const char *module_key)
{
	if (g->by == BY_MODULE)
		table_column(t, module_title, module_key, UNIT_TEXT);
	else
		table_column(t, title, key, UNIT_STACK);
}

void groups_column(const struct groups *g, struct table *t, const char *title, const char *key)
{
	groups_column_as(g, t, title, key, "module", "module");
}

void groups_cell(const struct groups *g, struct table *t, uint32_t group)
{
	const struct group *of = &g->list[group];
	struct buf name = { 0 };

	groups_name(g, group, &name);
	if (g->by == BY_MODULE)
		table_text(t, buf_string(&name));
	else
		table_stack(t, buf_string(&name), g->by == BY_STACK ? of->stack : (struct stack_id){ 0 },
			    of->place.site);
	t->failed |= name.failed;
	buf_release(&name);
}
