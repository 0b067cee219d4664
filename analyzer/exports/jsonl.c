/* SPDX-License-Identifier: MIT */
/*
 * jsonl.c - every record as one JSON object a line: what `ringside dump --json` tells, with stacks that have names.
 *
 * An event says where it was (`at`) and the number of its stack; each stack that was told stands once behind the
 * events, as a line of kind "stack" with its frames, innermost first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/export.h"
#include "analyzer/show/record_line.h"
#include "analyzer/symbols/place.h"
#include "analyzer/symbols/stack_index.h"
#include "analyzer/util/list.h"

struct jsonl {
	struct export_run *r;
	struct line line;
	struct stack_index number_of;
	struct told {
		struct stack_id stack;
		char *at;
	} * told; /* number n is told[n - 1] */
	size_t len, cap;
	bool failed;
};

static const struct told *tell(struct jsonl *x, struct stack_id stack)
{
	uint32_t number = stack_index_get(&x->number_of, stack);
	struct buf at = { 0 };

	if (number)
		return &x->told[number - 1];
	place_name(&at, x->r->stacks, stack);
	if (at.failed || !at.data || list_grow((void **)&x->told, &x->cap, x->len, sizeof(*x->told)) ||
	    stack_index_put(&x->number_of, stack, (uint32_t)x->len + 1)) {
		buf_release(&at);
		x->failed = true;
		return NULL;
	}
	x->told[x->len] = (struct told){ stack, at.data };
	return &x->told[x->len++];
}

static void put_stack(struct line *l, const char *name, uint32_t id)
{
	struct jsonl *x = l->self;
	struct stack_id stack = recording_stack(&x->r->a->rec, id);
	const struct told *told = stack.v ? tell(x, stack) : NULL;

	line_number(l, name, stack.v);
	if (told && !strcmp(name, "stack"))
		line_text(l, "at", told->at, strlen(told->at));
}

static void put_frames(struct jsonl *x, const struct frames *frames)
{
	struct json *j = &x->line.json;

	json_key(j, "frames");
	json_begin_array(j);
	for (size_t i = 0; i < frames->len; i++) {
		const struct frame *frame = frames->list[i];

		json_begin_object(j);
		json_field_string(j, "function", export_frame_name(frame));
		if (frame->file)
			json_field_string(j, "file", frame->file);
		if (frame->line)
			json_field_u64(j, "line", frame->line);
		if (frame->module_path)
			json_field_string(j, "module", frame->module_path);
		if (frame->inlined)
			json_field_bool(j, "inlined", true);
		json_end(j);
	}
	json_end(j);
}

static int put_stacks(struct jsonl *x)
{
	struct frames frames = { 0 };
	int err = 0;

	for (size_t i = 0; i < x->len && !err; i++) {
		err = stacks_frames(x->r->stacks, x->told[i].stack, &frames);
		line_begin(&x->line, "stack");
		line_number(&x->line, "stack", x->told[i].stack.v);
		put_frames(x, &frames);
		line_end(&x->line);
	}
	frames_release(&frames);
	return err;
}

static void on_event(void *self, const struct pass_event *e)
{
	line_event(self, e);
}

int export_jsonl(struct export_run *r)
{
	struct jsonl x = { .r = r };
	struct pass_sink sink;
	const struct pass_sink *sinks[] = { &sink };
	int err;

	x.line = (struct line){ .out = r->out, .form = LINE_JSON, .rec = &r->a->rec, .stack = put_stack, .self = &x };
	line_sink(&sink, &x.line, on_event);
	line_tables(&x.line);
	err = analysis_pass(r->a, sinks, 1);
	err = err ? err : put_stacks(&x);
	for (size_t i = 0; i < x.len; i++)
		free(x.told[i].at);
	free(x.told);
	stack_index_release(&x.number_of);
	line_release(&x.line);
	if (!err && x.failed)
		err = -ENOMEM;
	return err ? err : ferror(r->out) ? -EIO : 0;
}
