/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/models/fds.h"
#include "analyzer/models/waits.h"

/* One row for each descriptor of a name that was opened at a place. */
static struct fd_row *row_at(struct fds *f, uint32_t fd, const char *path, struct stack_id opened)
{
	uint64_t *number = map_at(&f->path_of, (uint64_t)(uintptr_t)path, NULL), key, index;

	if (!number)
		return NULL;
	if (!*number)
		*number = f->path_of.len;
	key = hash_bytes((const uint64_t[]){ *number << 32 | fd, opened.v }, 2 * sizeof(uint64_t));
	if (map_get(&f->row_of, key, &index))
		return &f->rows[index];
	if (f->rows_len == f->rows_cap) {
		size_t cap = f->rows_cap ? 2 * f->rows_cap : 64;
		struct fd_row *rows = realloc(f->rows, cap * sizeof(*rows));

		if (!rows)
			return NULL;
		f->rows = rows;
		f->rows_cap = cap;
	}
	if (map_put(&f->row_of, key, f->rows_len))
		return NULL;
	f->rows[f->rows_len] = (struct fd_row){ .fd = fd, .path = path, .open_stack = opened };
	return &f->rows[f->rows_len++];
}

static const char *intern(struct fds *f, const char *path)
{
	return symbols_intern(stacks_symbols(f->rec->stacks), path);
}

static struct fd_row *row_of_name(struct fds *f, uint32_t fd, uint32_t name, struct stack_id opened)
{
	struct buf path = { 0 };
	const char *interned;

	recording_string(f->rec, name, &path);
	interned = intern(f, f->rows_len < FD_ROWS_MAX ? buf_string(&path) : "");
	buf_release(&path);
	return interned ? row_at(f, f->rows_len < FD_ROWS_MAX ? fd : UINT32_MAX, interned, opened) : NULL;
}

static void add_life(struct fds *f, uint32_t fd, uint32_t name, uint32_t open_stack, const struct fd_row *life)
{
	struct fd_row *row = row_of_name(f, fd, name, recording_stack(f->rec, open_stack));
	uint64_t blocked_ns = 0;

	if (!row) {
		f->failed = true;
		return;
	}
	map_remove(&f->blocked, fd, &blocked_ns);
	row->lives++;
	row->open += life->open;
	row->calls += life->calls;
	row->bytes_read += life->bytes_read;
	row->bytes_written += life->bytes_written;
	row->io_ns += life->io_ns;
	row->again += life->again;
	row->syncs += life->syncs;
	row->blocked_ns += blocked_ns;
}

static void on_close(void *self, const struct pass_event *e)
{
	struct fds *f = self;
	const struct rec_fd *rec = &e->ev->fd;
	struct fd_row life = { .calls = rec->calls,
			       .bytes_read = rec->bytes_read,
			       .bytes_written = rec->bytes_written,
			       .io_ns = clock_dur_ns(&f->rec->clock, rec->io_ticks),
			       .again = rec->again,
			       .syncs = rec->syncs };

	add_life(f, rec->fd, rec->name, rec->open_stack, &life);
}

/* Calls whose object is a descriptor. */
static bool is_on_fd(unsigned wait)
{
	return wait == WAIT_EPOLL || wait == WAIT_READ || wait == WAIT_WRITE || wait == WAIT_ACCEPT ||
	       wait == WAIT_CONNECT || wait == WAIT_RECV || wait == WAIT_SEND || wait == WAIT_FSYNC ||
	       wait == WAIT_LOCK_FILE;
}

static void on_span(void *self, const struct pass_event *e)
{
	struct fds *f = self;
	const struct rec_span *span = &e->ev->span;
	uint64_t *sum;

	if (!is_on_fd(span->wait) || span->object > INT32_MAX)
		return;
	sum = map_at(&f->blocked, span->object, NULL);
	if (sum)
		*sum += span_split(&f->rec->clock, span).blocked_ns;
	else
		f->failed = true;
}

int fds_init(struct fds *f, struct recording *rec)
{
	*f = (struct fds){ .rec = rec };
	map_init(&f->row_of);
	map_init(&f->path_of);
	map_init(&f->blocked);
	return 0;
}

void fds_release(struct fds *f)
{
	free(f->rows);
	map_release(&f->row_of);
	map_release(&f->path_of);
	map_release(&f->blocked);
	*f = (struct fds){ 0 };
}

struct pass_sink fds_sink(struct fds *f)
{
	return (struct pass_sink){ .self = f, .on = { [EV_SPAN] = on_span, [EV_FD_CLOSE] = on_close } };
}

static int by_blocked(const void *a, const void *b)
{
	const struct fd_row *x = a, *y = b;
	uint64_t x_bytes = x->bytes_read + x->bytes_written, y_bytes = y->bytes_read + y->bytes_written;

	if (x->blocked_ns != y->blocked_ns)
		return x->blocked_ns > y->blocked_ns ? -1 : 1;
	if (x_bytes != y_bytes)
		return x_bytes > y_bytes ? -1 : 1;
	return x->fd < y->fd ? -1 : x->fd > y->fd;
}

/* Spans on descriptors that have no totals: the row without a name. */
static void add_nameless(struct fds *f)
{
	struct map_iter it = { 0 };
	const char *none = intern(f, "");

	while (none && map_next(&f->blocked, &it)) {
		struct fd_row *row = row_at(f, (uint32_t)it.key, none, (struct stack_id){ 0 });

		if (row)
			row->blocked_ns += it.value;
	}
}

void fds_finish(struct fds *f, bool has_window)
{
	for (size_t i = 0; i < f->rec->fds_len; i++) {
		const struct rsd_fd *slot = &f->rec->fds[i].slot;
		struct fd_row life = { .calls = slot->own.calls,
				       .bytes_read = slot->own.bytes_read,
				       .bytes_written = slot->own.bytes_written,
				       .io_ns = clock_dur_ns(&f->rec->clock, slot->own.io_ticks),
				       .open = 1,
				       .again = slot->again,
				       .syncs = slot->syncs };

		if (has_window)
			life = (struct fd_row){ .open = 1 };
		add_life(f, f->rec->fds[i].fd, slot->name, slot->open_stack, &life);
	}
	add_nameless(f);
	if (f->rows_len)
		qsort(f->rows, f->rows_len, sizeof(*f->rows), by_blocked);
}

int fds_merge(struct fds *into, const struct fds *from)
{
	size_t cap = into->rows_len + from->rows_len;
	struct fd_row *rows = realloc(into->rows, (cap ? cap : 1) * sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	into->rows = rows;
	into->rows_cap = cap ? cap : 1;
	for (size_t i = 0; i < from->rows_len; i++)
		into->rows[into->rows_len++] = from->rows[i];
	if (into->rows_len)
		qsort(into->rows, into->rows_len, sizeof(*into->rows), by_blocked);
	return 0;
}
