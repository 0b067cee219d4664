/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "analyzer/symbols/place.h"
#include "analyzer/views/views.h"

/* "std::vector<...>::push_back", or with a return type in front: "void std::vector<...>::_M_realloc_insert". */
static bool is_std(const char *function)
{
	const char *std = strstr(function, "std::");
	size_t head = strcspn(function, "<(");

	return std && (std == function || (std[-1] == ' ' && (size_t)(std - function) < head));
}

/* Library functions that only pass a request on: the caller is who wanted the block. */
bool place_is_plumbing(const struct frame *frame)
{
	static const char *const names[] = { "malloc", "calloc", "realloc" };

	if (!strncmp(frame->function, "operator new", 12) || !strncmp(frame->function, "__gnu_cxx::", 11) ||
	    is_std(frame->function))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(frame->function, names[i]))
			return true;
	return false;
}

/* libc and the loader call main and threads: that says nothing of the program. */
static bool is_libc(const struct frame *frame)
{
	const char *module = frame->module ? frame->module : "";

	return !strncmp(module, "libc.so", 7) || !strncmp(module, "ld-linux", 8);
}

static bool has_name(const struct frame *frame)
{
	return frame->function && !strstr(frame->function, "+0x") && frame->function[0] != '[';
}

/* A named place without a line is enough when it is itself where we begin; else its caller with a name is wanted. */
static bool tells_where(const struct frame *site, const struct frame *frame)
{
	if (frame == site)
		return has_name(frame);
	return has_name(frame) && !is_libc(frame) && strcmp(frame->function, "_start") != 0;
}

struct place place_find(struct stacks *stacks, struct stack_id stack)
{
	struct frame_walk w = { .stacks = stacks, .id = stack };
	struct place f = { .site = stacks_next_frame(&w) };

	while (f.site && place_is_plumbing(f.site))
		f.site = stacks_next_frame(&w);
	if (!f.site) {
		w = (struct frame_walk){ .stacks = stacks, .id = stack };
		f.site = stacks_next_frame(&w);
	}
	f.source = f.site;
	while (f.source && !tells_where(f.site, f.source))
		f.source = stacks_next_frame(&w);
	return f;
}

void place_spell(struct buf *out, struct place f)
{
	if (!f.site) {
		buf_add_string(out, "[no stack]");
		return;
	}
	/* Tables cut at the end: what can be recognised comes first. */
	if (f.source && f.source != f.site) {
		view_frame_name(out, f.source);
		buf_add_string(out, " through ");
	}
	view_frame_name(out, f.site);
}

void place_name(struct buf *out, struct stacks *stacks, struct stack_id stack)
{
	place_spell(out, place_find(stacks, stack));
}

void place_add_caller(struct buf *out, struct stacks *stacks, struct stack_id stack, struct place place)
{
	struct frame_walk w = { .stacks = stacks, .id = stack };
	const struct frame *frame = place.site;

	if (!frame || !frame->file)
		return;
	while ((frame = stacks_next_frame(&w)) && frame != place.site)
		;
	frame = frame ? stacks_next_frame(&w) : NULL;
	if (!frame)
		return;
	buf_add_string(out, " for ");
	view_frame_name(out, frame);
}

void place_name_and_caller(struct buf *out, struct stacks *stacks, struct stack_id stack)
{
	struct place place = place_find(stacks, stack);

	place_spell(out, place);
	place_add_caller(out, stacks, stack, place);
}
