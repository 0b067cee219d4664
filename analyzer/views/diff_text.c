/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "analyzer/commands/session.h"
#include "analyzer/show/render.h"
#include "analyzer/views/diff_view.h"

static void number_cell(struct table *t, enum unit unit, double value, bool has_sign)
{
	struct buf text = { 0 };

	if (has_sign && value > 0)
		buf_add_char(&text, '+');
	diff_number(&text, unit, value);
	table_text(t, buf_string(&text));
	t->failed |= text.failed;
	buf_release(&text);
}

static void ratio_cell(struct table *t, double old, double new)
{
	if (old > 0)
		table_textf(t, "%.4g", new / old);
	else
		table_text(t, new > 0 ? "-" : "1");
}

static void right_column(struct table *t, const char *title)
{
	table_column(t, title, title, UNIT_TEXT);
	if (t->columns_len)
		t->columns[t->columns_len - 1].is_left = false;
}

static void change_columns(struct table *t)
{
	right_column(t, "old");
	right_column(t, "new");
	right_column(t, "delta");
	right_column(t, "ratio");
}

static void change_cells(struct table *t, enum unit unit, double old, double new)
{
	number_cell(t, unit, old, false);
	number_cell(t, unit, new, false);
	number_cell(t, unit, new - old, true);
	ratio_cell(t, old, new);
}

static int print_totals(const struct diff_view *v, const struct render_style *style, FILE *out)
{
	const struct diff *d = v->d;
	struct table t;
	int err;

	table_init(&t, "totals");
	table_column(&t, "", "name", UNIT_TEXT);
	change_columns(&t);
	table_column(&t, "", "words", UNIT_TEXT);
	for (size_t i = 0; i < d->values_len; i++) {
		const struct diff_value *value = &d->values[i];

		if (!value->is_main && value != v->sample)
			continue;
		table_row(&t);
		table_text(&t, value->name);
		change_cells(&t, value->unit, value->total[ALIGN_OLD], value->total[ALIGN_NEW]);
		table_textf(&t, "%s%s%s", value->words ? value->words : "",
			    d->unit && !value->is_momentary ? ", per " : "",
			    d->unit && !value->is_momentary ? d->unit : "");
	}
	err = render_text(&t, style, out);
	table_release(&t);
	return err;
}

static void place_row(const struct diff_view *v, struct table *t, const struct diff_value *value,
		      const struct diff_row *row)
{
	double noise = diff_noise(v->d, value, row);
	struct buf name = { 0 };

	table_row(t);
	change_cells(t, value->unit, diff_of(v->d, value, row, ALIGN_OLD), diff_of(v->d, value, row, ALIGN_NEW));
	if (value->subject == DIFF_CPU)
		number_cell(t, value->unit, noise, false);
	table_text(t, diff_row_state(row));
	diff_row_name(v->d, value, row, &name);
	table_text(t, buf_string(&name));
	t->failed |= name.failed;
	buf_release(&name);
}

static bool is_chance(const struct diff *d, const struct diff_value *value, const struct diff_row *row)
{
	return fabs(diff_of(d, value, row, ALIGN_NEW) - diff_of(d, value, row, ALIGN_OLD)) <= diff_noise(d, value, row);
}

static int print_places(const struct diff_view *v, const struct diff_value *value, const struct render_style *style,
			FILE *out)
{
	size_t len, chance = 0;
	const struct diff_row **rows = diff_order(v->d, value, &len);
	struct table t;
	int err = rows ? 0 : -ENOMEM;

	table_init(&t, value->name);
	change_columns(&t);
	if (value->subject == DIFF_CPU)
		right_column(&t, "chance");
	table_column(&t, "", "state", UNIT_TEXT);
	table_column(&t, value->subject == DIFF_HEAP ? "allocated by" : "in", "place", UNIT_TEXT);
	for (size_t i = 0; rows && i < len; i++) {
		if (is_chance(v->d, value, rows[i]))
			chance++;
		else
			place_row(v, &t, value, rows[i]);
	}
	free(rows);
	if (v->top)
		table_cut(&t, v->top);
	if (chance)
		table_note(&t, "%zu more changed by no more than chance makes in 95 of 100 cases", chance);
	if (!err && len) {
		fprintf(out, "\n%s%s%s  %s\n", style->use_color ? "\033[1m" : "", value->name,
			style->use_color ? "\033[0m" : "", value->words ? value->words : "");
		err = render_text(&t, style, out);
	}
	table_release(&t);
	return err;
}

