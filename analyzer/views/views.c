/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/demangle.h"
#include "analyzer/show/render.h"
#include "analyzer/views/views_model.h"
#include "format/kinds.h"

/* ---- names ---- */

void view_function_name(struct buf *out, const struct view_options *options, const struct frame *frame)
{
	char *name = NULL;

	if (!(options && options->full_names) && strpbrk(frame->function, "(<"))
		name = demangle_short(frame->function, VIEW_TEMPLATE_KEEP);
	buf_add_string(out, name && name[0] ? name : frame->function);
	free(name);
}

static void add_safe(struct buf *out, const char *text)
{
	buf_add_safe(out, text, strlen(text));
}

static void add_place(struct buf *out, const char *file, uint32_t line)
{
	buf_add_string(out, " (");
	add_safe(out, path_base(file));
	if (line)
		buf_printf(out, ":%u", line);
	buf_add_char(out, ')');
}

static void add_function(struct buf *out, const struct view_options *options, const struct frame *frame)
{
	struct buf name = { 0 };

	view_function_name(&name, options, frame);
	add_safe(out, buf_string(&name));
	buf_release(&name);
}

static bool names_module(const struct frame *frame)
{
	return frame->source == FRAME_OFFSET || !frame->module;
}

int view_frame_name(struct buf *out, const struct frame *frame)
{
	add_function(out, NULL, frame);
	if (frame->file)
		add_place(out, frame->file, frame->line);
	else if (!names_module(frame))
		add_place(out, frame->module, 0);
	return out->failed ? -ENOMEM : 0;
}

/* A function is shown where it is declared, a line where it is. */
static void add_entry_place(struct buf *out, const struct view *v, const struct frame *frame)
{
	enum view_granularity granularity = v->options->granularity;

	if (granularity == VIEW_FUNCTIONS && frame->decl_file)
		add_place(out, frame->decl_file, frame->decl_line);
	else if (frame->file)
		add_place(out, frame->file, granularity == VIEW_FUNCTIONS ? 0 : frame->line);
	else if (!names_module(frame))
		add_place(out, frame->module, 0);
}

void view_entry_name(struct buf *out, const struct view *v, const struct view_entry *entry)
{
	const struct frame *frame = entry->frame;
	enum view_granularity granularity = v->options->granularity;

	if (granularity == VIEW_FILES && frame->file) {
		add_safe(out, source_shown(frame->file, &v->options->source));
		return;
	}
	if (granularity == VIEW_FILES || granularity == VIEW_MODULES) {
		add_safe(out, frame->module_path ? frame->module_path : "[unknown]");
		return;
	}
	if (granularity == VIEW_ADDRESSES)
		buf_printf(out, "%016llx ", (unsigned long long)frame->address);
	add_function(out, v->options, frame);
	add_entry_place(out, v, frame);
	if (entry->is_inlined)
		buf_add_string(out, entry->is_called ? " (partial-inline)" : " (inline)");
}

/* ---- JSON of frames ---- */

void view_frame_json(struct json *j, const struct frame *frame)
{
	json_begin_object(j);
	json_field_string(j, "function", frame->function);
	json_field_string(j, "file", frame->file);
	json_field_u64(j, "line", frame->line);
	json_field_string(j, "module", frame->module);
	json_field_bool(j, "inlined", frame->inlined);
	json_end(j);
}

int view_stack_json(struct json *j, struct stacks *stacks, struct stack_id id)
{
	struct frames frames = { 0 };
	int ret = stacks_frames(stacks, id, &frames);

	json_begin_array(j);
	for (size_t i = 0; i < frames.len; i++)
		view_frame_json(j, frames.list[i]);
	json_end(j);
	frames_release(&frames);
	return ret;
}

void view_entry_json(const struct view_entry *entry, struct json *j)
{
	const struct frame *frame = entry->frame;

	json_field_string(j, "function", frame->function);
	json_field_string(j, "file", frame->decl_file ? frame->decl_file : frame->file);
	json_field_u64(j, "line", frame->decl_file ? frame->decl_line : frame->line);
	json_field_string(j, "module", frame->module);
	json_field_bool(j, "inlined", entry->is_inlined && !entry->is_called);
}

