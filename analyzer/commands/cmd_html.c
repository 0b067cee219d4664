/* SPDX-License-Identifier: MIT */
/* cmd_html.c - a recording as one page for a browser. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/commands/diff_base.h"
#include "analyzer/commands/output.h"
#include "analyzer/commands/session.h"
#include "analyzer/util/die.h"
#include "analyzer/web/page.h"

static int write_page(struct session *s, const struct options *o, const struct web_base *base)
{
	struct output out;
	int err = analysis_models(&s->analyses[0]), status;

	if (err) {
		warn("%s: %s", s->path, reader_words(err));
		return EXIT_UNREADABLE;
	}
	err = output_open(&out, o->output);
	if (err) {
		warn("%s: %s", o->output, strerror(-err));
		return output_close(&out, NULL, EXIT_FINDING);
	}
	err = web_page_write(s, base, &o->report, o->no_source ? NULL : &o->view.source, out.file);
	session_progress_end();
	if (err && err != -EIO)
		warn("html: %s", reader_words(err));
	status = output_close(&out, o->output, err && err != -EIO ? EXIT_FINDING : EXIT_FINE);
	if (!status && s->files_len > 1)
		warn("html: one of %zu processes; --process NAME shows another", s->files_len);
	return status;
}

int cmd_html(struct options *o)
{
	const struct session_use use = { .names_heap = true, .opens_only = true };
	struct web_base of = { .path = o->diff_base };
	struct diff_base base = { 0 };
	struct session s;
	int status;

	if (!o->output && isatty(STDOUT_FILENO)) {
		warn("html: -o OUT.html says where to; a terminal is no place for it (-o - insists)");
		return EXIT_USAGE;
	}
	status = session_open(&s, o, &use);
	if (!status && o->diff_base) {
		status = diff_base_open(&base, &s, o);
		of.a = status ? NULL : &base.session.analyses[0];
	}
	status = status ? status : write_page(&s, o, o->diff_base ? &of : NULL);
	diff_base_release(&base);
	return session_close(&s, status);
}
