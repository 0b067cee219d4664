/* SPDX-License-Identifier: MIT */
/* cmd_diff.c - two recordings against each other; the gate of a CI run with --fail-on. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/session.h"
#include "analyzer/commands/thresholds.h"
#include "analyzer/util/die.h"
#include "analyzer/views/diff_view.h"

/* Rows per table when --top does not say: many short tables, or one. */
#define TOP_ALL 8u
#define TOP_ONE 20u

static int usage(const struct buf *error)
{
	warn("diff: %s", buf_string(error));
	return EXIT_USAGE;
}

/* ---- work ----------------------------------------------------------------------------------------------------- */

static int parse_work(const char *text, double work[ALIGN_SIDES])
{
	char more;

	return sscanf(text, "%lf,%lf%c", &work[ALIGN_OLD], &work[ALIGN_NEW], &more) == 2 && work[ALIGN_OLD] > 0 &&
			       work[ALIGN_NEW] > 0 && work[ALIGN_OLD] < 1e18 && work[ALIGN_NEW] < 1e18
		       ? 0
		       : -EINVAL;
}

static int unknown_work(const struct diff *d, const char *name, enum align_side side)
{
	const struct import *im = d->inputs[side].import;
	const struct workload *w = im ? NULL : &d->a[side]->workload;
	const char *words[256] = { "second" };
	size_t len = 1;
	int nearest;

	if (im) {
		warn("diff: --per: %s does not say %s; --work OLD,NEW does", im->format->words,
		     strcmp(name, "second") ? "what was done" : "how long it took");
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < w->names_len && len < 256; i++)
		words[len++] = w->names[i].text;
	nearest = nearest_word(name, words, len);
	warn("diff: --per: the %s recording has no task, region, log or counter '%s'%s%s%s",
	     side == ALIGN_OLD ? "old" : "new", name, nearest >= 0 ? "; did you mean " : "",
	     nearest >= 0 ? words[nearest] : "", nearest >= 0 ? "?" : "");
	return EXIT_USAGE;
}

static int set_work(struct diff *d, const struct options *o, struct page *notes)
{
	double work[ALIGN_SIDES];
	const char *kind[ALIGN_SIDES] = { NULL };

	if (o->work && parse_work(o->work, work)) {
		warn("diff: --work: %s is no OLD,NEW: two numbers above 0", o->work);
		return EXIT_USAGE;
	}
	for (unsigned side = 0; o->per && !o->work && side < ALIGN_SIDES; side++) {
		if (!strcmp(o->per, "second"))
			work[side] = (double)diff_duration_ns(d, (enum align_side)side) / 1e9;
		else if (d->inputs[side].import)
			work[side] = 0;
		else
			work[side] = workload_count(&d->a[side]->workload, o->per, &kind[side]);
		if (!(work[side] > 0))
			return unknown_work(d, o->per, (enum align_side)side);
	}
	if (!o->per && !o->work)
		return 0;
	diff_set_work(d, o->per ? o->per : "unit", work[ALIGN_OLD], work[ALIGN_NEW]);
	if (kind[0] && strcmp(kind[0], kind[1]) != 0)
		page_note(notes, "%s: the old recording has %s of that name, the new one %s", o->per, kind[0], kind[1]);
	page_note(notes,
		  "per %s: divided on each side by what was done there; what is of a moment (peak, live, rss) is not",
		  d->unit);
	return 0;
}

/* ---- notes ---------------------------------------------------------------------------------------------------- */

static void add_losses(const struct analysis *a, const char *side, struct page *notes)
{
	struct buf losses = { 0 };

	analysis_losses(a, &losses);
	for (char *line = losses.data; line && *line;) {
		size_t len = strcspn(line, "\n");

		page_note(notes, "%s: %.*s", side, (int)len, line);
		line += len + (line[len] == '\n');
	}
	notes->failed |= losses.failed;
	buf_release(&losses);
}

