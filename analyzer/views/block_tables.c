/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>

#include "analyzer/views/block_tables.h"
#include "analyzer/models/findings.h"
#include "analyzer/show/render.h"
#include "analyzer/views/overview.h"
#include "analyzer/util/die.h"
#include "format/kinds.h"

#define ROWS 20u
#define HOLDERS 5u

static void fill_kinds(struct table *t, const struct waits *w)
{
	table_column(t, "kind", "kind", UNIT_TEXT);
	table_column(t, "calls", "calls", UNIT_COUNT);
	table_column(t, "waits", "spans", UNIT_COUNT);
	table_column(t, "blocked", "blocked_ns", UNIT_NS);
	table_column(t, "p50", "p50_ns", UNIT_NS);
	table_column(t, "p99", "p99_ns", UNIT_NS);
	table_column(t, "longest", "max_ns", UNIT_NS);
	table_column(t, "in short calls", "short_ns", UNIT_NS);
	for (unsigned i = 1; i < RSD_WAITS; i++) {
		const struct wait_kind *kind = &w->kinds[i];

		if (!kind->calls && !kind->spans)
			continue;
		table_row(t);
		table_text(t, wait_name(i));
		table_number(t, (int64_t)kind->calls);
		table_number(t, (int64_t)kind->spans);
		table_number(t, (int64_t)kind->blocked_ns);
		table_number(t, kind->blocked ? (int64_t)histogram_percentile(kind->blocked, 50) : 0);
		table_number(t, kind->blocked ? (int64_t)histogram_percentile(kind->blocked, 99) : 0);
		table_number(t, kind->blocked ? (int64_t)kind->blocked->max : 0);
		table_number(t, (int64_t)kind->short_ns);
	}
	table_sort(t, 3, true);
	table_note(t, "waits: calls of at least the threshold (`block`), each recorded with its stack");
}

static void put_lock(struct table *t, const struct lock *lock)
{
	table_row(t);
	table_number(t, (int64_t)lock->wait_ns);
	table_number(t, (int64_t)lock->contentions);
	table_number(t, (int64_t)lock->max_wait_ns);
	table_textf(t, "%s %s", wait_name(lock->wait), lock->name);
}

static void put_inside(struct table *t, const struct analysis *a, const struct lock_inside *inside)
{
	struct buf name = { 0 };

	place_name_and_caller(&name, a->rec.stacks, inside->stack);
	table_row(t);
	table_number(t, (int64_t)inside->blocked_ns);
	table_number(t, (int64_t)inside->times);
	table_skip(t);
	table_textf(t, "    which itself waited in %s at %s", wait_name(inside->wait), buf_string(&name));
	buf_release(&name);
}

static void put_holder(struct table *t, const struct analysis *a, const struct lock_holder *holder)
{
	struct buf name = { 0 };

	table_row(t);
	table_number(t, (int64_t)holder->wait_ns);
	table_number(t, (int64_t)holder->waits);
	table_number(t, (int64_t)holder->longest_ns);
	if (holder->stack.v)
		place_name(&name, a->rec.stacks, holder->stack);
	else if (holder->tid)
		buf_printf(&name, "thread %" PRIu32, holder->tid);
	else
		buf_add_string(&name, "somebody not known");
	table_textf(t, "  held by %s", buf_string(&name));
	buf_release(&name);
	for (uint32_t i = 0; i < holder->inside_len; i++)
		put_inside(t, a, &holder->inside[i]);
}

static void fill_locks(struct table *t, const struct analysis *a, size_t rows)
{
	const struct locks *l = &a->locks;
	size_t at = 0;

	table_column(t, "blocked", "wait_ns", UNIT_NS);
	table_column(t, "waits", "contentions", UNIT_COUNT);
	table_column(t, "longest", "max_wait_ns", UNIT_NS);
	table_column(t, "lock, and who held it meanwhile", "name", UNIT_TEXT);
	for (size_t i = 0; i < l->locks_len && i < rows; i++) {
		size_t holders = 0;

		put_lock(t, &l->locks[i]);
		for (; at < l->holders_len && l->holders[at].lock == i; at++)
			if (l->holders[at].wait_ns && holders++ < HOLDERS)
				put_holder(t, a, &l->holders[at]);
	}
	if (l->locks_len > rows)
		table_note(t, "%zu more locks", l->locks_len - rows);
}

static void fill_fds(struct table *t, const struct fds *f, size_t rows)
{
	table_column(t, "blocked", "blocked_ns", UNIT_NS);
	table_column(t, "calls", "calls", UNIT_COUNT);
	table_column(t, "read", "bytes_read", UNIT_BYTES);
	table_column(t, "written", "bytes_written", UNIT_BYTES);
	table_column(t, "fd", "fd", UNIT_COUNT);
	table_column(t, "file", "path", UNIT_TEXT);
	for (size_t i = 0; i < f->rows_len && i < rows; i++) {
		const struct fd_row *row = &f->rows[i];

		table_row(t);
		table_number(t, (int64_t)row->blocked_ns);
		table_number(t, (int64_t)row->calls);
		table_number(t, (int64_t)row->bytes_read);
		table_number(t, (int64_t)row->bytes_written);
		if (row->fd == UINT32_MAX)
			table_skip(t);
		else
			table_number(t, row->fd);
		table_text(t, row->path);
	}
	if (f->rows_len > rows)
		table_note(t, "%zu more descriptors", f->rows_len - rows);
}

static int print_table(struct session *s, struct table *t)
{
	struct render_style style = { .width = session_width(), .use_color = session_color(), .indent = 2 };
	int err = 0;

	if (t->rows_len) {
		fprintf(s->out, "\n%s\n", t->name);
		err = render_text(t, &style, s->out);
	}
	table_release(t);
	return err;
}

int block_tables(struct session *s, const struct options *o)
{
	const struct analysis *a = &s->analyses[0];
	size_t rows = o->top > 0 ? (size_t)o->top : o->top == 0 ? SIZE_MAX : ROWS;
	struct table t;
	int err;

	table_init(&t, "By kind");
	fill_kinds(&t, &a->waits);
	err = print_table(s, &t);
	table_init(&t, "By lock");
	fill_locks(&t, a, rows);
	err = err ? err : print_table(s, &t);
	table_init(&t, "By descriptor");
	fill_fds(&t, &a->fds, rows);
	err = err ? err : print_table(s, &t);
	return err ? EXIT_FINDING : EXIT_FINE;
}

int block_json(struct session *s, const struct options *o)
{
	size_t rows = o->top > 0 ? (size_t)o->top : o->top == 0 ? SIZE_MAX : ROWS;
	struct json j;
	int err;

	json_init(&j, s->out);
	json_begin_object(&j);
	json_field_string(&j, "schema", "ringside.block/1");
	err = overview_json_block(&j, &s->analyses[0], rows);
	json_end(&j);
	err = json_finish(&j) ? -EIO : err;
	if (err == -ENOMEM)
		warn("%s: out of memory", s->path);
	return err ? EXIT_FINDING : EXIT_FINE;
}
