/* SPDX-License-Identifier: MIT */
/* cmd_export.c - a recording in a format of others. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/commands/output.h"
#include "analyzer/commands/session.h"
#include "analyzer/exports/export.h"
#include "analyzer/util/die.h"
#include "format/kinds.h"

/* ---- which numbers -------------------------------------------------------------------------------------------- */

static uint64_t io_kinds(void)
{
	uint64_t mask = 0;

	for (unsigned wait = 1; wait < RSD_WAITS; wait++)
		if (!strcmp(wait_domain(wait), "io"))
			mask |= UINT64_C(1) << wait;
	return mask;
}

/* Go's rule for mutex profiles: the delay belongs to who released the lock. */
static int mutex_profile(const struct locks *l, struct profile *p)
{
	profile_define(p, "delay", UNIT_NS, "time that others waited for the lock");
	profile_define(p, "contentions", UNIT_COUNT, "waits that it had a part in");
	for (size_t i = 0; i < l->holders_len; i++) {
		int64_t values[PROFILE_VALUES] = { (int64_t)l->holders[i].wait_ns, (int64_t)l->holders[i].waits };

		if (profile_add(p, l->holders[i].stack, profile_label(p, l->locks[l->holders[i].lock].name), values))
			return -ENOMEM;
	}
	return 0;
}

static int fill_profile(const char *which, const struct analysis *a, struct profile *p)
{
	profile_init(p, which);
	p->duration_ns = a->duration_ns;
	if (!strcmp(which, "heap"))
		return heap_profile(&a->heap, p);
	if (!strcmp(which, "cpu"))
		return cpu_profile(&a->cpu, p);
	if (!strcmp(which, "mutex"))
		return mutex_profile(&a->locks, p);
	return waits_profile(&a->waits, !strcmp(which, "io") ? io_kinds() : 0, p);
}

static const char *const profiles[] = { "heap", "cpu", "block", "mutex", "io" };
#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

/* A static copy of the name that was asked for; NULL after a message. */
static const char *profile_asked(const struct options *o, const struct analysis *a)
{
	int nearest;

	if (!o->profile)
		return a->rec.reader.header.heap_mode != RSD_HEAP_OFF ? "heap" : "cpu";
	for (size_t i = 0; i < PROFILES; i++)
		if (!strcmp(profiles[i], o->profile))
			return profiles[i];
	nearest = nearest_word(o->profile, profiles, PROFILES);
	warn("export: --profile: there is heap, cpu, block, mutex and io, not %s%s%s", o->profile,
	     nearest >= 0 ? "; did you mean " : "", nearest >= 0 ? profiles[nearest] : "");
	return NULL;
}

static int choose_value(const struct options *o, const struct profile *p, size_t *value)
{
	int index = o->view.sample ? profile_value_index(p, o->view.sample) : (int)p->main_value;

	if (index < 0) {
		warn("export: --sample: %s has no number %s; `ringside help %s` lists them", p->title, o->view.sample,
		     p->title);
		return EXIT_USAGE;
	}
	*value = (size_t)index;
	return 0;
}

static int add_losses(const struct analysis *a, struct profile *p)
{
	struct buf losses = { 0 };

	analysis_losses(a, &losses);
	for (char *line = losses.data; line && *line;) {
		size_t len = strcspn(line, "\n");

		profile_note(p, "%.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
	buf_release(&losses);
	return 0;
}

/* ---- the command ---------------------------------------------------------------------------------------------- */

static int run(const struct export_format *format, struct export_run *r)
{
	struct buf error = { 0 }, notes = { 0 };
	char *rest;
	int err;

	r->error = &error;
	r->notes = &notes;
	err = format->run(r);
	for (char *line = notes.len ? strtok_r(notes.data, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest))
		warn("export %s: %s", format->name, line);
	if (err && err != -EIO)
		warn("export %s: %s", format->name, error.len ? buf_string(&error) : strerror(-err));
	buf_release(&error);
	buf_release(&notes);
	return !err ? EXIT_FINE : err == -EINVAL ? EXIT_USAGE : EXIT_FINDING;
}

static int export_session(const struct export_format *format, struct session *s, const struct options *o)
{
	struct analysis *a = &s->analyses[0];
	struct export_run r = { .a = a, .stacks = s->stacks };
	const char *which = format->needs == NEEDS_PROFILE ? profile_asked(o, a) : "heap";
	struct profile p = { 0 };
	struct output out;
	int status = which ? 0 : EXIT_USAGE, err;

	if (status)
		return status;
	if (format->needs == NEEDS_PROFILE) {
		status = fill_profile(which, a, &p) || add_losses(a, &p) ? EXIT_FINDING : EXIT_FINE;
		status = status ? status : choose_value(o, &p, &r.value);
		r.profile = &p;
	}
	err = status ? 0 : output_open(&out, o->output);
	if (err)
		warn("%s: %s", o->output, strerror(-err));
	if (!status && !err) {
		r.out = out.file;
		status = output_close(&out, o->output, run(format, &r));
	}
	profile_release(&p);
	return err ? EXIT_FINDING : status;
}

static const struct export_format *format_asked(struct options *o)
{
	const char *names[32];
	const struct export_format *format = o->args_len ? export_find(o->args[0]) : NULL;
	int nearest;

	if (format) {
		o->args_len--;
		memmove(o->args, o->args + 1, (size_t)o->args_len * sizeof(*o->args));
		return format;
	}
	for (size_t i = 0; i < export_formats_len && i < 32; i++)
		names[i] = export_formats[i].name;
	nearest = o->args_len ? nearest_word(o->args[0], names, export_formats_len) : -1;
	if (!o->args_len)
		warn("export wants a FORMAT first; `ringside help export` lists them");
	else
		warn("export: no format %s%s%s; `ringside help export` lists them", o->args[0],
		     nearest >= 0 ? "; did you mean " : "", nearest >= 0 ? names[nearest] : "");
	return NULL;
}

int cmd_export(struct options *o)
{
	const struct export_format *format = format_asked(o);
	struct session_use use = { .names_heap = true };
	struct session s;
	int status;

	if (!format)
		return EXIT_USAGE;
	if (!o->output && isatty(STDOUT_FILENO)) {
		warn("export: -o OUT says where to; a terminal is no place for it (-o - insists)");
		return EXIT_USAGE;
	}
	use.opens_only = format->needs == NEEDS_EVENTS;
	status = session_open(&s, o, &use);
	status = status ? status : export_session(format, &s, o);
	session_progress_end();
	return session_close(&s, status);
}
