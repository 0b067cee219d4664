/* SPDX-License-Identifier: MIT */
/* --top: one row per entry, as `pprof -top` prints it. */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/show/render.h"
#include "analyzer/views/views_model.h"

#define TOP_ROWS 20

static size_t row_limit(const struct view_options *o, size_t len)
{
	size_t limit = o->nodecount ? o->nodecount : TOP_ROWS;

	return o->is_unlimited || limit > len ? len : limit;
}

static void put_summary(const struct view *v, int64_t shown, size_t limit, size_t len, FILE *out)
{
	char flat[RENDER_NUMBER_MAX], total[RENDER_NUMBER_MAX], share[RENDER_NUMBER_MAX];

	fprintf(out, "Showing nodes accounting for %s, %s of %s total\n", render_scaled(flat, v->unit, shown, v->total),
		render_percent(share, view_share(shown, v->total)), render_value(total, v->unit, v->total));
	if (limit < len)
		fprintf(out, "Showing top %zu nodes out of %zu\n", limit, len);
}

static void put_row(const struct view *v, const struct view_entry *e, int64_t sum, FILE *out)
{
	char flat[RENDER_NUMBER_MAX], cum[RENDER_NUMBER_MAX], share[3][RENDER_NUMBER_MAX];
	struct buf name = { 0 };

	view_entry_name(&name, v, e);
	fprintf(out, "%10s %6s %6s %10s %6s  %s\n", render_scaled(flat, v->unit, e->flat, v->total),
		render_percent(share[0], view_share(e->flat, v->total)),
		render_percent(share[1], view_share(sum, v->total)), render_scaled(cum, v->unit, e->cum, v->total),
		render_percent(share[2], view_share(e->cum, v->total)), buf_string(&name));
	buf_release(&name);
}

static void print_text(const struct view *v, const uint32_t *order, size_t limit, size_t len, FILE *out)
{
	int64_t shown = 0, sum = 0;

	for (size_t i = 0; i < limit; i++)
		shown = view_add(shown, v->entries[order[i]].flat);
	view_head_text(v, out);
	put_summary(v, shown, limit, len, out);
	fprintf(out, "%s%10s %6s %6s %10s %6s%s\n", v->options->use_color ? "\033[1m" : "", "flat", "flat%", "sum%",
		"cum", "cum%", v->options->use_color ? "\033[0m" : "");
	for (size_t i = 0; i < limit; i++) {
		sum = view_add(sum, v->entries[order[i]].flat);
		put_row(v, &v->entries[order[i]], sum, out);
	}
	view_notes_text(v, out);
}

static void print_json(const struct view *v, const uint32_t *order, size_t limit, FILE *out)
{
	int64_t sum = 0;
	struct json j;

	json_init(&j, out);
	j.pretty_depth = 2;
	view_head_json(v, "top", &j);
	json_begin_array(&j);
	for (size_t i = 0; i < limit; i++) {
		const struct view_entry *e = &v->entries[order[i]];

		sum = view_add(sum, e->flat);
		json_begin_object(&j);
		view_entry_json(e, &j);
		json_field_i64(&j, "flat", e->flat);
		json_field_f64(&j, "flat_share", view_share(e->flat, v->total));
		json_field_f64(&j, "sum_share", view_share(sum, v->total));
		json_field_i64(&j, "cum", e->cum);
		json_field_f64(&j, "cum_share", view_share(e->cum, v->total));
		json_end(&j);
	}
	json_end(&j);
	view_notes_json(v, &j);
	json_finish(&j);
}

static int print_csv(const struct view *v, const uint32_t *order, size_t limit, FILE *out)
{
	struct table t;
	int ret;

	table_init(&t, "top");
	table_column(&t, "flat", "flat", v->unit);
	table_column(&t, "cum", "cum", v->unit);
	table_column(&t, "function", "function", UNIT_TEXT);
	table_column(&t, "file", "file", UNIT_TEXT);
	table_column(&t, "line", "line", UNIT_COUNT);
	table_column(&t, "module", "module", UNIT_TEXT);
	for (size_t i = 0; i < limit; i++) {
		const struct view_entry *e = &v->entries[order[i]];
		const struct frame *frame = e->frame;

		table_row(&t);
		table_number(&t, e->flat);
		table_number(&t, e->cum);
		table_text(&t, frame->function);
		table_text(&t, frame->decl_file ? frame->decl_file : frame->file);
		table_number(&t, frame->decl_file ? frame->decl_line : frame->line);
		table_text(&t, frame->module);
	}
	ret = render_csv(&t, out);
	table_release(&t);
	return ret;
}

int view_print_top(const struct view *v, FILE *out)
{
	size_t len, limit;
	uint32_t *order = view_order(v, v->options->sort_cum, &len);
	int ret = 0;

	if (!order)
		return -ENOMEM;
	limit = row_limit(v->options, len);
	if (v->options->format == VIEW_JSON)
		print_json(v, order, limit, out);
	else if (v->options->format == VIEW_CSV)
		ret = print_csv(v, order, limit, out);
	else
		print_text(v, order, limit, len, out);
	free(order);
	return ret;
}
