/* SPDX-License-Identifier: MIT */
/* folded.c - a line per stack, outermost function first: "main;parse;read_line 1234", as flamegraph.pl wants it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "analyzer/exports/export.h"

/* ';' parts frames and a newline lines; the last blank parts the number. */
static void put_name(struct buf *line, const char *name)
{
	size_t begin = line->len;

	buf_add_safe(line, name, strlen(name));
	for (size_t i = begin; i < line->len; i++)
		if (line->data[i] == ';')
			line->data[i] = ':';
}

int export_folded(struct export_run *r)
{
	struct frames frames = { 0 };
	struct buf line = { 0 };
	int err = 0;

	for (size_t i = 0; i < r->profile->rows_len && !err; i++) {
		const struct profile_row *row = &r->profile->rows[i];

		if (row->values[r->value] <= 0)
			continue;
		err = stacks_frames(r->stacks, row->stack, &frames);
		buf_clear(&line);
		if (!err && !frames.len)
			buf_add_string(&line, "[no stack]");
		for (size_t k = frames.len; k-- > 0 && !err;) {
			put_name(&line, export_frame_name(frames.list[k]));
			buf_add_string(&line, k ? ";" : "");
		}
		err = err ? err : line.failed ? -ENOMEM : 0;
		if (!err)
			fprintf(r->out, "%s %" PRId64 "\n", buf_string(&line), row->values[r->value]);
	}
	frames_release(&frames);
	buf_release(&line);
	return err ? err : ferror(r->out) ? -EIO : 0;
}
