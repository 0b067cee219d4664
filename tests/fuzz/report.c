/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/session.h"
#include "analyzer/exports/export.h"
#include "analyzer/models/findings.h"
#include "analyzer/reports/report.h"
#include "analyzer/views/block_tables.h"
#include "analyzer/views/diff_view.h"
#include "analyzer/views/overview.h"
#include "analyzer/web/page.h"
#include "tests/fuzz/report.h"
#include "tests/fuzz/target.h"

/* Bits of the input's choices. */
#define CHOOSE_WINDOW 1u
#define CHOOSE_THREADS 2u
#define CHOOSE_SIZES 4u
#define CHOOSE_MERGE 8u
#define CHOOSE_WORDS 16u     /* other options of the views, */
#define GRANULARITY_SHIFT 5u /* by something else than functions in two bits of it */
#define FORMAT_SHIFT 6u	     /* an enum view_format, or all of them */

#define PART_SHIFT 8u	 /* an enum part: one takes a fifth of the time of all */
#define REPORT_SHIFT 11u /* which report, exporter and kind of view */
enum part { ALL, OVERVIEW, HEAP, CPU, BLOCK, TABLES, DUMP, REPORTS };

static bool is_part(unsigned choices, enum part part)
{
	unsigned chosen = choices >> PART_SHIFT & 7;

	return (chosen == ALL && part != REPORTS) || chosen == (unsigned)part;
}

static bool is_kind(unsigned choices, unsigned kind)
{
	unsigned chosen = (choices >> REPORT_SHIFT) % (VIEW_TRACES + 2);

	return chosen == VIEW_TRACES + 1 || chosen == kind;
}

static bool is_chosen(unsigned choices, enum view_format format)
{
	return (choices >> FORMAT_SHIFT & 3) == 3 || (choices >> FORMAT_SHIFT & 3) == format;
}

static FILE *out;
static FILE *binary; /* formats of others are no text */
static char *path;

static void print_overview(struct session *s, unsigned choices)
{
	struct overview r = { .session = s, .a = &s->analyses[0], .top = 8 };

	if (!findings_make(&r.findings, r.a)) {
		if (is_chosen(choices, VIEW_TEXT))
			overview_text(&r, out);
		r.top = SIZE_MAX;
		if (is_chosen(choices, VIEW_JSON))
			overview_json(&r, out);
	}
	findings_release(&r.findings);
}

static struct view_options view_options_of(unsigned choices, enum view_kind kind, enum view_format format)
{
	struct view_options o = { .kind = kind, .format = format, .pattern = "." };

	if (choices & CHOOSE_WORDS)
		o = (struct view_options){ .kind = kind,
					   .format = format,
					   .pattern = "[0-9a-f]",
					   .granularity = (enum view_granularity)(choices >> GRANULARITY_SHIFT & 3) + 1,
					   .focus = "so",
					   .hide = "1",
					   .is_unlimited = true,
					   .sort_cum = true,
					   .keep_dropped = true,
					   .full_names = true };
	return o;
}

/* In one of the formats of others, if that is made of what there is. */
static void export(struct analysis *a, struct stacks *stacks, const struct profile *p, unsigned choices,
		   enum export_needs there)
{
	const struct export_format *format = &export_formats[(choices >> REPORT_SHIFT) % export_formats_len];
	struct buf error = { 0 };
	struct export_run run = { .a = a, .stacks = stacks, .profile = p, .out = binary, .error = &error };

	if (p)
		run.value = p->main_value;
	if (format->needs == there)
		format->run(&run);
	fflush(binary);
	buf_release(&error);
}

static void print_profile(struct session *s, struct profile *p, unsigned choices)
{
	for (unsigned kind = VIEW_TOP; kind <= VIEW_TRACES; kind++)
		for (unsigned format = VIEW_TEXT; format <= VIEW_CSV; format++) {
			struct view_options o =
				view_options_of(choices, (enum view_kind)kind, (enum view_format)format);
			struct buf error = { 0 };

			if (!is_chosen(choices, (enum view_format)format) || !is_kind(choices, kind))
				continue;
			views_print(p, s->stacks, &o, out, &error);
			buf_release(&error);
		}
	export(&s->analyses[0], s->stacks, p, choices, NEEDS_PROFILE);
}

