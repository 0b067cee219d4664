/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analyzer/show/render.h"
#include "analyzer/show/spark.h"
#include "analyzer/util/buf.h"
#include "analyzer/util/whole.h"

#define LABEL_WIDTH 12u /* the largest value, with a space before it */
#define COLUMNS_LEAST 10u
#define HEIGHTS 8u

void spark_release(struct spark *s)
{
	free(s->values);
	free(s->mark_text);
	*s = (struct spark){ 0 };
}

bool spark_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "UTF-8") || strcasestr(value, "UTF8");
	}
	return false;
}

static uint64_t most_of(const uint64_t *values, size_t from, size_t to)
{
	uint64_t most = 0;

	for (size_t i = from; i < to; i++)
		most = values[i] > most ? values[i] : most;
	return most;
}

/* 0 is nothing at all; anything else is at least the lowest bar. */
static const char *bar(uint64_t value, uint64_t most, bool is_utf8)
{
	static const char *const bars[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const ascii[] = { " ", ".", ":", "-", "=", "+", "*", "%", "#" };
	size_t height = value ? 1 + (size_t)whole_u64((double)(value - 1) / (double)most * HEIGHTS) : 0;

	height = height > HEIGHTS ? HEIGHTS : height;
	return is_utf8 ? bars[height] : ascii[height];
}

void spark_put(const struct spark *s, size_t title_width, unsigned width, bool is_utf8, FILE *out)
{
	size_t used = 2 + title_width + 2 + LABEL_WIDTH, columns = width > used ? width - used : 0, mark;
	uint64_t most = most_of(s->values, 0, s->len);
	char number[RENDER_NUMBER_MAX];

	columns = columns < COLUMNS_LEAST ? COLUMNS_LEAST : columns;
	columns = columns > s->len ? s->len : columns;
	fprintf(out, "  %-*s  ", (int)title_width, s->title);
	for (size_t i = 0; i < columns; i++)
		fputs(bar(most_of(s->values, i * s->len / columns, (i + 1) * s->len / columns), most, is_utf8), out);
	fprintf(out, "  %s\n", render_value(number, s->unit, (int64_t)most));
	if (!s->has_mark || s->mark >= s->len)
		return;
	/* The column into which the value fell; the words stand where there is room for them. */
	for (mark = 0; (mark + 1) * s->len / columns <= s->mark;)
		mark++;
	if (mark > strlen(s->mark_text) + 1)
		fprintf(out, "  %*s  %*s%s ^\n", (int)title_width, "", (int)(mark - strlen(s->mark_text) - 1), "",
			s->mark_text);
	else
		fprintf(out, "  %*s  %*s^ %s\n", (int)title_width, "", (int)mark, "", s->mark_text);
}
