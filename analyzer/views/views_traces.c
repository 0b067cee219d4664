/* SPDX-License-Identifier: MIT */
/* --traces: every stack with its value, largest first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/show/render.h"
#include "analyzer/views/views_model.h"
#include "format/kinds.h"

static const char rule[] = "-----------+-------------------------------------------------------\n";

static size_t path_limit(const struct view *v)
{
	size_t limit = v->options->nodecount;

	return v->options->is_unlimited || !limit || limit > v->paths_len ? v->paths_len : limit;
}

static void put_frame(const struct view *v, const char *value, const struct frame *frame, FILE *out)
{
	struct view_entry entry = { .frame = frame };
	struct buf name = { 0 };

	/* In a stack the line that runs is the news, not where the function is declared. */
	if (v->options->granularity == VIEW_FUNCTIONS && !v->options->full_names)
		view_frame_name(&name, frame);
	else
		view_entry_name(&name, v, &entry);
	fprintf(out, "%10s   %s%s\n", value, buf_string(&name), frame->inlined ? " (inline)" : "");
	buf_release(&name);
}

static void put_trace(const struct view *v, const struct view_path *path, FILE *out)
{
	const char *label = profile_label_text(v->profile, path->row->label);
	enum rsd_cut cut = stacks_cut(v->stacks, path->row->stack);
	char value[RENDER_NUMBER_MAX];

	fputs(rule, out);
	if (label[0]) {
		fprintf(out, "%10s   ", "label:");
		safe_puts(label, out);
		fputc('\n', out);
	}
	render_value(value, v->unit, path->value);
	for (uint32_t i = 0; i < path->len; i++)
		put_frame(v, i ? "" : value, v->steps[path->first + i].frame, out);
	if (cut != CUT_NONE)
		fprintf(out, "%10s   [%s]\n", "", cut_words(cut));
}

static void print_text(const struct view *v, size_t limit, FILE *out)
{
	view_head_text(v, out);
	if (limit < v->paths_len)
		fprintf(out, "Showing top %zu stacks out of %zu\n", limit, v->paths_len);
	for (size_t i = 0; i < limit; i++)
		put_trace(v, &v->paths[i], out);
	fputs(rule, out);
	view_notes_text(v, out);
}

static void put_trace_json(const struct view *v, const struct view_path *path, struct json *j)
{
	const char *label = profile_label_text(v->profile, path->row->label);

	json_begin_object(j);
	json_field_i64(j, "value", path->value);
	json_key(j, "values");
	json_begin_object(j);
	for (size_t i = 0; i < v->profile->values_len; i++)
		json_field_i64(j, v->profile->values[i].name, path->row->values[i]);
	json_end(j);
	json_field_string(j, "label", label[0] ? label : NULL);
	json_field_string(j, "cut", cut_words(stacks_cut(v->stacks, path->row->stack)));
	json_key(j, "stack");
	json_begin_array(j);
	for (uint32_t i = 0; i < path->len; i++)
		view_frame_json(j, v->steps[path->first + i].frame);
	json_end(j);
	json_end(j);
}

static void print_json(const struct view *v, size_t limit, FILE *out)
{
	struct json j;

	json_init(&j, out);
	j.pretty_depth = 2;
	view_head_json(v, "traces", &j);
	json_begin_array(&j);
	for (size_t i = 0; i < limit; i++)
		put_trace_json(v, &v->paths[i], &j);
	json_end(&j);
	view_notes_json(v, &j);
	json_finish(&j);
}

static int print_csv(const struct view *v, size_t limit, FILE *out)
{
	struct buf stack = { 0 };
	struct table t;
	int ret;

	table_init(&t, "traces");
	table_column(&t, "value", "value", v->unit);
	table_column(&t, "label", "label", UNIT_TEXT);
	table_column(&t, "stack", "stack", UNIT_TEXT);
	for (size_t i = 0; i < limit; i++) {
		const struct view_path *path = &v->paths[i];

		buf_clear(&stack);
		for (uint32_t k = path->len; k-- > 0;) {
			view_function_name(&stack, v->options, v->steps[path->first + k].frame);
			if (k)
				buf_add_char(&stack, ';');
		}
		table_row(&t);
		table_number(&t, path->value);
		table_text(&t, profile_label_text(v->profile, path->row->label));
		table_text(&t, buf_string(&stack));
	}
	ret = stack.failed ? -ENOMEM : render_csv(&t, out);
	buf_release(&stack);
	table_release(&t);
	return ret;
}

int view_print_traces(const struct view *v, FILE *out)
{
	size_t limit = path_limit(v);

	if (v->options->format == VIEW_CSV)
		return print_csv(v, limit, out);
	if (v->options->format == VIEW_JSON)
		print_json(v, limit, out);
	else
		print_text(v, limit, out);
	return 0;
}
