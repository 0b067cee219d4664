/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "analyzer/util/json.h"
#include "analyzer/web/reports.h"

#define ROWS_MOST 40u

/* Those that answer what the other views of a page do not, and need no option. */
static const struct {
	const char *subject, *name;
} chosen[] = { { "trace", "path" }, { "trace", "tasks" }, { "trace", "utilisation" }, { "heap", "lifetimes" } };

static const char *unit_name(enum unit unit)
{
	static const char *const names[] = {
		[UNIT_TEXT] = "text",	    [UNIT_COUNT] = "count",	[UNIT_BYTES] = "bytes",	  [UNIT_NS] = "ns",
		[UNIT_PERCENT] = "percent", [UNIT_ADDRESS] = "address", [UNIT_NUMBER] = "number", [UNIT_STACK] = "text",
	};

	return names[unit];
}

static void put_cell(struct json *j, enum unit unit, const struct cell *cell)
{
	if (!cell->is_set)
		json_null(j);
	else if (unit == UNIT_TEXT || unit == UNIT_STACK)
		json_string(j, cell->text);
	else if (unit == UNIT_PERCENT || unit == UNIT_NUMBER)
		json_f64(j, cell->real);
	else
		json_i64(j, cell->number);
}

static void put_texts(struct json *j, const char *key, char *const *texts, size_t len)
{
	json_key(j, key);
	json_begin_array(j);
	for (size_t i = 0; i < len; i++)
		json_string(j, texts[i]);
	json_end(j);
}

static void put_columns(struct json *j, const struct table *t)
{
	json_key(j, "columns");
	json_begin_array(j);
	for (size_t i = 0; i < t->columns_len; i++) {
		json_begin_object(j);
		json_field_string(j, "title", t->columns[i].title);
		json_field_string(j, "key", t->columns[i].key);
		json_field_string(j, "unit", unit_name(t->columns[i].unit));
		json_field_bool(j, "hides_zero", t->columns[i].hides_zero);
		json_end(j);
	}
	json_end(j);
}

static void put_table(struct json *j, const struct table *t)
{
	json_begin_object(j);
	json_field_string(j, "name", t->name);
	put_columns(j, t);
	json_key(j, "rows");
	json_begin_array(j);
	for (size_t row = 0; row < t->rows_len; row++) {
		json_begin_array(j);
		for (size_t i = 0; i < t->columns_len; i++)
			put_cell(j, t->columns[i].unit, &t->cells[row * t->columns_len + i]);
		json_end(j);
	}
	json_end(j);
	put_texts(j, "notes", t->notes, t->notes_len);
	json_end(j);
}

static void put_page(struct json *j, const struct page *page)
{
	json_key(j, "facts");
	json_begin_array(j);
	for (size_t i = 0; i < page->facts_len; i++) {
		json_begin_object(j);
		json_field_string(j, "title", page->facts[i].title);
		json_field_string(j, "unit", unit_name(page->facts[i].unit));
		json_key(j, "value");
		put_cell(j, page->facts[i].unit, &page->facts[i].cell);
		json_end(j);
	}
	json_end(j);
	json_key(j, "tables");
	json_begin_array(j);
	for (size_t i = 0; i < page->tables_len; i++)
		if (!page->tables[i]->is_data)
			put_table(j, page->tables[i]);
	json_end(j);
	put_texts(j, "notes", page->notes, page->notes_len);
}

/* A report may take the stretch of time off the filter. */
static int put_report(struct json *j, const struct report_run *base, const struct report *report)
{
	struct report_options options = *base->options;
	struct report_run r = *base;
	struct pass_filter filter = r.a->filter;
	struct page page;
	int err;

	options.top = ROWS_MOST;
	r.options = &options;
	page_init(&page, r.stacks);
	err = report->run(&r, &page);
	r.a->filter = filter;
	if (!err && !page.failed && page.tables_len) {
		json_begin_object(j);
		json_field_string(j, "command", report->subject);
		json_field_string(j, "name", report->name);
		json_field_string(j, "title", report->title);
		json_field_string(j, "words", report->words);
		put_page(j, &page);
		json_end(j);
	}
	page_release(&page);
	return err == -ENOMEM ? err : 0;
}

int web_reports(const struct report_run *r, FILE *out)
{
	bool has_heap = r->a->rec.reader.header.heap_mode != RSD_HEAP_OFF;
	struct json j;
	int err = 0;

	json_init(&j, out);
	j.is_for_html = true;
	j.pretty_depth = 2;
	json_begin_object(&j);
	json_field_string(&j, "schema", "ringside.html.reports/1");
	json_field_u64(&j, "rows_most", ROWS_MOST);
	json_key(&j, "reports");
	json_begin_array(&j);
	for (size_t i = 0; i < sizeof(chosen) / sizeof(chosen[0]) && !err; i++)
		if (has_heap || chosen[i].subject[0] != 'h')
			err = put_report(&j, r, report_find(chosen[i].subject, chosen[i].name));
	json_end(&j);
	json_end(&j);
	return json_finish(&j) ? -EIO : err;
}
