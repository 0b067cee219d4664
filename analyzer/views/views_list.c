/* SPDX-License-Identifier: MIT */
/*
 * --list: the source of matching functions with flat and cum beside each line.
 *
 * The model is built with one entry per function, file and line, so an entry's numbers are a line's numbers. A
 * routine is one function in one file (code included from elsewhere makes a routine of its own).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/show/render.h"
#include "analyzer/views/views_model.h"

#define LIST_CONTEXT 5u	  /* lines shown around the measured ones */
#define LIST_HEAD_MAX 60u /* the function's first line is shown if it is not farther away than this */
#define LIST_GAP_MAX 40u  /* longer stretches without numbers are left out */

struct routine {
	const struct frame *frame;
	int64_t flat, cum;
	uint32_t last_path;
	uint32_t *lines; /* entries, by line */
	size_t len, cap;
};

struct routines {
	struct routine *list;
	size_t len, cap;
	uint32_t *of_entry; /* entry -> routine + 1, 0: does not match */
	struct map index;
};

static uint64_t routine_key(const struct frame *f)
{
	uintptr_t key[3] = { (uintptr_t)f->function, (uintptr_t)(f->decl_file ? f->decl_file : f->module_path),
			     (uintptr_t)f->file };

	return hash_bytes(key, sizeof(key));
}

static struct routine *routine_of(struct routines *r, const struct frame *frame)
{
	bool is_new;
	uint64_t *at;

	if (r->len == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 16;
		struct routine *list = realloc(r->list, cap * sizeof(*list));

		if (!list)
			return NULL;
		r->list = list;
		r->cap = cap;
	}
	at = map_at(&r->index, routine_key(frame), &is_new);
	if (!at)
		return NULL;
	if (is_new) {
		r->list[r->len] = (struct routine){ .frame = frame };
		*at = r->len++;
	}
	return &r->list[*at];
}

static int routine_add(struct routine *routine, uint32_t entry)
{
	if (routine->len == routine->cap) {
		size_t cap = routine->cap ? routine->cap * 2 : 16;
		uint32_t *lines = realloc(routine->lines, cap * sizeof(*lines));

		if (!lines)
			return -ENOMEM;
		routine->lines = lines;
		routine->cap = cap;
	}
	routine->lines[routine->len++] = entry;
	return 0;
}

/* flat and cum of routines: as of entries, but a stack through several lines of one counts once. */
static void account(struct routines *r, const struct view *v)
{
	for (size_t p = 0; p < v->paths_len; p++) {
		const struct view_path *path = &v->paths[p];

		for (uint32_t i = 0; i < path->len; i++) {
			uint32_t which = r->of_entry[v->steps[path->first + i].entry];
			struct routine *routine = which ? &r->list[which - 1] : NULL;

			if (routine && !i)
				routine->flat = view_add(routine->flat, path->value);
			if (!routine || routine->last_path == p + 1)
				continue;
			routine->last_path = (uint32_t)p + 1;
			routine->cum = view_add(routine->cum, path->value);
		}
	}
}

static int compare_lines(const void *pa, const void *pb, void *arg)
{
	const struct view_entry *entries = arg;
	uint32_t a = entries[*(const uint32_t *)pa].frame->line, b = entries[*(const uint32_t *)pb].frame->line;

	return a < b ? -1 : a > b;
}

static int compare_routines(const void *pa, const void *pb)
{
	const struct routine *a = pa, *b = pb;

	if (a->cum != b->cum)
		return a->cum > b->cum ? -1 : 1;
	return strcmp(a->frame->function, b->frame->function);
}

static int routines_init(struct routines *r, const struct view *v, const struct view_pattern *pattern)
{
	*r = (struct routines){ 0 };
	r->of_entry = calloc(v->entries_len + 1, sizeof(*r->of_entry));
	if (!r->of_entry)
		return -ENOMEM;
	for (size_t i = 0; i < v->entries_len; i++) {
		const struct view_entry *entry = &v->entries[i];
		struct routine *routine;

		if (!entry->cum || !view_pattern_matches_function(pattern, entry->frame))
			continue;
		routine = routine_of(r, entry->frame);
		if (!routine || routine_add(routine, (uint32_t)i))
			return -ENOMEM;
		r->of_entry[i] = (uint32_t)(routine - r->list) + 1;
	}
	account(r, v);
	for (size_t i = 0; i < r->len; i++)
		qsort_r(r->list[i].lines, r->list[i].len, sizeof(uint32_t), compare_lines, v->entries);
	if (r->len)
		qsort(r->list, r->len, sizeof(*r->list), compare_routines);
	return 0;
}