static void print_side(const struct diff_view *v, enum align_side side, FILE *out)
{
	char duration[RENDER_NUMBER_MAX];
	const struct import *im = v->d->inputs[side].import;
	uint64_t ns = diff_duration_ns(v->d, side);

	fprintf(out, "%s  ", side == ALIGN_OLD ? "old" : "new");
	safe_puts(v->path[side], out);
	fputs(": ", out);
	if (im)
		fprintf(out, "%s%s", im->format->words, *im->program ? " of " : "");
	safe_puts(diff_program(v->d, side), out);
	if (ns || !im)
		fprintf(out, ", %s", render_duration(duration, (int64_t)ns));
	if (v->d->unit)
		fprintf(out, ", %.6g x %s", v->d->work[side], v->d->unit);
	fputc('\n', out);
}

static void print_thresholds(const struct diff_view *v, FILE *out)
{
	for (size_t i = 0; i < v->thresholds->len; i++) {
		const struct threshold *t = &v->thresholds->list[i];
		struct buf words = { 0 };

		threshold_words(t, v->d, &words);
		fprintf(out, "%s%s  %s\n", i ? "" : "\n", t->is_crossed ? "CROSSED" : "kept   ", buf_string(&words));
		buf_release(&words);
	}
}

int diff_view_text(const struct diff_view *v, FILE *out)
{
	struct render_style style = { .width = session_width(), .use_color = session_color(), .indent = 2 };
	const struct page *notes = &v->notes;
	int err;

	print_side(v, ALIGN_OLD, out);
	print_side(v, ALIGN_NEW, out);
	fputc('\n', out);
	err = print_totals(v, &style, out);
	for (size_t i = 0; !err && i < v->d->values_len; i++) {
		const struct diff_value *value = &v->d->values[i];

		if (v->sample ? value == v->sample : value->is_main && value->subject != DIFF_PROCESS)
			err = print_places(v, value, &style, out);
	}
	print_thresholds(v, out);
	if (notes->notes_len)
		fputc('\n', out);
	for (size_t i = 0; i < notes->notes_len; i++) {
		fputs("  ", out);
		render_wrapped(notes->notes[i], style.width, 2, 4, out);
	}
	return err ? err : notes->failed ? -ENOMEM : ferror(out) ? -EIO : 0;
}

/* ---- CSV ------------------------------------------------------------------------------------------------------ */

static void plain_columns(struct table *t, const char *first)
{
	table_column(t, first, first, UNIT_TEXT);
	table_column(t, "old", "old", UNIT_NUMBER);
	table_column(t, "new", "new", UNIT_NUMBER);
	table_column(t, "delta", "delta", UNIT_NUMBER);
}

static void plain_cells(struct table *t, const char *first, double old, double new)
{
	table_row(t);
	table_text(t, first);
	table_real(t, old);
	table_real(t, new);
	table_real(t, new - old);
}

static int fill_places(const struct diff_view *v, struct table *t)
{
	size_t len;
	const struct diff_row **rows = diff_order(v->d, v->sample, &len);

	if (!rows)
		return -ENOMEM;
	plain_columns(t, "place");
	table_column(t, "state", "state", UNIT_TEXT);
	for (size_t i = 0; i < len && (!v->top || i < v->top); i++) {
		struct buf name = { 0 };

		diff_row_name(v->d, v->sample, rows[i], &name);
		plain_cells(t, buf_string(&name), diff_of(v->d, v->sample, rows[i], ALIGN_OLD),
			    diff_of(v->d, v->sample, rows[i], ALIGN_NEW));
		table_text(t, diff_row_state(rows[i]));
		buf_release(&name);
	}
	free(rows);
	return 0;
}

int diff_view_csv(const struct diff_view *v, FILE *out)
{
	struct table t;
	int err = 0;

	table_init(&t, "diff");
	if (v->sample) {
		err = fill_places(v, &t);
	} else {
		plain_columns(&t, "name");
		for (size_t i = 0; i < v->d->values_len; i++)
			plain_cells(&t, v->d->values[i].name, v->d->values[i].total[ALIGN_OLD],
				    v->d->values[i].total[ALIGN_NEW]);
	}
	err = err ? err : render_csv(&t, out);
	table_release(&t);
	return err;
}
