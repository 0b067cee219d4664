/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "analyzer/commands/imported.h"
#include "analyzer/util/die.h"
#include "analyzer/views/imported_view.h"

/* Functions of each number when --top does not say. */
#define TOP_TEXT 8u
#define TOP_JSON 50u

int imported_profile(struct session *s, const char *command, struct profile *p)
{
	struct import *im = s->import;

	profile_init(p, command);
	if (im->subject != IMPORT_OTHER && strcmp(command, import_command(im->subject)) != 0) {
		warn("%s is %s with the numbers that `ringside %s` shows", s->path, im->format->words,
		     import_command(im->subject));
		return EXIT_USAGE;
	}
	*p = im->profile;
	p->title = command;
	profile_init(&im->profile, command);
	if (!profile_note(p, "read from %s", im->format->words))
		return 0;
	warn("out of memory");
	return EXIT_FINDING;
}

int imported_report(struct session *s, const struct options *o)
{
	struct imported_view v = { .import = s->import, .path = s->path };
	int err;

	v.top = o->top > 0 ? (size_t)o->top : o->top == 0 ? SIZE_MAX : o->is_json ? TOP_JSON : TOP_TEXT;
	v.style = (struct render_style){ .width = session_width(), .use_color = session_color() };
	if (!o->is_json)
		session_pager(s);
	err = o->is_json ? imported_json(&v, s->out) : imported_text(&v, s->out);
	if (err == -ENOMEM)
		warn("%s: out of memory", s->path);
	return err ? EXIT_FINDING : EXIT_FINE;
}
