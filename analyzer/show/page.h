/* SPDX-License-Identifier: MIT */
/*
 * page.h - what a report has to say: facts, tables and notes, printed as text, CSV or JSON.
 *
 *     page_fact(p, "reallocs", "reallocs", UNIT_COUNT, 12);
 *     t = page_table(p, "By place", "places");
 *     table_column(t, ...);
 *     page_note(p, "moved: the block got another address and its bytes were copied");
 *
 * In JSON facts are members of "summary", each table is an array of objects under its key, notes stand in "notes".
 * Memory that runs out is remembered in `failed` and told by the renderers.
 */
#ifndef RINGSIDE_PAGE_H
#define RINGSIDE_PAGE_H

#include "analyzer/show/render.h"
#include "analyzer/show/spark.h"
#include "analyzer/show/table.h"

struct fact {
	const char *title, *key; /* static text */
	enum unit unit;
	struct cell cell; /* text is owned */
};

struct page {
	struct stacks *stacks;
	struct fact *facts;
	size_t facts_len, facts_cap;
	struct spark *sparks;
	size_t sparks_len, sparks_cap;
	struct table **tables;
	size_t tables_len, tables_cap;
	char **notes;
	size_t notes_len, notes_cap;
	bool failed;
};

void page_init(struct page *p, struct stacks *stacks);
void page_release(struct page *p);

/* One number of the whole: COUNT, BYTES, NS; the others for PERCENT or NUMBER, and for text (copied, NULL: none). */
void page_fact(struct page *p, const char *title, const char *key, enum unit unit, uint64_t value);
void page_fact_real(struct page *p, const char *title, const char *key, enum unit unit, double value);
void page_fact_text(struct page *p, const char *title, const char *key, const char *text);

/*
 * page_spark - numbers over time as a line, in text only: put them into a table too. values are copied.
 * page_spark_mark - one of the values of the line before, with words (copied).
 */
void page_spark(struct page *p, const char *title, enum unit unit, const uint64_t *values, size_t len);
void page_spark_mark(struct page *p, size_t value, const char *text);

/* page_table - a new table, owned by the page; good as long as it. */
struct table *page_table(struct page *p, const char *name, const char *key);

/* page_note - a sentence below everything: what a word means, what is missing. */
__attribute__((format(printf, 2, 3))) void page_note(struct page *p, const char *format, ...);

/*
 * page_text - with style's width and color; every table has its heading.
 * page_csv - the first table.
 * page_json - members of the object that is open.
 *
 * All return 0, -EIO or -ENOMEM.
 */
int page_text(const struct page *p, const struct render_style *style, FILE *out);
int page_csv(const struct page *p, FILE *out);
int page_json(const struct page *p, struct json *j);

#endif