static void print_profiles(struct session *s, unsigned choices)
{
	const struct analysis *a = &s->analyses[0];
	struct profile p;

	profile_init(&p, "heap");
	if (is_part(choices, HEAP) && !heap_profile(&a->heap, &p))
		print_profile(s, &p, choices);
	profile_release(&p);
	profile_init(&p, "cpu");
	if (is_part(choices, CPU) && !cpu_profile(&a->cpu, &p))
		print_profile(s, &p, choices);
	profile_release(&p);
	profile_init(&p, "block");
	if (is_part(choices, BLOCK) && !waits_profile(&a->waits, 0, &p))
		print_profile(s, &p, choices);
	profile_release(&p);
}

static void print_all(struct session *s, unsigned choices)
{
	struct options o = { .top = -1 };
	struct buf losses = { 0 };

	if (is_part(choices, OVERVIEW))
		print_overview(s, choices);
	print_profiles(s, choices);
	if (is_part(choices, TABLES) && is_chosen(choices, VIEW_TEXT))
		block_tables(s, &o);
	if (is_part(choices, TABLES) && is_chosen(choices, VIEW_JSON))
		block_json(s, &o);
	export(&s->analyses[0], s->stacks, NULL, choices, NEEDS_ANALYSIS);
	analysis_losses(&s->analyses[0], &losses);
	fwrite(buf_string(&losses), 1, losses.len, out);
	buf_release(&losses);
}

static int analyse(struct session *s, const struct analysis_filter *filter)
{
	struct buf error = { 0 };
	int err = analysis_open(&s->analyses[s->analyses_len], path, s->stacks, filter, NULL, &error);

	s->analyses_len += !err;
	buf_release(&error);
	return err;
}

/* No file that a dump names exists below this one: names are those of the dump. */
static const struct symbol_options nothing = { .sysroot = "/dev/null", .debug_dir = "/dev/null", .is_inside = true };

static struct analysis_filter filter_of(unsigned choices)
{
	struct analysis_filter filter = { 0 };

	if (choices & CHOOSE_WINDOW)
		filter.from_ns = 100, filter.to_ns = 1000000000;
	if (choices & CHOOSE_THREADS)
		filter.thread_pattern = "[a1]";
	if (choices & CHOOSE_SIZES)
		filter.size_min = 2, filter.size_max = 1 << 20;
	return filter;
}

/* The dump as the filter shows it, against the whole of it. */
static void print_diff(struct session *s, unsigned choices)
{
	const struct diff_input inputs[ALIGN_SIDES] = { { .list = &s->analyses[0], .len = 1 },
							{ .list = &s->analyses[1], .len = 1 } };
	struct diff_options options = { (enum group_by)(choices >> REPORT_SHIFT & 3),
					choices & CHOOSE_WORDS,
					{ .hide = choices & CHOOSE_SIZES ? "1" : NULL } };
	struct thresholds thresholds = { 0 };
	struct buf error = { 0 };
	struct diff d;
	struct diff_view v = { .d = &d, .thresholds = &thresholds, .path = { path, path } };

	page_init(&v.notes, s->stacks);
	if (!diff_make(&d, inputs, s->stacks, &options, &error)) {
		if (is_chosen(choices, VIEW_TEXT))
			diff_view_text(&v, out);
		if (is_chosen(choices, VIEW_JSON))
			diff_view_json(&v, out);
		if (is_chosen(choices, VIEW_CSV))
			diff_view_csv(&v, out);
	}
	diff_release(&d);
	page_release(&v.notes);
	thresholds_release(&thresholds);
	buf_release(&error);
}

static bool is_diff(unsigned choices)
{
	return choices & CHOOSE_MERGE && is_part(choices, TABLES);
}

static struct report_options report_options_of(unsigned choices)
{
	struct report_options o = { .top = 20, .width = choices & CHOOSE_MERGE ? 80 : 0 };

	if (!(choices & CHOOSE_WORDS))
		return o;
	return (struct report_options){ .by = (enum group_by)(choices >> GRANULARITY_SHIFT & 1),
					.has_by = true,
					.filter = { .focus = "so|0x", .hide = "1" },
					.within = 1000,
					.age_ns = 100,
					.wants_timeline = true,
					.has_at = true,
					.shows_idle = true,
					.at_ns = 1000,
					.around = "[a-z]" };
}