/* ---- head and notes ---- */

static const struct profile_value *shown_value(const struct view *v)
{
	return &v->profile->values[v->value];
}

static void put_filter(const char *name, const char *text, bool *any, FILE *out)
{
	if (!text)
		return;
	if (!*any)
		fputs("Active filters:\n", out);
	*any = true;
	fprintf(out, "   %s=", name);
	safe_puts(text, out);
	fputc('\n', out);
}

void view_head_text(const struct view *v, FILE *out)
{
	char total[RENDER_NUMBER_MAX], duration[RENDER_NUMBER_MAX];
	const struct profile_value *value = shown_value(v);
	bool any = false;

	fprintf(out, "Type: %s", value->name);
	if (value->words)
		fprintf(out, " (%s)", value->words);
	fprintf(out, "\n");
	if (v->profile->duration_ns)
		fprintf(out, "Duration: %s, Total = %s\n", render_duration(duration, (int64_t)v->profile->duration_ns),
			render_value(total, v->unit, v->total));
	if (v->options->base) {
		fputs("Difference to: ", out);
		safe_puts(v->options->base_path, out);
		fputs(", whose total is 100%\n", out);
	}
	put_filter("focus", v->options->focus, &any, out);
	put_filter("ignore", v->options->ignore, &any, out);
	put_filter("hide", v->options->hide, &any, out);
	put_filter("label", v->options->label, &any, out);
}

/* The share of the numbers whose stacks end too early, and the main reason; "" when all are whole. */
static void add_cut_note(const struct view *v, struct buf *out)
{
	char share[RENDER_NUMBER_MAX];
	unsigned worst = CUT_NONE;
	int64_t sum = 0;

	for (unsigned cut = CUT_NONE + 1; cut < VIEW_CUTS; cut++) {
		sum = view_add(sum, v->cut_totals[cut]);
		if (!worst || v->cut_totals[cut] > v->cut_totals[worst])
			worst = cut;
	}
	if (!sum)
		return;
	if (view_share(sum, v->total) < 0.0001)
		snprintf(share, sizeof(share), "less than 0.01%%");
	else
		render_percent(share, view_share(sum, v->total));
	buf_printf(out,
		   "%s of the total is in stacks that end early (%s%s): callers missing there have too small a cum",
		   share, v->cut_totals[worst] < sum ? "mostly: " : "", cut_words(worst));
}

static void put_note(const char *note, FILE *out)
{
	fputs("note: ", out);
	safe_puts(note, out);
	fputc('\n', out);
}

void view_notes_text(const struct view *v, FILE *out)
{
	struct symbols *symbols = stacks_symbols(v->stacks);
	struct buf cut = { 0 };
	const char *note;

	add_cut_note(v, &cut);
	if (cut.len)
		fprintf(out, "note: %s\n", cut.data);
	buf_release(&cut);
	for (size_t i = 0; i < v->profile->notes_len; i++)
		put_note(v->profile->notes[i], out);
	for (size_t i = 0; (note = symbols_note(symbols, i)); i++)
		put_note(note, out);
}

static const char *unit_name(enum unit unit)
{
	return unit == UNIT_BYTES ? "bytes" : unit == UNIT_NS ? "ns" : "count";
}

static void put_filters_json(const struct view_options *o, struct json *j)
{
	json_key(j, "filters");
	json_begin_object(j);
	if (o->focus)
		json_field_string(j, "focus", o->focus);
	if (o->ignore)
		json_field_string(j, "ignore", o->ignore);
	if (o->hide)
		json_field_string(j, "hide", o->hide);
	if (o->label)
		json_field_string(j, "label", o->label);
	if (o->pattern)
		json_field_string(j, "pattern", o->pattern);
	json_end(j);
}

