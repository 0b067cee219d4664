/* SPDX-License-Identifier: MIT */
/*
 * fds.h - files, sockets and pipes: calls, bytes and time blocked by descriptor and name.
 *
 * Totals of a descriptor's life arrive when it is closed, those of open ones stand in the dump's slots. Blocked
 * time comes from the spans on the descriptor and goes to the life during which they ended.
 */
#ifndef RINGSIDE_FDS_H
#define RINGSIDE_FDS_H

#include "analyzer/read/pass.h"

/* More (descriptor, name) pairs than this go to one row without a name. */
#define FD_ROWS_MAX 65536u

struct fd_row {
	uint32_t fd;
	const char *path; /* interned; "" when not known */
	uint64_t lives;	  /* times it was opened */
	uint64_t open;	  /* of these: open at the end */
	uint64_t calls, bytes_read, bytes_written;
	uint64_t io_ns; /* in calls, short ones included */
	uint64_t blocked_ns;
	uint64_t again, syncs;	    /* calls that failed with EAGAIN; fsync and its like */
	struct stack_id open_stack; /* where it was opened, or else used first */
};

struct fds {
	struct recording *rec;
	struct fd_row *rows;
	size_t rows_len, rows_cap;
	struct map row_of;  /* path number, fd and place -> index */
	struct map path_of; /* interned pointer -> path number */
	struct map blocked; /* fd -> ns since it was opened */
	bool failed;
};

int fds_init(struct fds *f, struct recording *rec);
void fds_release(struct fds *f);
struct pass_sink fds_sink(struct fds *f);

/* fds_finish - the open ones; rows are ordered by blocked time, then bytes. has_window: totals are left out. */
void fds_finish(struct fds *f, bool has_window);
int fds_merge(struct fds *into, const struct fds *from);

#endif
