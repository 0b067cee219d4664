/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/show/render.h"
#include "analyzer/util/buf.h"
#include "analyzer/views/views.h"

/* ---- numbers ---- */

struct scale {
	const char *suffix;
	double factor;
};

/* Largest first; the last one takes what is left. */
static const struct scale byte_scales[] = {
	{ "PB", 1125899906842624.0 }, { "TB", 1099511627776.0 }, { "GB", 1073741824.0 },
	{ "MB", 1048576.0 },	      { "kB", 1024.0 },		 { "B", 1.0 },
};
static const struct scale time_scales[] = {
	{ "hrs", 3600e9 }, { "mins", 60e9 }, { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 }, { "ns", 1.0 },
};

static const struct scale *pick_scale(enum unit unit, int64_t value)
{
	const struct scale *list = unit == UNIT_BYTES ? byte_scales : time_scales;
	double size = fabs((double)value);

	while (list->factor > 1.0 && size < list->factor)
		list++;
	return list;
}

static const char *put_scaled(char *out, const struct scale *scale, int64_t value)
{
	if (!value)
		snprintf(out, RENDER_NUMBER_MAX, "0");
	else if (scale->factor == 1.0)
		snprintf(out, RENDER_NUMBER_MAX, "%" PRId64 "%s", value, scale->suffix);
	else
		snprintf(out, RENDER_NUMBER_MAX, "%.2f%s", (double)value / scale->factor, scale->suffix);
	return out;
}

const char *render_scaled(char *out, enum unit unit, int64_t value, int64_t scale_to)
{
	const struct scale *scale;

	if (unit != UNIT_BYTES && unit != UNIT_NS)
		return render_count(out, value);
	scale = pick_scale(unit, scale_to);
	/* What would be rounded to 0.00 keeps a unit of its own. */
	return put_scaled(out, fabs((double)value) < scale->factor / 200 ? pick_scale(unit, value) : scale, value);
}

const char *render_bytes(char *out, int64_t bytes)
{
	return render_scaled(out, UNIT_BYTES, bytes, bytes);
}

const char *render_duration(char *out, int64_t ns)
{
	return render_scaled(out, UNIT_NS, ns, ns);
}

const char *render_count(char *out, int64_t count)
{
	snprintf(out, RENDER_NUMBER_MAX, "%" PRId64, count);
	return out;
}

const char *render_percent(char *out, double share)
{
	double percent = share * 100;

	if (!isfinite(percent))
		snprintf(out, RENDER_NUMBER_MAX, "-");
	else if (fabs(percent) < 0.005)
		snprintf(out, RENDER_NUMBER_MAX, "0%%");
	else if (fabs(percent) >= 99.995 && fabs(percent) < 100.005)
		snprintf(out, RENDER_NUMBER_MAX, "%s100%%", percent < 0 ? "-" : "");
	else
		snprintf(out, RENDER_NUMBER_MAX, "%.2f%%", percent);
	return out;
}

const char *render_value(char *out, enum unit unit, int64_t value)
{
	return render_scaled(out, unit, value, value);
}

void render_wrapped(const char *text, unsigned width, unsigned column, unsigned indent, FILE *out)
{
	struct buf safe = { 0 };
	size_t at = column;

	buf_add_safe(&safe, text, strlen(text));
	for (const char *word = buf_string(&safe), *next; *word; word = next) {
		size_t len = strcspn(word, " ");

		next = word + len + (word[len] == ' ');
		if (at > column && width && at + 1 + len > width) {
			fprintf(out, "\n%*s", (int)indent, "");
			at = column = indent;
		}
		if (at > column) {
			fputc(' ', out);
			at++;
		}
		fwrite(word, 1, len, out);
		at += len;
	}
	fputc('\n', out);
	buf_release(&safe);
}

/* ---- cells ---- */

const char *render_cell(char *out, enum unit unit, const struct cell *cell)
{
	if (!cell->is_set)
		return "";
	switch (unit) {
	case UNIT_TEXT:
	case UNIT_STACK:
		return cell->text;
	case UNIT_PERCENT:
		return render_percent(out, cell->real);
	case UNIT_NUMBER:
		snprintf(out, RENDER_NUMBER_MAX, "%.6g", cell->real);
		return out;
	case UNIT_ADDRESS:
		snprintf(out, RENDER_NUMBER_MAX, "0x%" PRIx64, (uint64_t)cell->number);
		return out;
	default:
		return render_value(out, unit, cell->number);
	}
}

