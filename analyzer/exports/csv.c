/* SPDX-License-Identifier: MIT */
/*
 * csv.c - all events as one flat table: a row each, a column for everything that any kind can tell, the stack's
 * functions in one cell ("main;parse;malloc", outermost first). For spreadsheets and databases without joins.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/export.h"
#include "analyzer/show/record_line.h"
#include "analyzer/symbols/place.h"
#include "analyzer/symbols/stack_index.h"
#include "analyzer/util/list.h"

struct csv {
	struct export_run *r;
	struct stack_index number_of;
	struct told {
		char *at, *functions;
	} * told; /* number n is told[n - 1] */
	size_t len, cap;
	struct frames frames;
	bool failed;
};

static int spell(struct csv *x, struct stack_id stack, struct told *told)
{
	struct buf at = { 0 }, functions = { 0 };
	int err = stacks_frames(x->r->stacks, stack, &x->frames);

	place_name(&at, x->r->stacks, stack);
	for (size_t i = x->frames.len; i-- > 0;) {
		for (const char *s = export_frame_name(x->frames.list[i]); *s; s++)
			buf_add_char(&functions, *s == ';' ? ':' : *s);
		buf_add_string(&functions, i ? ";" : "");
	}
	if (!err && at.data && functions.data && !at.failed && !functions.failed) {
		*told = (struct told){ at.data, functions.data };
		return 0;
	}
	buf_release(&at);
	buf_release(&functions);
	return -ENOMEM;
}

static const struct told *tell(struct csv *x, struct stack_id stack)
{
	uint32_t number = stack_index_get(&x->number_of, stack);

	if (number)
		return &x->told[number - 1];
	if (list_grow((void **)&x->told, &x->cap, x->len, sizeof(*x->told)) || spell(x, stack, &x->told[x->len])) {
		x->failed = true;
		return NULL;
	}
	if (stack_index_put(&x->number_of, stack, (uint32_t)x->len + 1))
		x->failed = true;
	return &x->told[x->len++];
}

static void put_stack(struct line *l, const char *name, uint32_t id)
{
	struct csv *x = l->self;
	struct stack_id stack = recording_stack(&x->r->a->rec, id);
	const struct told *told = stack.v && !strcmp(name, "stack") ? tell(x, stack) : NULL;

	line_number(l, name, stack.v);
	if (!told)
		return;
	line_text(l, "at", told->at, strlen(told->at));
	line_text(l, "functions", told->functions, strlen(told->functions));
}

static void on_event(void *self, const struct pass_event *e)
{
	line_event(self, e);
}

int export_csv(struct export_run *r)
{
	struct csv x = { .r = r };
	struct line line = { .out = r->out, .rec = &r->a->rec, .stack = put_stack, .self = &x };
	struct pass_sink sink;
	const struct pass_sink *sinks[] = { &sink };
	int err = line_csv_begin(&line);

	line_sink(&sink, &line, on_event);
	err = err ? err : analysis_pass(r->a, sinks, 1);
	for (size_t i = 0; i < x.len; i++) {
		free(x.told[i].at);
		free(x.told[i].functions);
	}
	free(x.told);
	stack_index_release(&x.number_of);
	frames_release(&x.frames);
	line_release(&line);
	if (!err && x.failed)
		err = -ENOMEM;
	return err ? err : ferror(r->out) ? -EIO : 0;
}
