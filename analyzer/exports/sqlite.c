/* SPDX-License-Identifier: MIT */
/*
 * sqlite.c - a database: threads, frames, stacks as a tree, sites of the heap, waits and CPU samples. The manual page
 * has the columns.
 *
 * SQLite writes to the output's own file, without a journal: a half-written database never gets its name
 * (cmd_export.c). One pass over the recording writes waits and samples as they come; the other tables follow.
 */
#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/exports/heap_sites.h"
#include "analyzer/models/waits.h"
#include "format/kinds.h"

#define SCHEMA_VERSION "1"

static const char schema[] =
	"pragma journal_mode = off; pragma synchronous = off; pragma locking_mode = exclusive; begin;"
	"create table recording (key text primary key, value);"
	"create table threads (id integer primary key, tid integer, name text, start_ns integer, end_ns integer,"
	" cpu_ns integer);"
	"create table frames (id integer primary key, function text, file text, line integer, module text);"
	"create table stacks (id integer primary key, parent integer, frame integer);"
	"create table sites (stack integer primary key, allocations integer, allocated_bytes integer,"
	" live_blocks integer, live_bytes integer, peak_blocks integer, peak_bytes integer, lifetimes_ns integer);"
	"create table waits (thread integer, kind text, begin_ns integer, dur_ns integer, blocked_ns integer,"
	" object text, amount integer, holder_tid integer, errno integer, stack integer);"
	"create table samples (thread integer, ns integer, weight integer, stack integer);"
	"create view stack_frames as with recursive walk (stack, depth, at) as (select id, 0, id from stacks union all"
	" select stack, depth + 1, parent from walk join stacks on stacks.id = at where parent <> 0)"
	" select stack, depth, function, file, line, module from walk join stacks on stacks.id = at"
	" join frames on frames.id = frame;";

enum into { INTO_RECORDING, INTO_THREADS, INTO_FRAMES, INTO_STACKS, INTO_SITES, INTO_WAITS, INTO_SAMPLES, INTO_ALL };

static const char *const inserts[INTO_ALL] = {
	[INTO_RECORDING] = "insert into recording values (?, ?)",
	[INTO_THREADS] = "insert into threads values (?, ?, ?, ?, ?, ?)",
	[INTO_FRAMES] = "insert into frames values (?, ?, ?, ?, ?)",
	[INTO_STACKS] = "insert into stacks values (?, ?, ?)",
	[INTO_SITES] = "insert into sites values (?, ?, ?, ?, ?, ?, ?, ?)",
	[INTO_WAITS] = "insert into waits values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[INTO_SAMPLES] = "insert into samples values (?, ?, ?, ?)",
};

struct database {
	struct export_run *r;
	struct recording *rec;
	struct heap_sites sites;
	sqlite3 *db;
	sqlite3_stmt *insert[INTO_ALL];
	sqlite3_stmt *row; /* being filled */
	int column;
	int status; /* of SQLite: the first failure */
};

/* ---- rows ----------------------------------------------------------------------------------------------------- */

static void keep_status(struct database *d, int status)
{
	if (d->status == SQLITE_OK && status != SQLITE_DONE)
		d->status = status;
}

static void begin_row(struct database *d, enum into into)
{
	d->row = d->insert[into];
	d->column = 0;
}

static void end_row(struct database *d)
{
	keep_status(d, sqlite3_step(d->row));
	sqlite3_reset(d->row);
	sqlite3_clear_bindings(d->row);
}

static void put_number(struct database *d, uint64_t value)
{
	keep_status(d, sqlite3_bind_int64(d->row, ++d->column, (sqlite3_int64)value));
}

/* NULL is SQL's; what is no UTF-8 is made so. */
static void put_text(struct database *d, const char *text)
{
	struct buf utf8 = { 0 };

	d->column++;
	if (!text)
		return;
	export_utf8(&utf8, text);
	keep_status(d, utf8.failed ? SQLITE_NOMEM
				   : sqlite3_bind_text(d->row, d->column, buf_string(&utf8), (int)utf8.len,
						       SQLITE_TRANSIENT));
	buf_release(&utf8);
}

/* Wider than SQL's numbers. */
static void put_address(struct database *d, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	put_text(d, text);
}

static void put_stack(struct database *d, uint32_t id)
{
	put_number(d, frame_tree_of(&d->sites.tree, recording_stack(d->rec, id)));
}

static uint64_t moment(const struct database *d, uint64_t tick)
{
	return clock_ns(&d->rec->clock, tick);
}

/* ---- tables --------------------------------------------------------------------------------------------------- */

static void on_span(void *self, const struct pass_event *e)
{
	struct database *d = self;
	const struct rec_span *span = &e->ev->span;

	begin_row(d, INTO_WAITS);
	put_number(d, e->thread);
	put_text(d, wait_name(span->wait));
	put_number(d, moment(d, e->tick > span->dur_ticks ? e->tick - span->dur_ticks : 0));
	put_number(d, clock_dur_ns(&d->rec->clock, span->dur_ticks));
	put_number(d, span_split(&d->rec->clock, span).blocked_ns);
	put_address(d, span->object);
	put_number(d, span->amount);
	put_number(d, span->peer);
	put_number(d, span->err);
	put_stack(d, span->stack);
	end_row(d);
}