static void print_page(const struct page *page, unsigned choices)
{
	struct render_style style = { .width = choices & CHOOSE_MERGE ? 80 : 0 };
	struct json j;

	if (is_chosen(choices, VIEW_TEXT))
		page_text(page, &style, out);
	if (is_chosen(choices, VIEW_CSV))
		page_csv(page, out);
	if (!is_chosen(choices, VIEW_JSON))
		return;
	json_init(&j, out);
	json_begin_object(&j);
	page_json(page, &j);
	json_end(&j);
	json_finish(&j);
}

/* One of the reports, which run passes of their own. */
static void run_report(struct session *s, const struct report *report, unsigned choices)
{
	struct report_options o = report_options_of(choices);
	struct buf error = { 0 };
	struct report_run run = { .a = &s->analyses[0], .stacks = s->stacks, .options = &o, .error = &error };
	struct page page;

	page_init(&page, s->stacks);
	if (!report->run(&run, &page))
		print_page(&page, choices);
	page_release(&page);
	buf_release(&error);
	export(&s->analyses[0], s->stacks, NULL, choices, NEEDS_EVENTS);
}

/* Alone, or against the whole of the same dump. */
static void run_web_page(struct session *s, unsigned choices)
{
	struct report_options o = { .top = 20 };
	struct web_base base = { path, &s->analyses[1] };
	bool has_base = choices & CHOOSE_MERGE && !analyse(s, NULL);
	FILE *page = target_page();

	if (!analysis_models(&s->analyses[0]) && !web_page_write(s, has_base ? &base : NULL, &o, NULL, page))
		target_page_ends(page);
}

static void run_one_report(struct session *s, const struct analysis_filter *filter, unsigned choices)
{
	unsigned number = choices >> REPORT_SHIFT | (choices & CHOOSE_SIZES) << 3; /* there are more than 32 */
	struct buf error = { 0 };
	int err = analysis_begin(&s->analyses[0], path, s->stacks, filter, NULL, &error);

	buf_release(&error);
	if (err)
		return;
	s->analyses_len = 1;
	number %= (unsigned)reports_len + 1;
	if (number < reports_len)
		run_report(s, &reports[number], choices);
	else
		run_web_page(s, choices);
}

static void dump(bool is_json)
{
	char *args[] = { path };
	struct options o = { .args = args, .args_len = 1, .is_json = is_json };

	cmd_dump(&o);
}

static void print_what_is_chosen(struct session *s, const struct analysis_filter *filter, unsigned choices)
{
	if (analyse(s, filter))
		return;
	if (choices & CHOOSE_MERGE && !analyse(s, is_diff(choices) ? NULL : filter)) {
		if (is_diff(choices))
			print_diff(s, choices);
		else
			analysis_merge(&s->analyses[0], &s->analyses[1]);
	}
	print_all(s, choices);
}

static void open_and_print(unsigned choices)
{
	struct analysis_filter filter = filter_of(choices);
	struct analysis analyses[2];
	struct process_file process = { .path = path, .exe = (char *)"traced" };
	struct session s = { .path = path, .files = &process, .files_len = 1, .analyses = analyses, .out = out };

	s.symbols = symbols_new(&nothing);
	s.stacks = s.symbols ? stacks_new(s.symbols) : NULL;
	if (!s.stacks)
		;
	else if (is_part(choices, REPORTS))
		run_one_report(&s, &filter, choices);
	else
		print_what_is_chosen(&s, &filter, choices);
	while (s.analyses_len)
		analysis_release(&analyses[--s.analyses_len]);
	stacks_free(s.stacks);
	symbols_free(s.symbols);
}

void report_all(const char *dump_path, unsigned choices, FILE *to)
{
	out = to;
	binary = binary ? binary : fopen("/dev/null", "w");
	path = (char *)(uintptr_t)dump_path;
	open_and_print(choices);
	if (is_part(choices, DUMP))
		dump(is_chosen(choices, VIEW_JSON));
	fflush(out);
}
