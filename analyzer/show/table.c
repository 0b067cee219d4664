/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/show/table.h"

static bool is_text(enum unit unit)
{
	return unit == UNIT_TEXT || unit == UNIT_STACK;
}

void table_init(struct table *t, const char *name)
{
	memset(t, 0, sizeof(*t));
	t->name = name;
}

static void release_cells(struct table *t, size_t from)
{
	for (size_t i = from; i < t->rows_len * t->columns_len; i++)
		if (is_text(t->columns[i % t->columns_len].unit) && t->cells[i].is_set)
			free(t->cells[i].text);
}

void table_release(struct table *t)
{
	release_cells(t, 0);
	for (size_t i = 0; i < t->notes_len; i++)
		free(t->notes[i]);
	free(t->notes);
	free(t->cells);
	free(t->columns);
	table_init(t, NULL);
}

/* Make room for `more` elements of `size` bytes after the first `len` of *list. */
static bool reserve(struct table *t, void *list, size_t len, size_t more, size_t *cap, size_t size)
{
	void **at = list;
	size_t wanted = *cap ? *cap : 16;
	void *grown;

	if (len + more <= *cap)
		return true;
	while (wanted < len + more)
		wanted *= 2;
	grown = realloc(*at, wanted * size);
	if (!grown) {
		t->failed = true;
		return false;
	}
	*at = grown;
	*cap = wanted;
	return true;
}

void table_column(struct table *t, const char *title, const char *key, enum unit unit)
{
	assert(!t->rows_len);
	if (!reserve(t, &t->columns, t->columns_len, 1, &t->columns_cap, sizeof(*t->columns)))
		return;
	t->columns[t->columns_len++] =
		(struct column){ .title = title, .key = key, .unit = unit, .is_left = is_text(unit) };
}

void table_column_quiet(struct table *t, const char *title, const char *key, enum unit unit)
{
	size_t before = t->columns_len;

	table_column(t, title, key, unit);
	if (t->columns_len > before)
		t->columns[before].hides_zero = true;
}

void table_row(struct table *t)
{
	size_t begin = t->rows_len * t->columns_len;

	t->cell = 0;
	if (t->failed || !reserve(t, &t->cells, begin, t->columns_len, &t->cells_cap, sizeof(*t->cells)))
		return;
	memset(t->cells + begin, 0, t->columns_len * sizeof(*t->cells));
	t->rows_len++;
}

/* The cell to fill, checked to be of a column the value fits; NULL when the table failed. */
static struct cell *next_cell(struct table *t)
{
	if (t->failed)
		return NULL;
	assert(t->rows_len && t->cell < t->columns_len);
	return &t->cells[(t->rows_len - 1) * t->columns_len + t->cell++];
}

static enum unit unit_of_next(const struct table *t)
{
	return t->cell < t->columns_len ? t->columns[t->cell].unit : UNIT_TEXT;
}

void table_number(struct table *t, int64_t value)
{
	enum unit unit = unit_of_next(t);
	struct cell *cell = next_cell(t);

	assert(!cell || (!is_text(unit) && unit != UNIT_PERCENT && unit != UNIT_NUMBER));
	if (cell)
		*cell = (struct cell){ .is_set = true, .number = value };
}

void table_real(struct table *t, double value)
{
	enum unit unit = unit_of_next(t);
	struct cell *cell = next_cell(t);

	assert(!cell || unit == UNIT_PERCENT || unit == UNIT_NUMBER);
	if (cell)
		*cell = (struct cell){ .is_set = true, .real = value };
}

void table_text(struct table *t, const char *text)
{
	enum unit unit = unit_of_next(t);
	struct cell *cell = next_cell(t);

	assert(!cell || unit == UNIT_TEXT);
	if (!cell || !text)
		return;
	cell->text = strdup(text);
	cell->is_set = cell->text;
	t->failed |= !cell->text;
}

void table_textf(struct table *t, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0) {
		t->failed = true;
		text = NULL;
	}
	va_end(args);
	table_text(t, text);
	free(text);
}

void table_stack(struct table *t, const char *name, struct stack_id stack, const struct frame *frame)
{
	enum unit unit = unit_of_next(t);
	struct cell *cell = next_cell(t);

	assert(!cell || unit == UNIT_STACK);
	if (!cell)
		return;
	*cell = (struct cell){ .text = strdup(name), .stack = stack, .frame = frame };
	cell->is_set = cell->text;
	t->failed |= !cell->text;
}

void table_skip(struct table *t)
{
	next_cell(t);
}

void table_note(struct table *t, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text && reserve(t, &t->notes, t->notes_len, 1, &t->notes_cap, sizeof(*t->notes)))
		t->notes[t->notes_len++] = text;
	else
		free(text);
}

/* ---- sorting ---- */

struct order {
	const struct table *table;
	size_t column;
	bool is_descending;
};

static int compare_cells(const struct cell *a, const struct cell *b, enum unit unit)
{
	if (!a->is_set || !b->is_set)
		return (int)a->is_set - (int)b->is_set;
	if (is_text(unit))
		return strcmp(a->text, b->text);
	if (unit == UNIT_PERCENT || unit == UNIT_NUMBER)
		return a->real < b->real ? -1 : a->real > b->real;
	return a->number < b->number ? -1 : a->number > b->number;
}

static int compare_rows(const void *pa, const void *pb, void *arg)
{
	const struct order *order = arg;
	const struct table *t = order->table;
	size_t a = *(const size_t *)pa, b = *(const size_t *)pb;
	int way = compare_cells(&t->cells[a * t->columns_len + order->column],
				&t->cells[b * t->columns_len + order->column], t->columns[order->column].unit);

	if (way)
		return order->is_descending ? -way : way;
	return a < b ? -1 : 1;
}

void table_sort(struct table *t, size_t column, bool is_descending)
{
	struct order order = { t, column, is_descending };
	size_t row_size = t->columns_len * sizeof(*t->cells);
	size_t *rows = malloc((t->rows_len + 1) * sizeof(*rows));
	struct cell *cells = malloc(t->rows_len * row_size + 1);

	if (!rows || !cells) {
		t->failed = true;
		free(rows);
		free(cells);
		return;
	}
	for (size_t i = 0; i < t->rows_len; i++)
		rows[i] = i;
	qsort_r(rows, t->rows_len, sizeof(*rows), compare_rows, &order);
	for (size_t i = 0; i < t->rows_len; i++)
		memcpy(cells + i * t->columns_len, t->cells + rows[i] * t->columns_len, row_size);
	free(rows);
	free(t->cells);
	t->cells = cells;
	t->cells_cap = t->rows_len * t->columns_len;
}

void table_cut(struct table *t, size_t rows)
{
	if (rows >= t->rows_len)
		return;
	release_cells(t, rows * t->columns_len);
	table_note(t, "%zu more; --top 0 shows all", t->rows_len - rows);
	t->rows_len = rows;
}
