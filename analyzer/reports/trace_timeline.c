/* SPDX-License-Identifier: MIT */
/*
 * trace_timeline.c - one row per thread, one letter per stretch of time: what it did most of it. The whole recording,
 * --time A-B, or the surroundings of an event (--around).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/reports/report.h"
#include "format/kinds.h"

#define COLUMNS_PLAIN 80u
#define COLUMNS_MIN 20u
#define COLUMNS_MAX 400u
#define NAME_COLUMNS 26u
/* So much more than the event itself is shown on both sides of it. */
#define AROUND 4u
#define AROUND_MIN_NS 1000000u

struct timeline {
	struct report_run *r;
	struct report_window window;
	unsigned columns;
	uint64_t (*cells)[DOINGS]; /* by thread index and column */
	bool *in_pool;
};

/* ---- around what ---------------------------------------------------------------------------------------------- */

struct around {
	struct report_run *r;
	const char *text;
	unsigned wait; /* 0: the text of a log or mark */
	uint64_t begin, end;
	bool is_found;
};

static void longest_wait(void *self, const struct stretch *s)
{
	struct around *a = self;

	if (s->wait != a->wait || s->end - s->begin <= a->end - a->begin)
		return;
	a->begin = s->begin;
	a->end = s->end;
	a->is_found = true;
}

static void first_note(void *self, const struct pass_event *e)
{
	struct around *a = self;
	struct buf text = { 0 };

	if (a->is_found)
		return;
	recording_string(&a->r->a->rec, e->ev->note.name, &text);
	buf_add_string(&text, " ");
	recording_string(&a->r->a->rec, e->ev->note.text, &text);
	if (strstr(buf_string(&text), a->text)) {
		a->begin = a->end = e->tick;
		a->is_found = true;
	}
	buf_release(&text);
}

static int find_around(struct report_run *r, struct report_window *w)
{
	struct around a = { .r = r, .text = r->options->around, .wait = wait_by_name(r->options->around) };
	struct activity activity = { .self = &a, .stretch = longest_wait };
	struct pass_sink notes = { .self = &a, .on = { [EV_LOG] = first_note, [EV_MARK] = first_note } };
	uint64_t margin;
	int err = report_activity(r, &activity, a.wait ? NULL : &notes);

	if (err)
		return err;
	if (!a.is_found) {
		buf_printf(r->error, "--around: no wait, log or mark like \"%s\" in this recording", a.text);
		return -EINVAL;
	}
	margin = (a.end - a.begin) / 2 * AROUND;
	if (clock_dur_ns(&r->a->rec.clock, margin) < AROUND_MIN_NS)
		margin = clock_tick(&r->a->rec.clock, AROUND_MIN_NS) - r->a->rec.clock.start_tick;
	w->from = a.begin > margin ? a.begin - margin : 0;
	w->to = a.end + margin;
	return 0;
}

/* ---- the rows ------------------------------------------------------------------------------------------------- */

static uint64_t column_begin(const struct timeline *t, unsigned column)
{
	return t->window.from + (uint64_t)((unsigned __int128)(t->window.to - t->window.from) * column / t->columns);
}

static unsigned column_of(const struct timeline *t, uint64_t tick)
{
	return (unsigned)((unsigned __int128)(tick - t->window.from) * t->columns / (t->window.to - t->window.from));
}

static void stretch(void *self, const struct stretch *s)
{
	struct timeline *t = self;
	bool is_idle = !t->r->options->shows_idle && activity_is_idle(s->wait, t->in_pool[s->thread]);
	unsigned first, last;

	if (s->end <= t->window.from || s->begin >= t->window.to)
		return;
	first = s->begin > t->window.from ? column_of(t, s->begin) : 0;
	last = s->end < t->window.to ? column_of(t, s->end) : t->columns - 1;
	for (unsigned c = first; c <= last && c < t->columns; c++)
		stretch_share(s, &t->r->a->rec.clock, column_begin(t, c), column_begin(t, c + 1), is_idle,
			      t->cells[(size_t)s->thread * t->columns + c]);
}