static const char *cell_text(const struct column *column, const struct cell *cell, char *out)
{
	return render_cell(out, column->unit, cell);
}

static const struct cell *cell_at(const struct table *t, size_t row, size_t column)
{
	return &t->cells[row * t->columns_len + column];
}

static int status(const struct table *t, FILE *out)
{
	if (t->failed)
		return -ENOMEM;
	return ferror(out) ? -EIO : 0;
}

/* ---- text ---- */

static void spaces(size_t count, FILE *out)
{
	while (count--)
		fputc(' ', out);
}

/* Print at most `limit` columns of a text made safe; "..." marks the cut. */
static void put_text(const char *text, size_t limit, FILE *out)
{
	struct buf safe = { 0 };
	size_t columns = 0, used;

	buf_add_safe(&safe, text, strlen(text));
	if (safe.failed || safe_width(text) <= limit) {
		fputs(buf_string(&safe), out);
	} else {
		for (size_t at = 0; at < safe.len && columns + 3 < limit; at += used, columns++) {
			used = utf8_length(safe.data + at, safe.len - at);
			fwrite(safe.data + at, 1, used, out);
		}
		fputs("...", out);
	}
	buf_release(&safe);
}

/* A column that says nothing in any row is left out. */
#define HIDDEN SIZE_MAX
static bool is_hidden(const struct table *t, size_t column)
{
	for (size_t r = 0; r < t->rows_len; r++) {
		const struct cell *cell = cell_at(t, r, column);

		if (cell->is_set && !(t->columns[column].hides_zero && !cell->number))
			return false;
	}
	return t->rows_len > 0;
}

static void measure(const struct table *t, const struct render_style *style, size_t *widths)
{
	char number[RENDER_NUMBER_MAX];

	for (size_t c = 0; c < t->columns_len; c++) {
		if (is_hidden(t, c)) {
			widths[c] = HIDDEN;
			continue;
		}
		widths[c] = style->no_titles ? 0 : safe_width(t->columns[c].title);
		for (size_t r = 0; r < t->rows_len; r++) {
			size_t width = safe_width(cell_text(&t->columns[c], cell_at(t, r, c), number));

			if (width > widths[c])
				widths[c] = width;
		}
	}
}

static void put_cell(const char *text, bool is_left, bool is_last, size_t width, size_t limit, FILE *out)
{
	size_t pad = safe_width(text) < width ? width - safe_width(text) : 0;

	if (!is_left)
		spaces(pad, out);
	put_text(text, limit, out);
	if (is_left && !is_last)
		spaces(pad, out);
}

/* row SIZE_MAX: the titles. */
static void put_row(const struct table *t, const struct render_style *style, size_t row, const size_t *widths,
		    FILE *out)
{
	size_t column = style->indent;
	char number[RENDER_NUMBER_MAX];
	bool has_begun = false;

	spaces(style->indent, out);
	for (size_t c = 0; c < t->columns_len; c++) {
		const struct column *col = &t->columns[c];
		bool is_last = c + 1 == t->columns_len;
		size_t limit = SIZE_MAX;

		if (widths[c] == HIDDEN)
			continue;
		if (has_begun) {
			fputs("  ", out);
			column += 2;
		}
		has_begun = true;
		if (is_last && style->width && col->is_left)
			limit = style->width > column + 10 ? style->width - column : 10;
		put_cell(row == SIZE_MAX ? col->title : cell_text(col, cell_at(t, row, c), number), col->is_left,
			 is_last, widths[c], limit, out);
		column += widths[c];
	}
	fputc('\n', out);
}

