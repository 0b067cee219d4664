/* SPDX-License-Identifier: MIT */
/*
 * trace_files.c - descriptors: which file, socket or pipe, opened where, how much went through it in calls of which
 * size, how long they blocked, and which were never closed.
 */
#include <stdlib.h>

#include "analyzer/reports/report.h"

/* So many calls of so few bytes each are told as tiny. */
#define TINY_BYTES 256u
#define TINY_CALLS 1000u

/* So many that failed with EAGAIN, and half of all: whoever asks again instead of waiting. */
#define STORM_CALLS 1000u
#define MANY_SYNCS 100u

static const char *sign_of(const struct fd_row *row, uint64_t calls)
{
	uint64_t bytes = row->bytes_read + row->bytes_written;

	if (row->again >= STORM_CALLS && row->again >= calls / 2)
		return "EAGAIN storm";
	if (row->syncs >= MANY_SYNCS && row->syncs >= calls / 4)
		return "sync after sync";
	return calls >= TINY_CALLS && bytes && bytes / calls < TINY_BYTES ? "tiny I/O" : NULL;
}

static void row_of(const struct report_run *r, struct table *t, const struct fd_row *row)
{
	table_row(t);
	table_number(t, row->fd);
	table_text(t, *row->path ? row->path : NULL);
	table_number(t, (int64_t)row->lives);
	table_number(t, (int64_t)row->calls);
	table_number(t, (int64_t)row->bytes_read);
	table_number(t, (int64_t)row->bytes_written);
	table_number(t, (int64_t)(row->calls ? (row->bytes_read + row->bytes_written) / row->calls : 0));
	table_number(t, (int64_t)row->io_ns);
	table_number(t, (int64_t)row->blocked_ns);
	table_number(t, (int64_t)row->again);
	table_number(t, (int64_t)row->syncs);
	table_text(t, sign_of(row, row->calls));
	table_text(t, row->open ? "open" : "closed");
	report_stack_cell(r, t, row->open_stack);
}

static int print(struct report_run *r, const struct fds *fds, struct page *page)
{
	struct table *t = page_table(page, "Descriptors", "descriptors");
	uint64_t open = 0;

	table_column(t, "fd", "fd", UNIT_COUNT);
	table_column(t, "file", "path", UNIT_TEXT);
	table_column(t, "lives", "lives", UNIT_COUNT);
	table_column(t, "calls", "calls", UNIT_COUNT);
	table_column(t, "read", "bytes_read", UNIT_BYTES);
	table_column(t, "written", "bytes_written", UNIT_BYTES);
	table_column(t, "per call", "bytes_per_call", UNIT_BYTES);
	table_column(t, "in calls", "io_ns", UNIT_NS);
	table_column(t, "blocked", "blocked_ns", UNIT_NS);
	table_column(t, "EAGAIN", "again", UNIT_COUNT);
	table_column(t, "syncs", "syncs", UNIT_COUNT);
	table_column(t, "sign of", "sign", UNIT_TEXT);
	table_column(t, "at the end", "state", UNIT_TEXT);
	table_column(t, "opened by", "stack", UNIT_STACK);
	for (size_t i = 0; i < fds->rows_len; i++) {
		row_of(r, t, &fds->rows[i]);
		open += fds->rows[i].open;
	}
	page_fact(page, "descriptors", "descriptors", UNIT_COUNT, fds->rows_len);
	page_fact(page, "open at the end", "open", UNIT_COUNT, open);
	page_note(
		page,
		"a descriptor appears when it is first read, written or waited for. lives: how often it was opened as "
		"this file; in calls: short ones included. opened by: or used first, where the "
		"call that made it is not recorded (pipe, socket, dup)");
	return report_order(r, t, 8);
}

int report_trace_files(struct report_run *r, struct page *page)
{
	struct fds fds;
	struct pass_sink sink;
	const struct pass_sink *list[] = { &sink };
	bool has_window = r->a->filter.from_ns || r->a->filter.to_ns || r->a->filter.threads;
	int err = fds_init(&fds, &r->a->rec);

	sink = fds_sink(&fds);
	err = err ? err : analysis_pass(r->a, list, 1);
	if (!err) {
		fds_finish(&fds, has_window);
		err = print(r, &fds, page);
	}
	fds_release(&fds);
	return err;
}