static void compare_recordings(const struct diff *d, struct page *notes)
{
	const struct rsd_header *old = &d->a[ALIGN_OLD]->rec.reader.header, *new = &d->a[ALIGN_NEW]->rec.reader.header;

	if (old->heap_mode != new->heap_mode || old->sample_bytes != new->sample_bytes)
		page_note(notes,
			  "the heap was not recorded in the same way (heap=): its numbers differ for that reason too");
	else if (old->heap_mode == RSD_HEAP_SAMPLE)
		page_note(notes, "the heap was sampled: small changes are chance");
	if (old->cpu_hz != new->cpu_hz || old->block_ns != new->block_ns)
		page_note(notes, "the recordings differ in cpu= or block=");
	if (d->a[ALIGN_OLD]->processes != d->a[ALIGN_NEW]->processes)
		page_note(notes, "%zu processes against %zu", d->a[ALIGN_OLD]->processes, d->a[ALIGN_NEW]->processes);
}

static bool is_compared(const struct diff *d, const struct profile_value *value)
{
	const struct diff_value *known = diff_value_find(d, value->name);

	return known && known->unit == value->unit;
}

static void list_uncompared(const struct diff *d, enum align_side side, struct page *notes)
{
	const struct import *im = d->inputs[side].import;
	struct buf names = { 0 };

	for (size_t i = 0; im && i < im->profile.values_len; i++)
		if (!is_compared(d, &im->profile.values[i]))
			buf_printf(&names, "%s%s", names.len ? ", " : "", im->profile.values[i].name);
	if (names.len)
		page_note(notes, "%s: only there, so not compared: %s", side == ALIGN_OLD ? "old" : "new",
			  buf_string(&names));
	notes->failed |= names.failed;
	buf_release(&names);
}

static void add_import_notes(const struct diff *d, enum align_side side, struct page *notes)
{
	const struct profile *p = &d->inputs[side].import->profile;

	for (size_t i = 0; i < p->notes_len; i++)
		page_note(notes, "%s: %s", side == ALIGN_OLD ? "old" : "new", p->notes[i]);
	list_uncompared(d, side, notes);
}

static void explain_rows(const struct diff *d, struct page *notes)
{
	size_t fresh = 0, gone = 0;

	for (unsigned i = 0; i < DIFF_PROFILES; i++)
		for (size_t r = 0; r < d->profiles[i].rows_len; r++) {
			fresh += !strcmp(diff_row_state(&d->profiles[i].rows[r]), "new");
			gone += !strcmp(diff_row_state(&d->profiles[i].rows[r]), "gone");
		}
	if (fresh && gone)
		page_note(notes,
			  "a function that was renamed, or moved to another file or library, is gone in one row and "
			  "new in another");
}

static void add_notes(const struct diff *d, struct session *s, struct page *notes)
{
	const char *note;

	if (d->a[ALIGN_OLD] && d->a[ALIGN_NEW])
		compare_recordings(d, notes);
	explain_rows(d, notes);
	for (unsigned side = 0; side < ALIGN_SIDES; side++) {
		if (d->inputs[side].import)
			add_import_notes(d, (enum align_side)side, notes);
		else
			add_losses(d->a[side], side == ALIGN_OLD ? "old" : "new", notes);
	}
	for (size_t i = 0; (note = symbols_note(s->symbols, i)); i++)
		page_note(notes, "%s", note);
}

/* ---- the command ---------------------------------------------------------------------------------------------- */

static int print(const struct diff_view *v, struct session *s, const struct options *o)
{
	int err;

	if (o->view.format == VIEW_TEXT)
		session_pager(s);
	err = o->is_json		   ? diff_view_json(v, s->out)
	      : o->view.format == VIEW_CSV ? diff_view_csv(v, s->out)
					   : diff_view_text(v, s->out);
	if (err && err != -EIO)
		warn("diff: %s", strerror(-err));
	return err ? EXIT_FINDING : EXIT_FINE;
}

/* Also on stderr, where a CI log shows it whatever stdout is used for. */
static int verdict(const struct thresholds *t, const struct diff *d)
{
	int status = EXIT_FINE;

	for (size_t i = 0; i < t->len; i++) {
		struct buf words = { 0 };

		if (!t->list[i].is_crossed)
			continue;
		threshold_words(&t->list[i], d, &words);
		warn("crossed: %s", buf_string(&words));
		buf_release(&words);
		status = EXIT_FINDING;
	}
	return status;
}

