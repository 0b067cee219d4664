/* SPDX-License-Identifier: MIT */
/* cmd_views.c - heap, cpu and block: one profile of one recording through the profile views. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/views/block_tables.h"
#include "analyzer/show/render.h"
#include "analyzer/commands/diff_base.h"
#include "analyzer/commands/imported.h"
#include "analyzer/commands/run_report.h"
#include "analyzer/commands/session.h"
#include "analyzer/util/die.h"
#include "format/kinds.h"

/* Losses and what the names could not be found for stand below every view. */
static void add_notes(struct profile *p, struct session *s)
{
	struct buf losses = { 0 };
	const char *note;

	analysis_losses(&s->analyses[0], &losses);
	for (char *line = losses.data; line && *line;) {
		size_t len = strcspn(line, "\n");

		profile_note(p, "%.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
	buf_release(&losses);
	for (size_t i = 0; (note = symbols_note(s->symbols, i)); i++)
		profile_note(p, "%s", note);
	if (s->files_len > 1 && s->analyses_len == 1)
		profile_note(p, "one of %zu processes; --process NAME shows another, --all their sum", s->files_len);
}

static int view_status(int err, const struct buf *error)
{
	if (!err)
		return EXIT_FINE;
	if (err == -EIO)
		return EXIT_FINDING;
	warn("%s", error->len ? buf_string(error) : strerror(-err));
	return err == -EINVAL ? EXIT_USAGE : EXIT_FINDING;
}

static int print_profile(struct session *s, struct options *o, struct profile *p)
{
	struct buf error = { 0 };
	int status;

	if (!s->import) {
		p->duration_ns = s->analyses[0].duration_ns;
		add_notes(p, s);
	}
	if (o->diff_base)
		profile_note(p,
			     "a function that was renamed, or moved to another file or library, falls in one row and "
			     "grows in another");
	o->view.use_color = session_color();
	session_pager(s);
	status = view_status(views_print(p, s->stacks, &o->view, s->out, &error), &error);
	buf_release(&error);
	return status;
}

static int make_heap(const struct analysis *a, const struct options *o, struct profile *p)
{
	(void)o;
	return heap_profile(&a->heap, p);
}

static int make_cpu(const struct analysis *a, const struct options *o, struct profile *p)
{
	(void)o;
	return cpu_profile(&a->cpu, p);
}

static int make_block(const struct analysis *a, const struct options *o, struct profile *p)
{
	return waits_profile(&a->waits, o->kinds, p);
}

int cmd_heap(struct options *o)
{
	const struct report *report = report_asked("heap", o);
	struct diff_base base = { 0 };
	struct session s;
	struct profile p;
	int status;

	if (report)
		return run_report(report, o);
	status = session_open(&s, o, &(struct session_use){ .names_heap = true, .takes_imports = true });
	profile_init(&p, "heap");
	if (!status && s.import) {
		status = imported_profile(&s, "heap", &p);
	} else if (!status) {
		const struct analysis *a = &s.analyses[0];
		char number[RENDER_NUMBER_MAX];
		uint32_t mode = a->rec.reader.header.heap_mode;

		status = make_heap(a, o, &p) ? EXIT_FINDING : EXIT_FINE;
		/* What a program that ended well still held says little: then the peak is shown. */
		if (a->rec.reader.header.end_kind == RSD_END_EXIT)
			p.main_value = (size_t)profile_value_index(&p, "peak_space");
		if (mode == RSD_HEAP_OFF)
			profile_note(&p, "the heap was not recorded (heap=off)");
		if (a->heap.sampled)
			profile_note(&p,
				     "scaled up from %" PRIu64 " sampled allocations, one per %" PRIu64
				     " bytes on average; in 95 of 100 runs all allocated bytes are right to %s",
				     a->heap.sampled, a->rec.reader.header.sample_bytes,
				     render_bytes(number, (int64_t)heap_intervals(&a->heap).allocated_bytes));
		if (a->heap.unknown_frees && !a->is_filtered)
			profile_note(&p, "%" PRIu64 " frees of blocks older than the recording are not counted",
				     a->heap.unknown_frees);
	}
	status = status ? status : diff_base_subtract(&base, &s, o, &p, make_heap);
	status = status ? status : print_profile(&s, o, &p);
	profile_release(&p);
	diff_base_release(&base);
	return session_close(&s, status);
}

int cmd_cpu(struct options *o)
{
	struct diff_base base = { 0 };
	struct session s;
	struct profile p;
	int status = session_open(&s, o, &(struct session_use){ .takes_imports = true });

	profile_init(&p, "cpu");
	if (!status && s.import) {
		status = imported_profile(&s, "cpu", &p);
	} else if (!status) {
		const struct analysis *a = &s.analyses[0];
		const struct rsd_header *h = &a->rec.reader.header;

		status = make_cpu(a, o, &p) ? EXIT_FINDING : EXIT_FINE;
		if (!h->cpu_hz)
			profile_note(&p, "the CPU was not sampled (cpu=off)");
		else if (a->cpu.delivered_hz)
			profile_note(&p, "%" PRIu64 " samples, %.1f per second of CPU time (%u asked for)",
				     a->cpu.samples, a->cpu.delivered_hz, h->cpu_hz);
		if (a->cpu.sites[0].cpu_ns)
			profile_note(&p, "the empty stack is CPU time that no sample stands for");
	}
	status = status ? status : diff_base_subtract(&base, &s, o, &p, make_cpu);
	status = status ? status : print_profile(&s, o, &p);
	profile_release(&p);
	diff_base_release(&base);
	return session_close(&s, status);
}

static int kind_mask(const char *kind, uint64_t *mask)
{
	unsigned wait;

	*mask = 0;
	if (!kind)
		return 0;
	wait = wait_by_name(kind);
	if (!wait) {
		const char *words[RSD_WAITS];
		size_t len = 0;
		int nearest;

		for (unsigned i = 1; i < RSD_WAITS; i++)
			if (wait_name(i)[0] != '?')
				words[len++] = wait_name(i);
		nearest = nearest_word(kind, words, len);
		warn("block: --kind: no kind of wait %s%s%s", kind, nearest >= 0 ? "; did you mean " : "",
		     nearest >= 0 ? words[nearest] : "");
		return EXIT_USAGE;
	}
	*mask = UINT64_C(1) << wait;
	return 0;
}

static bool wants_tables(const struct options *o)
{
	return o->view.kind == VIEW_TOP && !o->view.focus && !o->view.ignore && !o->view.hide &&
	       o->view.format != VIEW_CSV && !o->view.sample && !o->diff_base;
}

int cmd_block(struct options *o)
{
	struct diff_base base = { 0 };
	struct session s = { 0 };
	struct profile p;
	int status = kind_mask(o->kind, &o->kinds);

	if (status)
		return status;
	status = session_open(&s, o, &(struct session_use){ .takes_imports = true });
	profile_init(&p, "block");
	if (!status && s.import) {
		status = imported_profile(&s, "block", &p);
	} else if (!status) {
		const struct analysis *a = &s.analyses[0];

		status = make_block(a, o, &p) ? EXIT_FINDING : EXIT_FINE;
		if (a->rec.reader.header.block_ns == UINT64_MAX)
			profile_note(&p, "waits were not recorded (block=off)");
	}
	status = status ? status : diff_base_subtract(&base, &s, o, &p, make_block);
	if (!status && o->is_json && !s.import && wants_tables(o))
		status = block_json(&s, o);
	else if (!status)
		status = print_profile(&s, o, &p);
	if (!status && !o->is_json && !s.import && wants_tables(o))
		status = block_tables(&s, o);
	profile_release(&p);
	diff_base_release(&base);
	return session_close(&s, status);
}