int render_text(const struct table *t, const struct render_style *style, FILE *out)
{
	static const struct render_style plain = { 0 };
	size_t *widths = calloc(t->columns_len + 1, sizeof(*widths));

	if (!widths)
		return -ENOMEM;
	if (!style)
		style = &plain;
	measure(t, style, widths);
	if (!style->no_titles) {
		fputs(style->use_color ? "\033[1m" : "", out);
		put_row(t, style, SIZE_MAX, widths, out);
		fputs(style->use_color ? "\033[0m" : "", out);
	}
	for (size_t r = 0; r < t->rows_len; r++)
		put_row(t, style, r, widths, out);
	for (size_t i = 0; i < t->notes_len; i++) {
		spaces(style->indent, out);
		safe_puts(t->notes[i], out);
		fputc('\n', out);
	}
	free(widths);
	return status(t, out);
}

/* ---- CSV and JSON ---- */

/* RFC 4180, made safe; a leading =, +, -, @ of a text is quoted with ' so that no spreadsheet runs it. */
static void put_csv_text(const char *text, FILE *out)
{
	struct buf safe = { 0 };

	if (strchr("=+-@", text[0]) && text[0])
		buf_add_char(&safe, '\'');
	buf_add_safe(&safe, text, strlen(text));
	if (!strpbrk(buf_string(&safe), ",\"'")) {
		fputs(buf_string(&safe), out);
	} else {
		fputc('"', out);
		for (const char *s = safe.data; *s; s++)
			fputs(*s == '"' ? "\"\"" : (char[]){ *s, '\0' }, out);
		fputc('"', out);
	}
	buf_release(&safe);
}

static void put_csv_cell(const struct column *column, const struct cell *cell, FILE *out)
{
	if (!cell->is_set)
		return;
	if (column->unit == UNIT_TEXT || column->unit == UNIT_STACK)
		put_csv_text(cell->text, out);
	else if (column->unit == UNIT_PERCENT || column->unit == UNIT_NUMBER)
		fprintf(out, "%.15g", cell->real);
	else if (column->unit == UNIT_ADDRESS)
		fprintf(out, "0x%" PRIx64, (uint64_t)cell->number);
	else
		fprintf(out, "%" PRId64, cell->number);
}

int render_csv(const struct table *t, FILE *out)
{
	for (size_t c = 0; c < t->columns_len; c++)
		fprintf(out, "%s%s", c ? "," : "", t->columns[c].key);
	fputs("\r\n", out);
	for (size_t r = 0; r < t->rows_len; r++) {
		for (size_t c = 0; c < t->columns_len; c++) {
			fputs(c ? "," : "", out);
			put_csv_cell(&t->columns[c], cell_at(t, r, c), out);
		}
		fputs("\r\n", out);
	}
	return status(t, out);
}

static void put_json_stack(struct stacks *stacks, const struct cell *cell, struct json *j)
{
	if (cell->stack.v) {
		view_stack_json(j, stacks, cell->stack);
		return;
	}
	json_begin_array(j);
	if (cell->frame)
		view_frame_json(j, cell->frame);
	json_end(j);
}

void render_cell_json(struct json *j, enum unit unit, const struct cell *cell, struct stacks *stacks)
{
	char number[RENDER_NUMBER_MAX];

	if (!cell->is_set)
		json_null(j);
	else if (unit == UNIT_STACK)
		put_json_stack(stacks, cell, j);
	else if (unit == UNIT_TEXT)
		json_string(j, cell->text);
	else if (unit == UNIT_PERCENT || unit == UNIT_NUMBER)
		json_f64(j, cell->real);
	else if (unit == UNIT_ADDRESS)
		json_string(j, render_cell(number, unit, cell));
	else
		json_i64(j, cell->number);
}

int render_json_rows(const struct table *t, struct json *j)
{
	for (size_t i = 0; t->stacks && i < t->rows_len * t->columns_len; i++)
		if (t->columns[i % t->columns_len].unit == UNIT_STACK)
			stacks_want(t->stacks, cell_at(t, i / t->columns_len, i % t->columns_len)->stack);
	json_begin_array(j);
	for (size_t r = 0; r < t->rows_len; r++) {
		json_begin_object(j);
		for (size_t c = 0; c < t->columns_len; c++) {
			json_key(j, t->columns[c].key);
			render_cell_json(j, t->columns[c].unit, cell_at(t, r, c), t->stacks);
		}
		json_end(j);
	}
	json_end(j);
	return status(t, j->out);
}
