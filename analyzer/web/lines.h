/* SPDX-License-Identifier: MIT */
/*
 * lines.h - lines of source by what was spent at them, and the text around the hottest ones.
 *
 * A page is made to be sent, and the names of files come from the recording and from the recorded program's files,
 * which are not to be trusted. So a file is read only when symbols name it and its name ends as sources do, and only
 * lines near those that symbols name are taken.
 */
#ifndef RINGSIDE_WEB_LINES_H
#define RINGSIDE_WEB_LINES_H

#include <stdio.h>

#include "analyzer/symbols/source.h"
#include "analyzer/web/tree.h"

#define WEB_LINES_MOST 400u
#define WEB_LINES_AROUND 5u
#define WEB_LINES_FILES 100u
#define WEB_LINES_BYTES (300u << 10)

struct web_line {
	const char *file, *function; /* interned */
	uint32_t line;
	uint32_t stack; /* the last one that was added: a line counts once in a stack */
	int64_t flat[WEB_METRICS], cum[WEB_METRICS];
};

struct web_lines {
	struct stacks *stacks;
	struct web_line *list;
	size_t len, cap;
	struct map line_of; /* hash of file, function, line -> index */
	struct frames scratch;
	uint32_t stacks_len;
	int64_t total[WEB_METRICS];
	bool failed;
};

void web_lines_init(struct web_lines *l, struct stacks *stacks);
void web_lines_release(struct web_lines *l);

/* web_lines_add - what was spent at a stack. */
void web_lines_add(struct web_lines *l, struct stack_id stack, const int64_t values[WEB_METRICS]);

/* web_lines_is_source - does this name end as sources do? */
bool web_lines_is_source(const char *path);

/* web_lines_json - orders the lines. options: NULL: no text at all. 0, -EIO, -ENOMEM. */
int web_lines_json(struct web_lines *l, const struct source_options *options, FILE *out);

#endif