static void routines_release(struct routines *r)
{
	for (size_t i = 0; i < r->len; i++)
		free(r->list[i].lines);
	free(r->list);
	free(r->of_entry);
	map_release(&r->index);
}

/* ---- text ---- */

static void put_line(const struct view *v, const struct view_entry *entry, uint32_t line, const char *text, FILE *out)
{
	char flat[RENDER_NUMBER_MAX] = ".", cum[RENDER_NUMBER_MAX] = ".";

	if (entry && entry->flat)
		render_scaled(flat, v->unit, entry->flat, v->total);
	if (entry && entry->cum)
		render_scaled(cum, v->unit, entry->cum, v->total);
	fprintf(out, "%10s %10s %6u:", flat, cum, line);
	for (; text && *text == '\t'; text++)
		fputs("    ", out);
	safe_puts(text, out);
	fputc('\n', out);
}

static const char *text_of(const struct source_file *source, uint32_t line)
{
	return line && line <= source->len ? source->lines[line - 1] : NULL;
}

static uint32_t first_line(const struct frame *frame, uint32_t first_measured)
{
	bool has_head = frame->decl_file && frame->decl_line && frame->decl_file == frame->file &&
			frame->decl_line <= first_measured && first_measured - frame->decl_line <= LIST_HEAD_MAX;

	if (has_head)
		return frame->decl_line;
	return first_measured > LIST_CONTEXT ? first_measured - LIST_CONTEXT : 1;
}

/* From the function's head to a little below its last measured line; long stretches without numbers are cut. */
static void put_source(const struct view *v, const struct routine *r, const struct source_file *source, FILE *out)
{
	uint32_t at = first_line(r->frame, v->entries[r->lines[0]].frame->line);

	for (size_t i = 0; i <= r->len; i++) {
		const struct view_entry *entry = i < r->len ? &v->entries[r->lines[i]] : NULL;
		uint32_t line = entry ? entry->frame->line : at + LIST_CONTEXT;

		if (entry && line > at && line - at > LIST_GAP_MAX) {
			for (uint32_t end = at + LIST_CONTEXT; at < end; at++)
				put_line(v, NULL, at, text_of(source, at), out);
			fprintf(out, "%10s %10s %6s\n", "...", "...", "...");
			at = line - LIST_CONTEXT;
		}
		for (; at < line && at <= source->len; at++)
			put_line(v, NULL, at, text_of(source, at), out);
		if (entry) {
			put_line(v, entry, line, text_of(source, line), out);
			at = line + 1;
		}
	}
}

static void put_missing(const struct view *v, const struct routine *r, int err, FILE *out)
{
	const struct frame *frame = r->frame;

	for (size_t i = 0; frame->file && i < r->len; i++) {
		const struct view_entry *entry = &v->entries[r->lines[i]];

		put_line(v, entry, entry->frame->line, NULL, out);
	}
	fputs("  ", out);
	if (!frame->file) {
		fputs("no line information: build with -g, or install the debug symbols of ", out);
		safe_puts(frame->module ? frame->module : "it", out);
	} else {
		fputs("source not shown: ", out);
		safe_puts(frame->file, out);
		fprintf(out, ": %s; tell where it is with --source-path DIR, perhaps with --trim-path PREFIX",
			strerror(-err));
	}
	fputc('\n', out);
}

