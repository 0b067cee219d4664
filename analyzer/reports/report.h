/* SPDX-License-Identifier: MIT */
/*
 * report.h - one question to a recording, answered on one page: `ringside heap lifetimes FILE`.
 *
 * A report is one row of reports.def and one function report_<subject>_<name> in a file of its own. It gets a recording
 * that is open and of which no event was read, runs as many passes as it needs, and fills a page. What stands on the
 * page is its interface: keys are stable, see page.h for how it becomes JSON.
 */
#ifndef RINGSIDE_REPORT_H
#define RINGSIDE_REPORT_H

#include "analyzer/models/activity.h"
#include "analyzer/models/lives.h"
#include "analyzer/show/page.h"

/* What the user asked for. Ready when zeroed. */
struct report_options {
	enum group_by by;
	bool has_by; /* else the report chooses */
	struct group_filter filter;
	size_t top;		  /* rows of a table; 0: all */
	const char *order;	  /* title or key of the column to sort by; NULL: the report's own */
	uint64_t within, age_ns;  /* heap temporary */
	const char *suppressions; /* path of a file, or NULL */
	uint64_t fail_on;	  /* bytes; see report_threshold */
	bool has_fail_on;
	/* Of trace. */
	bool wants_timeline, has_at, shows_idle;
	uint64_t at_ns;
	const char *around;
	unsigned width; /* columns of the terminal; 0: none */
};

struct report_run {
	struct analysis *a;
	struct stacks *stacks;
	const struct report_options *options;
	struct suppressions *suppressions; /* of options->suppressions, for report_groups; NULL: none */
	struct buf *error;		   /* a sentence for the user when -EINVAL is returned */
	bool has_threshold;		   /* the report has a number for --fail-on */
	bool is_over;			   /* and it is above */
};

struct report {
	const char *subject, *name; /* "heap", "lifetimes" */
	const char *title;	    /* heading of the page */
	const char *words;	    /* what it answers, one line of help */
	int (*run)(struct report_run *r, struct page *page);
};
extern const struct report reports[];
extern const size_t reports_len;

/* report_find - NULL when there is none. */
const struct report *report_find(const char *subject, const char *name);

/* report_groups - the rows the user wants, or `by` where they did not say. 0, -EINVAL, -ENOMEM; release in any case. */
int report_groups(const struct report_run *r, enum group_by by, struct groups *g);

/* report_lives - what nearly every report begins with: groups by `by`, and one pass. Release the groups in any case. */
int report_lives(const struct report_run *r, enum group_by by, struct groups *g, struct lives *l);

/*
 * report_order - sort by `column` or the one the user named, largest first, and keep the rows that are asked for. 0, or
 * -EINVAL when no column is called so.
 */
int report_order(const struct report_run *r, struct table *t, size_t column);

/* report_rank - of a further table: by `column`, whatever the user named, and the rows that are asked for. */
void report_rank(const struct report_run *r, struct table *t, size_t column);

/*
 * report_window - the stretch of time that is asked for, in ticks. Reports that must know what happened before take it
 * off the filter, so that their passes see everything, and cut for themselves.
 */
struct report_window {
	uint64_t from, to;
};
struct report_window report_window(struct report_run *r);

/* report_activity - one pass over what the threads did; `also` may be NULL. 0 or -errno. */
int report_activity(struct report_run *r, struct activity *a, const struct pass_sink *also);

/* report_thread_name - "worker-3 (1234)", safe; report_routine_name - the function a thread began with. */
void report_thread_name(const struct report_run *r, uint32_t thread, struct buf *out);
void report_routine_name(const struct report_run *r, uint32_t thread, struct buf *out);

/* Cells: a stack by its place and who called that, and a thread by its name. */
void report_stack_cell(const struct report_run *r, struct table *t, struct stack_id stack);
void report_thread_cell(const struct report_run *r, struct table *t, uint32_t thread);
void report_routine_cell(const struct report_run *r, struct table *t, uint32_t thread);

/* report_doing_columns - one for each enum doing, "cpu_ns" and so on; report_doing_cells fills them. */
void report_doing_columns(struct table *t);
void report_doing_cells(struct table *t, const uint64_t ns[DOINGS]);

/* report_ns - a tick as time since the start; report_span_ns - between two ticks. */
uint64_t report_ns(const struct report_run *r, uint64_t tick);
uint64_t report_span_ns(const struct report_run *r, uint64_t from, uint64_t to);

/* report_sampled_note - says so when numbers are scaled up from a sample, and what suppressions left out. */
void report_sampled_note(const struct report_run *r, const struct lives *l, struct page *page);

/* report_threshold - `bytes` is the number that --fail-on is about; `what` they are ("lost") for the note. */
void report_threshold(struct report_run *r, uint64_t bytes, struct page *page, const char *what);
/* report_frees_note - says of how many frees the place is known, and what follows for the numbers. */
void report_frees_note(const struct report_run *r, struct page *page);

#define REPORT(subject, name, title, words) int report_##subject##_##name(struct report_run *r, struct page *page);
#include "analyzer/reports/reports.def"

#endif
