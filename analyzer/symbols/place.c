/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
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

/* From the innermost frame outwards, going on later when a name is not there yet. */
struct search {
	struct frame_walk begin, walk;
	struct place place;
	enum { SITE, ANY_SITE, SOURCE } wanted;
};

static void search_begin(struct search *q, struct stacks *stacks, struct stack_id stack, bool is_peeking)
{
	*q = (struct search){ .begin = { .stacks = stacks, .id = stack, .is_peeking = is_peeking } };
	q->walk = q->begin;
}

/* False: it is to be called again when what it wants is there. */
static bool search_go_on(struct search *q)
{
	struct place *f = &q->place;
	const struct frame *frame;

	while ((frame = stacks_next_frame(&q->walk)) || !q->walk.is_missing) {
		if (!frame && q->wanted == SITE) {
			/* Nothing but allocators: then the innermost. */
			q->walk = q->begin;
			q->wanted = ANY_SITE;
			continue;
		}
		if (!frame)
			return true;
		if (q->wanted == SITE && place_is_plumbing(frame))
			continue;
		if (q->wanted != SOURCE)
			f->site = frame;
		q->wanted = SOURCE;
		if (tells_where(f->site, frame)) {
			f->source = frame;
			return true;
		}
	}
	return false;
}

struct place place_find(struct stacks *stacks, struct stack_id stack)
{
	struct search q;

	search_begin(&q, stacks, stack, false);
	search_go_on(&q);
	return q.place;
}

#define SEARCHES 8192u /* at a time */

/* All go one name further, then what they want is asked for in few questions. */
static void search_all(struct stacks *stacks, struct search *list, size_t len)
{
	for (unsigned rounds = 0; len && rounds < 2 * RSD_DEPTH_MAX; rounds++) {
		size_t kept = 0;

		for (size_t i = 0; i < len; i++)
			if (!search_go_on(&list[i]))
				list[kept++] = list[i];
		len = kept;
		symbols_fetch(stacks_symbols(stacks));
	}
}

/* The first stack that asks for a name brings those of thousands that come next. */
static void search_ahead(struct stacks *stacks)
{
	struct search *list = malloc(SEARCHES * sizeof(*list));
	struct stack_id *ids = malloc(SEARCHES * sizeof(*ids));
	size_t len = list && ids ? stacks_ahead(stacks, ids, SEARCHES) : 0;

	for (size_t i = 0; i < len; i++)
		search_begin(&list[i], stacks, ids[i], true);
	search_all(stacks, list, len);
	free(list);
	free(ids);
}

struct place place_find_ahead(struct stacks *stacks, struct stack_id stack)
{
	struct search q;

	search_begin(&q, stacks, stack, true);
	if (search_go_on(&q))
		return q.place;
	search_ahead(stacks);
	return place_find(stacks, stack);
}

void places_want(struct stacks *stacks, const struct stack_id *first, size_t stride, size_t len)
{
	struct search *list = malloc(SEARCHES * sizeof(*list));
	const char *at = (const char *)first;

	for (size_t done = 0, count; list && done < len; done += count) {
		count = len - done < SEARCHES ? len - done : SEARCHES;
		for (size_t i = 0; i < count; i++)
			search_begin(&list[i], stacks,
				     *(const struct stack_id *)(const void *)(at + (done + i) * stride), true);
		search_all(stacks, list, count);
	}
	free(list);
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