static int show(struct diff *d, struct session s[ALIGN_SIDES], const struct options *o)
{
	struct thresholds thresholds = { 0 };
	struct diff_view v = { .d = d, .thresholds = &thresholds, .path = { s[ALIGN_OLD].path, s[ALIGN_NEW].path } };
	struct buf error = { 0 };
	int status, err = 0;

	page_init(&v.notes, d->stacks);
	status = set_work(d, o, &v.notes);
	if (!status && o->view.sample) {
		v.sample = diff_value_asked(d, "--sample", o->view.sample, &error);
		status = v.sample ? 0 : usage(&error);
	}
	if (!status && o->fail_on)
		err = thresholds_judge(&thresholds, o->fail_on, d, &error);
	if (err)
		status = err == -EINVAL ? usage(&error) : EXIT_FINDING;
	v.top = o->top > 0 ? (size_t)o->top : !o->top || o->is_json ? 0 : v.sample ? TOP_ONE : TOP_ALL;
	if (!status) {
		add_notes(d, &s[ALIGN_OLD], &v.notes);
		status = print(&v, &s[ALIGN_NEW], o);
	}
	status = status ? status : verdict(&thresholds, d);
	thresholds_release(&thresholds);
	page_release(&v.notes);
	buf_release(&error);
	return status;
}

static struct diff_input input_of(const struct session *s)
{
	return (struct diff_input){ .list = s->import ? NULL : s->analyses,
				    .len = s->analyses_len,
				    .import = s->import };
}

static void list_numbers(const struct session *s, struct buf *out)
{
	const struct profile *p = s->import ? &s->import->profile : NULL;

	if (!p)
		buf_printf(out, "%s those of a recording", s->path);
	for (size_t i = 0; p && i < p->values_len; i++)
		buf_printf(out, "%s%s %s", i ? "," : s->path, i ? "" : " has", p->values[i].name);
}

static int nothing_shared(const struct session s[ALIGN_SIDES])
{
	struct buf words[ALIGN_SIDES] = { { 0 }, { 0 } };

	for (unsigned side = 0; side < ALIGN_SIDES; side++)
		list_numbers(&s[side], &words[side]);
	warn("diff: no number is in both: %s; %s", buf_string(&words[ALIGN_OLD]), buf_string(&words[ALIGN_NEW]));
	for (unsigned side = 0; side < ALIGN_SIDES; side++)
		buf_release(&words[side]);
	return EXIT_USAGE;
}

static int compare(struct session s[ALIGN_SIDES], const struct options *o)
{
	const struct diff_input inputs[ALIGN_SIDES] = { input_of(&s[ALIGN_OLD]), input_of(&s[ALIGN_NEW]) };
	const struct diff_options options = { o->report.by, o->report.has_by, o->report.filter };
	struct buf error = { 0 };
	struct diff d;
	int status, err = diff_make(&d, inputs, s[ALIGN_OLD].stacks, &options, &error);

	if (err == -EINVAL)
		status = usage(&error);
	else if (err)
		warn("diff: %s", strerror(-err)), status = EXIT_FINDING;
	else if (!d.values_len || (d.values_len == 1 && d.values[0].subject == DIFF_PROCESS))
		status = nothing_shared(s);
	else
		status = show(&d, s, o);
	diff_release(&d);
	buf_release(&error);
	return status;
}

/* The options of one side: its FILE is the only argument. */
static int open_side(struct session *s, const struct options *o, int side, const struct session *shares)
{
	const struct session_use use = { .names_heap = true, .takes_imports = true, .shares = shares };
	struct options of = *o;

	of.args = o->args + side;
	of.args_len = 1;
	return session_open(s, &of, &use);
}

int cmd_diff(struct options *o)
{
	struct session s[ALIGN_SIDES] = { 0 };
	int status;

	if (o->args_len != 2) {
		warn("diff: wants two recordings: `ringside diff OLD NEW`");
		return EXIT_USAGE;
	}
	status = open_side(&s[ALIGN_OLD], o, ALIGN_OLD, NULL);
	status = status ? status : open_side(&s[ALIGN_NEW], o, ALIGN_NEW, &s[ALIGN_OLD]);
	status = status ? status : compare(s, o);
	status = session_close(&s[ALIGN_NEW], status);
	return session_close(&s[ALIGN_OLD], status);
}
