/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "analyzer/commands/run_report.h"
#include "analyzer/commands/session.h"
#include "analyzer/util/die.h"

/* Rows per table when --top does not say. */
#define TOP_TEXT 20u

const struct report *report_asked(const char *subject, struct options *o)
{
	const struct report *report = o->args_len ? report_find(subject, o->args[0]) : NULL;

	if (report) {
		o->args_len--;
		memmove(o->args, o->args + 1, (size_t)o->args_len * sizeof(*o->args));
	}
	return report;
}

static void add_notes(struct session *s, struct page *page)
{
	struct buf losses = { 0 };
	const char *note;

	analysis_losses(&s->analyses[0], &losses);
	for (char *line = losses.data; line && *line;) {
		size_t len = strcspn(line, "\n");

		page_note(page, "%.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
	page->failed |= losses.failed;
	buf_release(&losses);
	for (size_t i = 0; (note = symbols_note(s->symbols, i)); i++)
		page_note(page, "%s", note);
	if (s->files_len > 1)
		page_note(page, "one of %zu processes; --process NAME shows another", s->files_len);
}

static int print_json(const struct report *report, const struct session *s, const struct page *page)
{
	struct json j;
	char schema[64];
	int err;

	snprintf(schema, sizeof(schema), "ringside.%s.%s/1", report->subject, report->name);
	json_init(&j, s->out);
	json_begin_object(&j);
	json_key(&j, "schema");
	json_string(&j, schema);
	json_key(&j, "program");
	json_string(&j, recording_name(&s->analyses[0].rec));
	err = page_json(page, &j);
	json_end(&j);
	return err ? err : json_finish(&j);
}

static int print_text(const struct report *report, const struct session *s, const struct page *page)
{
	struct render_style style = { .width = session_width(), .use_color = session_color() };
	const char *bold = style.use_color ? "\033[1m" : "", *plain = style.use_color ? "\033[0m" : "";

	fprintf(s->out, "%s%s%s, ", bold, report->title, plain);
	safe_puts(recording_name(&s->analyses[0].rec), s->out);
	fputs(page->facts_len ? "\n\n" : "\n", s->out);
	return page_text(page, &style, s->out);
}

static int print(const struct report *report, struct session *s, const struct options *o, const struct page *page)
{
	if (o->is_json)
		return print_json(report, s, page);
	session_pager(s);
	return o->view.format == VIEW_CSV ? page_csv(page, s->out) : print_text(report, s, page);
}

static int make(const struct report *report, struct session *s, struct options *o)
{
	struct buf error = { 0 };
	struct page page;
	struct suppressions suppressions = { 0 };
	struct report_run run = { .a = &s->analyses[0],
				  .stacks = s->stacks,
				  .options = &o->report,
				  .suppressions = &suppressions,
				  .error = &error };
	int err = 0;

	page_init(&page, s->stacks);
	if (o->report.suppressions)
		err = suppressions_add_file(&suppressions, o->report.suppressions, &error);
	err = err ? err : report->run(&run, &page);
	session_progress_end();
	if (!err && o->report.has_fail_on && !run.has_threshold) {
		buf_printf(&error, "%s %s has no number for --fail-on", report->subject, report->name);
		err = -EINVAL;
	}
	if (!err) {
		add_notes(s, &page);
		err = print(report, s, o, &page);
	}
	page_release(&page);
	suppressions_release(&suppressions);
	if (err && err != -EIO)
		warn("%s", error.len ? buf_string(&error) : reader_words(err));
	buf_release(&error);
	return !err ? (run.is_over ? EXIT_FINDING : EXIT_FINE) : err == -EINVAL ? EXIT_USAGE : EXIT_FINDING;
}

int run_report(const struct report *report, struct options *o)
{
	const struct session_use use = { .names_heap = true, .opens_only = true };
	struct session s;
	int status;

	if (o->is_all) {
		warn("%s %s shows one process; --process NAME chooses it", report->subject, report->name);
		return EXIT_USAGE;
	}
	o->report.width = session_width();
	o->report.top = o->top > 0 ? (size_t)o->top : o->top == 0 || o->is_json ? 0 : TOP_TEXT;
	status = session_open(&s, o, &use);
	return session_close(&s, status ? status : make(report, &s, o));
}
