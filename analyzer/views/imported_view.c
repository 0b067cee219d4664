/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "analyzer/views/imported_view.h"
#include "analyzer/views/views.h"

/* ---- text ----------------------------------------------------------------------------------------------------- */

static void print_title(const struct imported_view *v, FILE *out)
{
	const struct import *im = v->import;
	char duration[RENDER_NUMBER_MAX], date[32];
	time_t seconds = (time_t)(im->start_realtime_ns / 1000000000);
	struct tm tm;

	safe_puts(v->path, out);
	fprintf(out, ": %s%s", im->format->words, *im->program ? " of " : "");
	safe_puts(im->program, out);
	if (im->profile.duration_ns)
		fprintf(out, ", %s", render_duration(duration, (int64_t)im->profile.duration_ns));
	if (im->start_realtime_ns && localtime_r(&seconds, &tm) && strftime(date, sizeof(date), "%F %T", &tm))
		fprintf(out, ", %s", date);
	fprintf(out, "\n%zu %s", im->profile.rows_len, im->profile.rows_len == 1 ? "stack" : "stacks");
	if (im->modules_len)
		fprintf(out, " in %zu %s", im->modules_len, im->modules_len == 1 ? "module" : "modules");
	fputs("; it has sums, no events\n", out);
}

static int print_totals(const struct imported_view *v, FILE *out)
{
	const struct profile *p = &v->import->profile;
	struct table t;
	int err;

	table_init(&t, "totals");
	table_column(&t, "number", "name", UNIT_TEXT);
	table_column(&t, "total", "total", UNIT_TEXT);
	if (t.columns_len)
		t.columns[t.columns_len - 1].is_left = false; /* numbers of different units */
	table_column(&t, "", "words", UNIT_TEXT);
	for (size_t i = 0; i < p->values_len; i++) {
		char total[RENDER_NUMBER_MAX];

		table_row(&t);
		table_text(&t, p->values[i].name);
		table_text(&t, render_value(total, p->values[i].unit, profile_total(p, i)));
		table_text(&t, p->values[i].words);
	}
	err = render_text(&t, &v->style, out);
	table_release(&t);
	return err;
}

static double share(int64_t value, int64_t total)
{
	return total ? (double)value / (double)total : 0;
}

static int print_functions(const struct imported_view *v, size_t value, FILE *out)
{
	const struct profile *p = &v->import->profile;
	struct view_function *list;
	long len = view_top_functions(p, v->import->stacks, value, false, &list);
	int64_t total = profile_total(p, value);
	struct table t;
	int err;

	if (len <= 0) {
		free(list);
		return (int)len;
	}
	table_init(&t, p->values[value].name);
	table_column(&t, "flat", "flat", p->values[value].unit);
	table_column(&t, "flat%", "flat_share", UNIT_PERCENT);
	table_column(&t, "cum", "cum", p->values[value].unit);
	table_column(&t, "cum%", "cum_share", UNIT_PERCENT);
	table_column(&t, "", "function", UNIT_TEXT);
	for (long i = 0; i < len; i++) {
		struct buf name = { 0 };

		view_frame_name(&name, list[i].frame);
		table_row(&t);
		table_number(&t, list[i].flat);
		table_real(&t, share(list[i].flat, total));
		table_number(&t, list[i].cum);
		table_real(&t, share(list[i].cum, total));
		table_text(&t, buf_string(&name));
		t.failed |= name.failed;
		buf_release(&name);
	}
	free(list);
	table_cut(&t, v->top);
	fprintf(out, "\n%s%s%s\n", v->style.use_color ? "\033[1m" : "", p->values[value].name,
		v->style.use_color ? "\033[0m" : "");
	err = render_text(&t, &v->style, out);
	table_release(&t);
	return err;
}

int imported_text(const struct imported_view *v, FILE *out)
{
	const struct import *im = v->import;
	int err;

	print_title(v, out);
	fputc('\n', out);
	err = print_totals(v, out);
	for (size_t i = 0; !err && i < im->profile.values_len; i++)
		err = print_functions(v, i, out);
	fputc('\n', out);
	for (size_t i = 0; i < im->profile.notes_len; i++) {
		fputs("note: ", out);
		render_wrapped(im->profile.notes[i], v->style.width, 6, 6, out);
	}
	fprintf(out,
		"next: `ringside %s` with its views (--tree, --peek, --traces), `ringside diff` against a recording\n",
		import_command(im->subject));
	return err ? err : ferror(out) ? -EIO : 0;
}

/* ---- JSON ----------------------------------------------------------------------------------------------------- */

static int put_functions(const struct imported_view *v, size_t value, struct json *j)
{
	struct view_function *list;
	long len = view_top_functions(&v->import->profile, v->import->stacks, value, false, &list);

	json_key(j, "functions");
	json_begin_array(j);
	for (long i = 0; i < len && (size_t)i < v->top; i++) {
		json_begin_object(j);
		json_field_string(j, "function", list[i].frame->function);
		json_field_string(j, "file", list[i].frame->file);
		json_field_string(j, "module", list[i].frame->module);
		json_field_i64(j, "flat", list[i].flat);
		json_field_i64(j, "cum", list[i].cum);
		json_end(j);
	}
	json_end(j);
	free(list);
	return len < 0 ? (int)len : 0;
}

static int put_numbers(const struct imported_view *v, struct json *j)
{
	const struct profile *p = &v->import->profile;
	int err = 0;

	json_key(j, "numbers");
	json_begin_array(j);
	for (size_t i = 0; !err && i < p->values_len; i++) {
		enum unit unit = p->values[i].unit;

		json_begin_object(j);
		json_field_string(j, "name", p->values[i].name);
		json_field_string(j, "unit", unit == UNIT_BYTES ? "bytes" : unit == UNIT_NS ? "ns" : "count");
		json_field_i64(j, "total", profile_total(p, i));
		err = put_functions(v, i, j);
		json_end(j);
	}
	json_end(j);
	return err;
}

int imported_json(const struct imported_view *v, FILE *out)
{
	const struct import *im = v->import;
	struct json j;
	int err;

	json_init(&j, out);
	json_begin_object(&j);
	json_field_string(&j, "schema", "ringside.import/1");
	json_field_string(&j, "format", im->format->name);
	json_field_string(&j, "file", v->path);
	json_field_string(&j, "program", *im->program ? im->program : NULL);
	json_field_string(&j, "profile", im->subject == IMPORT_OTHER ? NULL : import_command(im->subject));
	json_field_u64(&j, "start_realtime_ns", im->start_realtime_ns);
	json_field_u64(&j, "duration_ns", im->profile.duration_ns);
	json_field_u64(&j, "stacks", im->profile.rows_len);
	err = put_numbers(v, &j);
	json_key(&j, "notes");
	json_begin_array(&j);
	for (size_t i = 0; i < im->profile.notes_len; i++)
		json_string(&j, im->profile.notes[i]);
	json_end(&j);
	json_end(&j);
	return err ? err : json_finish(&j);
}
