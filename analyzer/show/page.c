/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/show/page.h"
#include "analyzer/util/buf.h"
#include "analyzer/util/list.h"

static struct table no_memory; /* what is put into it is lost, and the page has failed */

void page_init(struct page *p, struct stacks *stacks)
{
	*p = (struct page){ .stacks = stacks };
}

void page_release(struct page *p)
{
	for (size_t i = 0; i < p->facts_len; i++)
		if (p->facts[i].unit == UNIT_TEXT)
			free(p->facts[i].cell.text);
	for (size_t i = 0; i < p->sparks_len; i++)
		spark_release(&p->sparks[i]);
	for (size_t i = 0; i < p->tables_len; i++) {
		table_release(p->tables[i]);
		free(p->tables[i]);
	}
	for (size_t i = 0; i < p->notes_len; i++)
		free(p->notes[i]);
	free(p->facts);
	free(p->sparks);
	free(p->tables);
	free(p->notes);
	page_init(p, NULL);
}

static void add_fact(struct page *p, const struct fact *fact)
{
	if (list_grow((void **)&p->facts, &p->facts_cap, p->facts_len, sizeof(*p->facts)))
		p->failed = true;
	else
		p->facts[p->facts_len++] = *fact;
}

void page_fact(struct page *p, const char *title, const char *key, enum unit unit, uint64_t value)
{
	add_fact(p, &(struct fact){ title, key, unit, { .is_set = true, .number = (int64_t)value } });
}

void page_fact_real(struct page *p, const char *title, const char *key, enum unit unit, double value)
{
	add_fact(p, &(struct fact){ title, key, unit, { .is_set = true, .real = value } });
}

void page_fact_text(struct page *p, const char *title, const char *key, const char *text)
{
	struct fact fact = { title, key, UNIT_TEXT, { .is_set = text != NULL, .text = text ? strdup(text) : NULL } };

	if (text && !fact.cell.text)
		p->failed = true;
	else
		add_fact(p, &fact);
}

void page_spark(struct page *p, const char *title, enum unit unit, const uint64_t *values, size_t len)
{
	struct spark spark = { .title = title, .unit = unit, .len = len };

	spark.values = malloc((len + 1) * sizeof(*values));
	if (!spark.values || list_grow((void **)&p->sparks, &p->sparks_cap, p->sparks_len, sizeof(*p->sparks))) {
		free(spark.values);
		p->failed = true;
		return;
	}
	memcpy(spark.values, values, len * sizeof(*values));
	p->sparks[p->sparks_len++] = spark;
}

void page_spark_mark(struct page *p, size_t value, const char *text)
{
	struct spark *spark = p->sparks_len ? &p->sparks[p->sparks_len - 1] : NULL;
	char *copy = strdup(text);

	if (!spark || !copy) {
		free(copy);
		p->failed = true;
		return;
	}
	free(spark->mark_text);
	spark->has_mark = true;
	spark->mark = value;
	spark->mark_text = copy;
}

struct table *page_table(struct page *p, const char *name, const char *key)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t || list_grow((void **)&p->tables, &p->tables_cap, p->tables_len, sizeof(*p->tables))) {
		free(t);
		p->failed = true;
		no_memory.failed = true;
		return &no_memory;
	}
	table_init(t, name);
	t->key = key;
	t->stacks = p->stacks;
	p->tables[p->tables_len++] = t;
	return t;
}

void page_note(struct page *p, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text && !list_grow((void **)&p->notes, &p->notes_cap, p->notes_len, sizeof(*p->notes))) {
		p->notes[p->notes_len++] = text;
		return;
	}
	free(text);
	p->failed = true;
}

static int status(const struct page *p, FILE *out)
{
	if (p->failed)
		return -ENOMEM;
	return ferror(out) ? -EIO : 0;
}

/* ---- text ---- */

static void put_facts(const struct page *p, FILE *out)
{
	size_t width = 0;

	for (size_t i = 0; i < p->facts_len; i++)
		if (strlen(p->facts[i].title) > width)
			width = strlen(p->facts[i].title);
	for (size_t i = 0; i < p->facts_len; i++) {
		const struct fact *fact = &p->facts[i];
		char number[RENDER_NUMBER_MAX];

		if (!fact->cell.is_set)
			continue;
		fprintf(out, "  %-*s  ", (int)width, fact->title);
		safe_puts(render_cell(number, fact->unit, &fact->cell), out);
		fputc('\n', out);
	}
}

#define SPARK_WIDTH 100u /* where the terminal has none */

static void put_sparks(const struct page *p, const struct render_style *style, FILE *out)
{
	size_t title_width = 0;
	bool is_utf8 = spark_is_utf8();

	for (size_t i = 0; i < p->sparks_len; i++)
		if (strlen(p->sparks[i].title) > title_width)
			title_width = strlen(p->sparks[i].title);
	if (p->sparks_len)
		fputc('\n', out);
	for (size_t i = 0; i < p->sparks_len; i++)
		spark_put(&p->sparks[i], title_width, style->width ? style->width : SPARK_WIDTH, is_utf8, out);
}

int page_text(const struct page *p, const struct render_style *style, FILE *out)
{
	struct render_style inner = *style;
	int err = 0;

	inner.indent = 2;
	put_facts(p, out);
	put_sparks(p, style, out);
	for (size_t i = 0; i < p->tables_len && !err; i++) {
		if (!p->tables[i]->rows_len || p->tables[i]->is_data)
			continue;
		fprintf(out, "\n%s%s%s\n", style->use_color ? "\033[1m" : "", p->tables[i]->name,
			style->use_color ? "\033[0m" : "");
		err = render_text(p->tables[i], &inner, out);
	}
	if (p->notes_len)
		fputc('\n', out);
	for (size_t i = 0; i < p->notes_len; i++) {
		fputs("  ", out);
		render_wrapped(p->notes[i], style->width, 2, 4, out);
	}
	return err ? err : status(p, out);
}

int page_csv(const struct page *p, FILE *out)
{
	int err = p->tables_len ? render_csv(p->tables[0], out) : 0;

	return err ? err : status(p, out);
}

/* ---- JSON ---- */

int page_json(const struct page *p, struct json *j)
{
	int err = 0;

	json_key(j, "summary");
	json_begin_object(j);
	for (size_t i = 0; i < p->facts_len; i++) {
		json_key(j, p->facts[i].key);
		render_cell_json(j, p->facts[i].unit, &p->facts[i].cell, p->stacks);
	}
	json_end(j);
	for (size_t i = 0; i < p->tables_len && !err; i++) {
		json_key(j, p->tables[i]->key);
		err = render_json_rows(p->tables[i], j);
	}
	json_key(j, "notes");
	json_begin_array(j);
	for (size_t i = 0; i < p->notes_len; i++)
		json_string(j, p->notes[i]);
	for (size_t i = 0; i < p->tables_len; i++)
		for (size_t n = 0; n < p->tables[i]->notes_len; n++)
			json_string(j, p->tables[i]->notes[n]);
	json_end(j);
	return err ? err : status(p, j->out);
}