static void put_routine(const struct view *v, const struct routine *r, FILE *out)
{
	char flat[RENDER_NUMBER_MAX], cum[RENDER_NUMBER_MAX], share[RENDER_NUMBER_MAX];
	const struct frame *frame = r->frame;
	struct source_file source = { 0 };
	struct buf name = { 0 };
	int err = frame->file ? source_open(&source, frame->file, &v->options->source) : -ENOENT;

	view_function_name(&name, v->options, frame);
	fprintf(out, "ROUTINE ======================== ");
	safe_puts(buf_string(&name), out);
	fputs(" in ", out);
	safe_puts(frame->file ? source_shown(frame->file, &v->options->source) : frame->module_path, out);
	fprintf(out, "\n%10s %10s (flat, cum) %s of Total\n", render_scaled(flat, v->unit, r->flat, v->total),
		render_scaled(cum, v->unit, r->cum, v->total), render_percent(share, view_share(r->cum, v->total)));
	if (err || !v->entries[r->lines[r->len - 1]].frame->line)
		put_missing(v, r, err, out);
	else
		put_source(v, r, &source, out);
	source_release(&source);
	buf_release(&name);
}

static void print_text(const struct view *v, const struct routines *r, FILE *out)
{
	char total[RENDER_NUMBER_MAX];

	view_head_text(v, out);
	fprintf(out, "Total: %s\n", render_value(total, v->unit, v->total));
	for (size_t i = 0; i < r->len; i++)
		put_routine(v, &r->list[i], out);
	view_notes_text(v, out);
}

/* ---- JSON and CSV ---- */

static void put_routine_json(const struct view *v, const struct routine *r, struct json *j)
{
	struct source_file source = { 0 };
	int err = r->frame->file ? source_open(&source, r->frame->file, &v->options->source) : -ENOENT;

	json_begin_object(j);
	json_field_string(j, "function", r->frame->function);
	json_field_string(j, "file", r->frame->file);
	json_field_u64(j, "line", r->frame->decl_line);
	json_field_string(j, "module", r->frame->module);
	json_field_i64(j, "flat", r->flat);
	json_field_i64(j, "cum", r->cum);
	json_field_f64(j, "cum_share", view_share(r->cum, v->total));
	json_field_string(j, "source", err ? NULL : source.path);
	json_key(j, "lines");
	json_begin_array(j);
	for (size_t i = 0; i < r->len; i++) {
		const struct view_entry *entry = &v->entries[r->lines[i]];

		json_begin_object(j);
		json_field_u64(j, "line", entry->frame->line);
		json_field_i64(j, "flat", entry->flat);
		json_field_i64(j, "cum", entry->cum);
		json_field_string(j, "text", text_of(&source, entry->frame->line));
		json_end(j);
	}
	json_end(j);
	json_end(j);
	source_release(&source);
}

static void print_json(const struct view *v, const struct routines *r, FILE *out)
{
	struct json j;

	json_init(&j, out);
	j.pretty_depth = 2;
	view_head_json(v, "list", &j);
	json_begin_array(&j);
	for (size_t i = 0; i < r->len; i++)
		put_routine_json(v, &r->list[i], &j);
	json_end(&j);
	view_notes_json(v, &j);
	json_finish(&j);
}

static int print_csv(const struct view *v, const struct routines *r, FILE *out)
{
	struct table t;
	int ret;

	table_init(&t, "list");
	table_column(&t, "function", "function", UNIT_TEXT);
	table_column(&t, "file", "file", UNIT_TEXT);
	table_column(&t, "line", "line", UNIT_COUNT);
	table_column(&t, "flat", "flat", v->unit);
	table_column(&t, "cum", "cum", v->unit);
	for (size_t i = 0; i < r->len; i++) {
		for (size_t k = 0; k < r->list[i].len; k++) {
			const struct view_entry *entry = &v->entries[r->list[i].lines[k]];

			table_row(&t);
			table_text(&t, entry->frame->function);
			table_text(&t, entry->frame->file);
			table_number(&t, entry->frame->line);
			table_number(&t, entry->flat);
			table_number(&t, entry->cum);
		}
	}
	ret = render_csv(&t, out);
	table_release(&t);
	return ret;
}

int view_print_list(const struct view *v, const struct view_pattern *pattern, FILE *out)
{
	struct routines routines;
	int ret = routines_init(&routines, v, pattern);

	if (!ret && v->options->format == VIEW_CSV)
		ret = print_csv(v, &routines, out);
	else if (!ret && v->options->format == VIEW_JSON)
		print_json(v, &routines, out);
	else if (!ret)
		print_text(v, &routines, out);
	routines_release(&routines);
	return ret;
}
