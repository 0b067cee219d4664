/* SPDX-License-Identifier: MIT */
/*
 * spark.h - numbers over time as one line of text: bars of eight heights, or of ASCII characters where the terminal
 * knows no others.
 *
 *     live bytes  ▁▂▃▃▄▅▆▇█▇▅▅▄▃▁  12.30MB
 */
#ifndef RINGSIDE_SPARK_H
#define RINGSIDE_SPARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "analyzer/show/table.h"

struct spark {
	const char *title; /* static text */
	enum unit unit;	   /* of the largest value, which stands behind the line */
	uint64_t *values;  /* owned */
	size_t len;
	bool has_mark;
	size_t mark;	 /* this value has a mark and words below the line */
	char *mark_text; /* owned */
};

void spark_release(struct spark *s);

/* spark_is_utf8 - may more than ASCII be printed? By LC_ALL, LC_CTYPE and LANG. */
bool spark_is_utf8(void);

/*
 * spark_put - a line, and another one for the mark. Each column shows the largest of the values that fall into it.
 *
 * title_width:  columns for the title.
 * width:        of the whole line.
 */
void spark_put(const struct spark *s, size_t title_width, unsigned width, bool is_utf8, FILE *out);

#endif
