/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/trace_report.h"

static void must(bool is_true, const char *what, const char *name)
{
	if (is_true)
		return;
	fprintf(stderr, "report: %s %s\n", what, name);
	abort();
}

void reported_open(struct reported *d, const struct trace *t, const char *subject, const char *name,
		   const struct report_options *options)
{
	static const struct report_options none;
	const struct report *report = report_find(subject, name);
	char *path = trace_write(t, SIZE_MAX);
	struct buf error = { 0 };
	struct report_run run = { .a = &d->a, .options = options ? options : &none, .error = &error };

	must(report != NULL, "there is none called", name);
	d->symbols = symbols_new(NULL);
	run.stacks = d->stacks = stacks_new(d->symbols);
	must(!analysis_begin(&d->a, path, d->stacks, NULL, NULL, &error), "not opened:", buf_string(&error));
	page_init(&d->page, d->stacks);
	must(!report->run(&run, &d->page) && !d->page.failed, "failed:", buf_string(&error));
	unlink(path);
	free(path);
	buf_release(&error);
}

void reported_release(struct reported *d)
{
	page_release(&d->page);
	analysis_release(&d->a);
	stacks_free(d->stacks);
	symbols_free(d->symbols);
}

const struct cell *reported_fact(struct reported *d, const char *key)
{
	for (size_t i = 0; i < d->page.facts_len; i++)
		if (!strcmp(d->page.facts[i].key, key))
			return &d->page.facts[i].cell;
	must(false, "no fact", key);
	return NULL;
}

const struct table *reported_table(struct reported *d, const char *table)
{
	for (size_t i = 0; i < d->page.tables_len; i++)
		if (!strcmp(d->page.tables[i]->key, table))
			return d->page.tables[i];
	must(false, "no table", table);
	return NULL;
}

static size_t column_of(const struct table *t, const char *column)
{
	for (size_t i = 0; i < t->columns_len; i++)
		if (!strcmp(t->columns[i].key, column))
			return i;
	must(false, "no column", column);
	return 0;
}

static const struct cell *cell_at(const struct table *t, size_t row, size_t column)
{
	return &t->cells[row * t->columns_len + column];
}

const struct cell *reported_cell(struct reported *d, const char *table, size_t row, const char *column)
{
	const struct table *t = reported_table(d, table);

	must(row < t->rows_len, "no such row in", table);
	return cell_at(t, row, column_of(t, column));
}

size_t reported_row(struct reported *d, const char *table, const char *column, int64_t number)
{
	const struct table *t = reported_table(d, table);
	size_t at = column_of(t, column);

	for (size_t row = 0; row < t->rows_len; row++)
		if (cell_at(t, row, at)->is_set && cell_at(t, row, at)->number == number)
			return row;
	must(false, "no row with that", column);
	return 0;
}

size_t reported_row_text(struct reported *d, const char *table, const char *column, const char *text)
{
	const struct table *t = reported_table(d, table);
	size_t at = column_of(t, column);

	for (size_t row = 0; row < t->rows_len; row++)
		if (cell_at(t, row, at)->is_set && !strcmp(cell_at(t, row, at)->text, text))
			return row;
	must(false, "no row with", text);
	return 0;
}

size_t reported_row_at(struct reported *d, const char *table, uint64_t inner)
{
	const struct table *t = reported_table(d, table);

	for (size_t row = 0; row < t->rows_len; row++)
		for (size_t column = 0; column < t->columns_len; column++) {
			const struct cell *cell = cell_at(t, row, column);

			if (t->columns[column].unit == UNIT_STACK && cell->is_set && cell->frame &&
			    cell->frame->address == inner - 1)
				return row;
		}
	must(false, "no row at that address in", table);
	return 0;
}