void view_head_json(const struct view *v, const char *view_name, struct json *j)
{
	json_begin_object(j);
	json_field_string(j, "schema", "ringside.profile/1");
	json_field_string(j, "profile", v->profile->title);
	json_field_string(j, "view", view_name);
	json_key(j, "sample");
	json_begin_object(j);
	json_field_string(j, "name", shown_value(v)->name);
	json_field_string(j, "unit", unit_name(v->unit));
	json_end(j);
	json_field_u64(j, "duration_ns", v->profile->duration_ns);
	json_field_i64(j, "total", v->total);
	if (v->options->base)
		json_field_string(j, "diff_base", v->options->base_path);
	put_filters_json(v->options, j);
	json_key(j, "rows");
}

void view_notes_json(const struct view *v, struct json *j)
{
	struct symbols *symbols = stacks_symbols(v->stacks);
	struct buf cut = { 0 };
	const char *note;

	json_key(j, "notes");
	json_begin_array(j);
	add_cut_note(v, &cut);
	if (cut.len)
		json_string(j, cut.data);
	buf_release(&cut);
	for (size_t i = 0; i < v->profile->notes_len; i++)
		json_string(j, v->profile->notes[i]);
	for (size_t i = 0; (note = symbols_note(symbols, i)); i++)
		json_string(j, note);
	json_end(j);
	json_end(j);
}

/* ---- dispatch ---- */

static int print_with_pattern(const struct view *v, FILE *out, struct buf *error)
{
	const struct view_options *o = v->options;
	bool is_list = o->kind == VIEW_LIST;
	struct view_pattern *pattern;
	int ret;

	if (!o->pattern || !o->pattern[0]) {
		buf_printf(error, "%s wants a pattern: which functions", is_list ? "--list" : "--peek");
		return -EINVAL;
	}
	ret = view_pattern_new(&pattern, o->pattern, is_list ? "--list" : "--peek", error);
	if (ret)
		return ret;
	ret = -ENOENT;
	for (size_t i = 0; i < v->entries_len && ret; i++)
		if (v->entries[i].cum && view_pattern_matches_function(pattern, v->entries[i].frame))
			ret = 0;
	if (ret)
		buf_printf(error,
			   o->base ? "no function that matches '%s' differs"
				   : "no function in this profile matches '%s'",
			   o->pattern);
	else if (is_list)
		ret = view_print_list(v, pattern, out);
	else
		ret = view_print_tree(v, "peek", pattern, out);
	view_pattern_free(pattern);
	return ret;
}

int views_print(const struct profile *profile, struct stacks *stacks, const struct view_options *options, FILE *out,
		struct buf *error)
{
	/* A source line belongs to --list; of the other views only the tree and top know finer entries. */
	enum view_granularity granularity = options->kind == VIEW_LIST ? VIEW_LINES : options->granularity;
	struct view v;
	int ret = view_build(&v, profile, stacks, options, granularity, error);

	if (!ret) {
		switch (options->kind) {
		case VIEW_TOP:
			ret = view_print_top(&v, out);
			break;
		case VIEW_TREE:
			ret = view_print_tree(&v, "tree", NULL, out);
			break;
		case VIEW_TRACES:
			ret = view_print_traces(&v, out);
			break;
		case VIEW_PEEK:
		case VIEW_LIST:
			ret = print_with_pattern(&v, out, error);
			break;
		}
	}
	view_release(&v);
	if (!ret && ferror(out))
		ret = -EIO;
	return ret;
}

/* ---- summaries ---- */

long view_top_functions(const struct profile *profile, struct stacks *stacks, size_t index, bool by_cum,
			struct view_function **list)
{
	struct view_options options = { 0 };
	struct buf error = { 0 };
	uint32_t *order = NULL;
	size_t len = 0;
	struct view v;
	int ret;

	*list = NULL;
	if (index >= profile->values_len)
		return 0;
	options.sample = profile->values[index].name;
	ret = view_build(&v, profile, stacks, &options, VIEW_FUNCTIONS, &error);
	if (!ret)
		order = view_order(&v, by_cum, &len);
	*list = order ? malloc((len + 1) * sizeof(**list)) : NULL;
	for (size_t i = 0; *list && i < len; i++) {
		const struct view_entry *e = &v.entries[order[i]];

		(*list)[i] = (struct view_function){ e->frame, e->flat, e->cum };
	}
	free(order);
	buf_release(&error);
	view_release(&v);
	return *list ? (long)len : -ENOMEM;
}
