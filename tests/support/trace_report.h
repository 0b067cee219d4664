/* SPDX-License-Identifier: MIT */
/* trace_report.h - a hand-made dump through one report, and the numbers on its page by their keys. */
#ifndef RINGSIDE_TESTS_TRACE_REPORT_H
#define RINGSIDE_TESTS_TRACE_REPORT_H

#include "analyzer/reports/report.h"
#include "tests/support/trace.h"

struct reported {
	struct symbols *symbols;
	struct stacks *stacks;
	struct analysis a;
	struct page page;
};

/* reported_open - write the trace, run the report, remove the file. Ends the test when that fails. NULL: no options. */
void reported_open(struct reported *d, const struct trace *t, const char *subject, const char *name,
		   const struct report_options *options);
void reported_release(struct reported *d);

/* What stands under a key of "summary". Ends the test when it is not there. */
const struct cell *reported_fact(struct reported *d, const char *key);

/* A table by its key, and a cell of it. Ends the test when there is no such table, row or column. */
const struct table *reported_table(struct reported *d, const char *table);
const struct cell *reported_cell(struct reported *d, const char *table, size_t row, const char *column);

/* The row whose column holds a number or a text. Ends the test when there is none. */
size_t reported_row(struct reported *d, const char *table, const char *column, int64_t number);
size_t reported_row_text(struct reported *d, const char *table, const char *column, const char *text);

/*
 * The row of a place. Traces have no modules: the place of a stack made by trace_stack(t, outer, inner) is the address
 * just below `inner`, where its call is.
 */
size_t reported_row_at(struct reported *d, const char *table, uint64_t inner);

#endif
