/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/diff_base.h"
#include "analyzer/commands/imported.h"
#include "analyzer/util/die.h"

static int add_recordings(struct align *align, enum align_side side, const struct session *s)
{
	int err = 0;

	if (s->import)
		return import_align(s->import, align, side);
	for (size_t i = 0; !err && i < s->analyses_len; i++)
		err = align_recording(align, side, &s->analyses[i].rec);
	return err;
}

static int add_stacks(struct align *align, enum align_side side, const struct profile *p)
{
	int weight = profile_value_index(p, "alloc_objects"), err = 0;

	for (size_t i = 0; !err && i < p->rows_len; i++)
		err = align_stack(align, side, p->rows[i].stack, weight >= 0 ? (uint64_t)p->rows[i].values[weight] : 0,
				  !strcmp(p->title, "cpu"));
	return err;
}

/* Every stack is replaced by the first one that is the same code; the new recording's stand first. */
static int add_rows(struct profile *to, const struct profile *from, int sign, const struct align *align,
		    struct map *first)
{
	for (size_t i = 0; i < from->rows_len; i++) {
		const struct profile_row *row = &from->rows[i];
		uint64_t *stack = map_at(first, align_key(align, row->stack), NULL);
		const char *label = profile_label_text(from, row->label);
		int64_t values[PROFILE_VALUES];

		if (!stack)
			return -ENOMEM;
		/* The key of the empty stack is 0, and so is the stack. */
		if (!*stack)
			*stack = row->stack.v;
		for (size_t v = 0; v < PROFILE_VALUES; v++)
			values[v] = sign * row->values[v];
		if (profile_add(to, (struct stack_id){ (uint32_t)*stack }, *label ? profile_label(to, label) : 0,
				values))
			return -ENOMEM;
	}
	return 0;
}

static int subtract(struct diff_base *b, const struct session *s, struct profile *p)
{
	struct map first = MAP_INIT;
	struct profile difference;
	int err = b->align ? 0 : -ENOMEM;

	err = err ? err : add_recordings(b->align, ALIGN_OLD, &b->session);
	err = err ? err : add_recordings(b->align, ALIGN_NEW, s);
	err = err ? err : add_stacks(b->align, ALIGN_OLD, &b->profile);
	err = err ? err : add_stacks(b->align, ALIGN_NEW, p);
	err = err ? err : align_finish(b->align);
	if (err)
		return err;
	err = profile_define_like(&difference, p);
	err = err ? err : add_rows(&difference, p, 1, b->align, &first);
	err = err ? err : add_rows(&difference, &b->profile, -1, b->align, &first);
	map_release(&first);
	profile_release(p);
	*p = difference;
	return err;
}

int diff_base_open(struct diff_base *b, const struct session *s, const struct options *o)
{
	const struct session_use use = { .names_heap = true, .takes_imports = true, .shares = s };
	struct options of = *o;
	char *path[] = { (char *)o->diff_base };

	of.args = path;
	of.args_len = 1;
	b->is_open = true;
	return session_open(&b->session, &of, &use);
}

static int out_of_memory(void)
{
	warn("out of memory");
	return EXIT_FINDING;
}

/* Profiles of two origins may have other numbers. */
static int keep_shared(struct diff_base *b, const struct session *s, struct profile *p)
{
	if (!s->import && !b->session.import)
		return 0;
	profile_keep_shared(p, &b->profile);
	if (profile_keep_shared(&b->profile, p))
		return 0;
	warn("--diff-base: %s and %s have no number of one name", s->path, b->session.path);
	return EXIT_USAGE;
}

int diff_base_subtract(struct diff_base *b, const struct session *s, struct options *o, struct profile *p,
		       int (*make)(const struct analysis *a, const struct options *o, struct profile *p))
{
	int status;

	if (!o->diff_base)
		return 0;
	if (o->view.kind == VIEW_LIST) {
		warn("--list shows the source of one recording: it does not go with --diff-base");
		return EXIT_USAGE;
	}
	status = diff_base_open(b, s, o);
	if (status)
		return status;
	profile_init(&b->profile, p->title);
	b->align = align_new(s->stacks);
	if (b->session.import)
		status = imported_profile(&b->session, p->title, &b->profile);
	else
		status = make(&b->session.analyses[0], o, &b->profile) ? out_of_memory() : 0;
	status = status ? status : keep_shared(b, s, p);
	if (status)
		return status;
	if (subtract(b, s, p))
		return out_of_memory();
	o->view.align = b->align;
	o->view.base = &b->profile;
	o->view.base_path = o->diff_base;
	return 0;
}

void diff_base_release(struct diff_base *b)
{
	if (!b->is_open)
		return;
	profile_release(&b->profile);
	align_free(b->align);
	session_close(&b->session, EXIT_FINE);
}
