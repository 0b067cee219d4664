/* SPDX-License-Identifier: MIT */
/*
 * render.h - tables as text, CSV and JSON, and numbers with units as people read them.
 */
#ifndef RINGSIDE_RENDER_H
#define RINGSIDE_RENDER_H

#include <stdio.h>

#include "analyzer/show/table.h"
#include "analyzer/util/json.h"

/* Room for any number below with its unit and NUL. */
#define RENDER_NUMBER_MAX 48

/*
 * The one spelling of numbers. Each writes into out[RENDER_NUMBER_MAX] and returns it.
 *
 * bytes     0, 512B, 1.50kB, 12.30MB, 1.20GB (powers of 1024, as pprof spells them)
 * duration  0, 980ns, 12.30us, 35.10ms, 1.20s, 2.50mins, 1.20hrs
 * percent   12.34%, "100%" and "0%" when exact
 */
const char *render_bytes(char *out, int64_t bytes);
const char *render_duration(char *out, int64_t ns);
const char *render_count(char *out, int64_t count);
const char *render_percent(char *out, double share);
const char *render_value(char *out, enum unit unit, int64_t value);

/*
 * render_scaled - `value` in the unit that suits `scale_to` (the total of a profile), as pprof prints flat and cum
 * columns of one view in one unit: "0.50MB" below "12.30MB". 0 is "0"; what would round to 0.00 has its own unit.
 */
const char *render_scaled(char *out, enum unit unit, int64_t value, int64_t scale_to);

/* render_cell - a cell as people read it, in out[RENDER_NUMBER_MAX]; a text stays where it is, and is unsafe. */
const char *render_cell(char *out, enum unit unit, const struct cell *cell);
void render_cell_json(struct json *j, enum unit unit, const struct cell *cell, struct stacks *stacks);

/*
 * render_wrapped - a sentence, made safe, and a line end: in lines of at most `width` columns (0: one line), the first
 * of which begins at `column`, the others at `indent`.
 */
void render_wrapped(const char *text, unsigned width, unsigned column, unsigned indent, FILE *out);

/* How render_text writes. Ready when zeroed: no width limit, no color. */
struct render_style {
	unsigned width; /* columns of the terminal; the last text column is cut with "..." to fit. 0: no limit */
	bool use_color; /* bold titles */
	bool no_titles;
	unsigned indent; /* spaces before each line */
};

/* All return 0, -EIO when the stream failed, or -ENOMEM when the table did. */
int render_text(const struct table *t, const struct render_style *style, FILE *out);
int render_csv(const struct table *t, FILE *out);
/* render_json_rows - an array with one object per row, numbers unscaled; writes a value, so a key comes first. */
int render_json_rows(const struct table *t, struct json *j);

#endif
