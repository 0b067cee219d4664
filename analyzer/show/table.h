/* SPDX-License-Identifier: MIT */
/*
 * table.h - columns with units and rows of cells: what reports fill and render.h prints.
 *
 *     struct table t;
 *
 *     table_init(&t, "locks");
 *     table_column(&t, "wait", "wait_ns", UNIT_NS);
 *     table_column(&t, "lock", "name", UNIT_TEXT);
 *     table_row(&t);
 *     table_number(&t, 1200);
 *     table_text(&t, "queue_lock");
 *
 * Cells are put from left to right. Memory that runs out is remembered in `failed` and told by the renderers.
 */
#ifndef RINGSIDE_TABLE_H
#define RINGSIDE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/symbols/stacks.h"

enum unit {
	UNIT_TEXT,
	UNIT_COUNT,   /* 1234567 */
	UNIT_BYTES,   /* 1.50MB, powers of 1024 */
	UNIT_NS,      /* 1.20s, 35.10ms, 12.30us */
	UNIT_PERCENT, /* a share, 0.0 to 1.0: 12.34% */
	UNIT_ADDRESS, /* 0x7f... */
	UNIT_NUMBER,  /* a plain real number */
	UNIT_STACK,   /* text for people, frames in JSON */
};

struct column {
	const char *title; /* for people */
	const char *key;   /* in JSON and CSV */
	enum unit unit;
	bool is_left;	 /* aligned left; text is, numbers are not */
	bool hides_zero; /* people don't see it when it is 0 in every row */
};

struct cell {
	bool is_set; /* false: nothing to say; empty in text, null in JSON */
	union {
		int64_t number;
		double real;
		char *text;
	};
	/* UNIT_STACK: one frame, or a whole stack. */
	const struct frame *frame;
	struct stack_id stack;
};

struct table {
	const char *name;      /* static text: a heading */
	const char *key;       /* static text: in JSON */
	struct stacks *stacks; /* of the cells of UNIT_STACK */
	struct column *columns;
	size_t columns_len, columns_cap;
	struct cell *cells; /* rows_len * columns_len */
	size_t cells_len, cells_cap, rows_len;
	char **notes; /* lines below the table */
	size_t notes_len, notes_cap;
	size_t cell;  /* the next one of the last row */
	bool is_data; /* not for people: in JSON and CSV only */
	bool failed;
};

void table_init(struct table *t, const char *name);
void table_release(struct table *t);

/* All columns come before the first row. title and key are kept, not copied. */
void table_column(struct table *t, const char *title, const char *key, enum unit unit);

/* table_column_quiet - one that hides_zero. */
void table_column_quiet(struct table *t, const char *title, const char *key, enum unit unit);

/* table_row - begin the next row; its cells are unset until they are put. */
void table_row(struct table *t);
void table_number(struct table *t, int64_t value);  /* COUNT, BYTES, NS, ADDRESS */
void table_real(struct table *t, double value);	    /* PERCENT, NUMBER */
void table_text(struct table *t, const char *text); /* copied; NULL leaves the cell unset */
/* A place by its name: in JSON an array of frames, all of `stack` or, when that is empty, `frame` alone. */
void table_stack(struct table *t, const char *name, struct stack_id stack, const struct frame *frame);
void table_skip(struct table *t);
__attribute__((format(printf, 2, 3))) void table_textf(struct table *t, const char *format, ...);

__attribute__((format(printf, 2, 3))) void table_note(struct table *t, const char *format, ...);

/* table_sort - order rows by the number or text in `column`, largest first when is_descending; stable. */
void table_sort(struct table *t, size_t column, bool is_descending);

/* table_cut - keep the first `rows`; a note says how many there were besides. */
void table_cut(struct table *t, size_t rows);

#endif
