/* SPDX-License-Identifier: MIT */
/*
 * record_line.h - one record of a recording as one line: words for people, an object of JSON, or a row of CSV.
 *
 * The three tell the same names and numbers. CSV has a column for everything that any kind of record can tell.
 */
#ifndef RINGSIDE_RECORD_LINE_H
#define RINGSIDE_RECORD_LINE_H

#include "analyzer/read/pass.h"
#include "analyzer/util/json.h"

enum line_form { LINE_TEXT, LINE_JSON, LINE_CSV };

struct line {
	/* Set by the caller. */
	FILE *out;
	enum line_form form; /* of CSV: by line_csv_begin */
	struct recording *rec;
	/* How a stack is told, by line_number and the others; NULL: as the dump's number of its node. */
	void (*stack)(struct line *l, const char *name, uint32_t id);
	void *self;
	/* Private. */
	struct json json;
	struct buf *cells; /* of CSV */
	struct buf lost;   /* what has no column; tests look that nothing has none */
};

/* line_csv_begin - write the heads of the columns. 0 or -ENOMEM. line_release - in any case. */
int line_csv_begin(struct line *l);
void line_release(struct line *l);

/* line_event - an event of a pass with its record. line_sink - a sink that wants all kinds with their records. */
void line_event(struct line *l, const struct pass_event *e);
void line_sink(struct pass_sink *sink, void *self, void (*on)(void *self, const struct pass_event *e));

/* line_tables - the recording, its totals, modules, threads and open descriptors. */
void line_tables(struct line *l);

/* Lines of other kinds. A word needs no quotes; text is of the recording and may be anything. */
void line_begin(struct line *l, const char *kind);
void line_end(struct line *l);
void line_number(struct line *l, const char *name, uint64_t value);
void line_address(struct line *l, const char *name, uint64_t value);
void line_word(struct line *l, const char *name, const char *word);
void line_text(struct line *l, const char *name, const char *text, size_t len);

#endif