static char letter_of(const uint64_t ns[DOINGS])
{
	unsigned best = DOINGS;

	for (unsigned i = 0; i < DOINGS; i++)
		if (ns[i] && (best == DOINGS || ns[i] > ns[best]))
			best = i;
	return best == DOINGS ? ' ' : doing_letter((enum doing)best);
}

static void rows(const struct timeline *t, struct table *strips, struct table *cells)
{
	const bool *chosen = t->r->a->filter.threads;

	for (uint32_t i = 0; i < t->r->a->rec.threads_len; i++) {
		char strip[COLUMNS_MAX + 1] = "";
		struct buf name = { 0 };
		bool is_there = false;

		for (unsigned c = 0; c < t->columns; c++) {
			strip[c] = letter_of(t->cells[(size_t)i * t->columns + c]);
			is_there |= strip[c] != ' ';
		}
		if (!is_there || !recording_thread(&t->r->a->rec, i) || (chosen && !chosen[i]))
			continue;
		report_thread_name(t->r, i, &name);
		table_row(strips);
		table_text(strips, buf_string(&name));
		table_text(strips, strip);
		for (unsigned c = 0; c < t->columns; c++) {
			table_row(cells);
			table_text(cells, buf_string(&name));
			table_number(cells, (int64_t)report_ns(t->r, column_begin(t, c)));
			report_doing_cells(cells, t->cells[(size_t)i * t->columns + c]);
		}
		buf_release(&name);
	}
}

static void print(const struct timeline *t, struct page *page)
{
	struct table *strips, *cells;
	uint64_t from = report_ns(t->r, t->window.from), to = report_ns(t->r, t->window.to);

	page_fact(page, "from", "from_ns", UNIT_NS, from);
	page_fact(page, "to", "to_ns", UNIT_NS, to);
	page_fact(page, "a letter is", "column_ns", UNIT_NS, (to - from) / t->columns);
	strips = page_table(page, "Threads", "threads");
	table_column(strips, "thread", "thread", UNIT_TEXT);
	table_column(strips, "what it did most", "strip", UNIT_TEXT);
	cells = page_table(page, "Cells", "cells");
	cells->is_data = true;
	table_column(cells, "thread", "thread", UNIT_TEXT);
	table_column(cells, "at", "at_ns", UNIT_NS);
	report_doing_columns(cells);
	rows(t, strips, cells);
	page_note(page,
		  "# on the CPU   + ready to run   L lock   s condition, semaphore, barrier, join   i I/O   z sleep   "
		  "o other   . idle   ? unknown");
}

static void choose_window(struct timeline *t)
{
	const struct recording *rec = &t->r->a->rec;

	if (t->window.from < rec->clock.start_tick)
		t->window.from = rec->clock.start_tick;
	if (t->window.to > rec->end_tick)
		t->window.to = rec->end_tick;
	if (t->window.to <= t->window.from)
		t->window.to = t->window.from + 1;
	t->columns = t->r->options->width ? t->r->options->width - NAME_COLUMNS : COLUMNS_PLAIN;
	if (t->r->options->width < NAME_COLUMNS + COLUMNS_MIN && t->r->options->width)
		t->columns = COLUMNS_MIN;
	if (t->columns > COLUMNS_MAX)
		t->columns = COLUMNS_MAX;
}

int report_trace_timeline(struct report_run *r, struct page *page)
{
	struct timeline t = { .r = r, .window = report_window(r) };
	struct activity a = { .self = &t, .stretch = stretch };
	int err = r->options->around ? find_around(r, &t.window) : 0;

	if (err)
		return err;
	choose_window(&t);
	t.cells = calloc((r->a->rec.threads_len + 1) * (size_t)t.columns, sizeof(*t.cells));
	t.in_pool = threads_in_pools(&r->a->rec);
	err = t.cells && t.in_pool ? report_activity(r, &a, NULL) : -ENOMEM;
	if (!err)
		print(&t, page);
	free(t.cells);
	free(t.in_pool);
	return err;
}