static void on_sample(void *self, const struct pass_event *e)
{
	struct database *d = self;

	begin_row(d, INTO_SAMPLES);
	put_number(d, e->thread);
	put_number(d, moment(d, e->tick));
	put_number(d, e->ev->sample.weight ? e->ev->sample.weight : 1);
	put_stack(d, e->ev->sample.stack);
	end_row(d);
}

static void put_fact(struct database *d, const char *key, const char *text, uint64_t number)
{
	begin_row(d, INTO_RECORDING);
	put_text(d, key);
	if (text)
		put_text(d, text);
	else
		put_number(d, number);
	end_row(d);
}

static void put_threads(struct database *d)
{
	for (uint32_t i = 0; i < d->rec->threads_len; i++) {
		const struct rsd_thread *t = recording_thread(d->rec, i);
		char name[sizeof(t->name) + 1] = "";

		if (!t)
			continue;
		memcpy(name, t->name, sizeof(t->name));
		begin_row(d, INTO_THREADS);
		put_number(d, i);
		put_number(d, t->tid);
		put_text(d, name);
		put_number(d, moment(d, t->start_tick));
		put_number(d, moment(d, t->end_tick ? t->end_tick : d->rec->end_tick));
		put_number(d, t->cpu_ns);
		end_row(d);
	}
}

static void put_frames(struct database *d)
{
	const struct frame_tree *tree = &d->sites.tree;

	for (size_t i = 0; i < tree->distinct_len; i++) {
		begin_row(d, INTO_FRAMES);
		put_number(d, i + 1);
		put_text(d, export_frame_name(tree->distinct[i]));
		put_text(d, tree->distinct[i]->file);
		put_number(d, tree->distinct[i]->line);
		put_text(d, tree->distinct[i]->module_path);
		end_row(d);
	}
	for (size_t i = 0; i < tree->len; i++) {
		begin_row(d, INTO_STACKS);
		put_number(d, i + 1);
		put_number(d, tree->nodes[i].parent);
		put_number(d, tree->nodes[i].frame_number);
		end_row(d);
	}
}

static void put_sites(struct database *d)
{
	for (size_t i = 0; i < d->sites.len; i++) {
		const struct export_site *s = &d->sites.sites[i];

		if (!s->blocks)
			continue;
		begin_row(d, INTO_SITES);
		put_number(d, i);
		put_number(d, weight_count(s->blocks));
		put_number(d, s->bytes);
		put_number(d, weight_count(s->mark.live_blocks));
		put_number(d, s->mark.live_bytes);
		put_number(d, weight_count(s->mark.peak_blocks));
		put_number(d, s->mark.peak_bytes);
		put_number(d, s->lifetimes_ns);
		end_row(d);
	}
}

/* ---- the file ------------------------------------------------------------------------------------------------- */

static int open_database(struct database *d)
{
	char link[32], path[4096];
	struct stat st;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fileno(d->r->out));
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0 || fstat(fileno(d->r->out), &st) || !S_ISREG(st.st_mode)) {
		buf_add_string(d->r->error, "a database is a file: -o OUT.db says which");
		return -EINVAL;
	}
	path[len] = '\0';
	keep_status(d, sqlite3_open_v2(path, &d->db, SQLITE_OPEN_READWRITE, NULL));
	if (d->status == SQLITE_OK)
		keep_status(d, sqlite3_exec(d->db, schema, NULL, NULL, NULL));
	for (int i = 0; i < INTO_ALL && d->status == SQLITE_OK; i++)
		keep_status(d, sqlite3_prepare_v2(d->db, inserts[i], -1, &d->insert[i], NULL));
	return d->status == SQLITE_OK ? 0 : -EIO;
}

static int fill(struct database *d)
{
	const struct pass_sink sink = { .self = d, .on = { [EV_SPAN] = on_span, [EV_SAMPLE] = on_sample } };
	int err = heap_sites_run(&d->sites, d->r, &sink);

	put_fact(d, "schema", SCHEMA_VERSION, 0);
	put_fact(d, "exe", d->rec->exe, 0);
	put_fact(d, "pid", NULL, d->rec->reader.header.pid);
	put_fact(d, "start_realtime_ns", NULL, d->rec->reader.header.start_realtime_ns);
	put_fact(d, "end_ns", NULL, recording_end_ns(d->rec));
	put_threads(d);
	put_frames(d);
	put_sites(d);
	keep_status(d, sqlite3_exec(d->db, "commit", NULL, NULL, NULL));
	heap_sites_release(&d->sites);
	return err;
}

int export_sqlite(struct export_run *r)
{
	struct database d = { .r = r, .rec = &r->a->rec };
	int err = open_database(&d);

	err = err ? err : fill(&d);
	if (d.status != SQLITE_OK)
		buf_printf(r->error, "SQLite: %s", sqlite3_errstr(d.status));
	for (int i = 0; i < INTO_ALL; i++)
		sqlite3_finalize(d.insert[i]);
	sqlite3_close(d.db);
	return err == -EINVAL || err == -ENOMEM ? err : d.status == SQLITE_OK ? err : -ENOSPC;
}
