/* SPDX-License-Identifier: MIT */
/* cmd_report.c - the first look at a recording. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/commands/imported.h"
#include "analyzer/views/overview.h"
#include "analyzer/util/die.h"

/* Rows per list when --top does not say. */
#define TOP_TEXT 8u
#define TOP_JSON 50u

/* The first line at once, for whoever reads from a pipe; on a terminal a long pass shows how far it is. */
static bool has_title;

static void print_title(const struct recording *rec)
{
	overview_text_title(rec, stdout);
	fflush(stdout);
	has_title = true;
}

static int print(struct session *s, const struct options *o)
{
	struct overview r = { .session = s, .a = &s->analyses[0], .has_title = has_title };
	int err = findings_make(&r.findings, r.a);

	r.top = o->top > 0 ? (size_t)o->top : o->top == 0 ? SIZE_MAX : o->is_json ? TOP_JSON : TOP_TEXT;
	if (!err && !o->is_json)
		session_pager(s);
	err = err ? err : o->is_json ? overview_json(&r, s->out) : overview_text(&r, s->out);
	findings_release(&r.findings);
	if (err == -ENOMEM)
		warn("%s: out of memory", s->path);
	return err ? EXIT_FINDING : EXIT_FINE;
}

int cmd_report(struct options *o)
{
	struct session_use use = { .names_heap = true, .takes_imports = true };
	struct session s;
	int status;

	if (!o->is_json && !isatty(STDOUT_FILENO))
		use.opened = print_title;
	status = session_open(&s, o, &use);
	status = status ? status : s.import ? imported_report(&s, o) : print(&s, o);
	return session_close(&s, status);
}
