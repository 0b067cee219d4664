/* SPDX-License-Identifier: MIT */
/*
 * fds.h - what is known of each descriptor: its name, bytes, calls and time, live in the dump.
 *
 * A life begins at the first recorded call on the number and ends with close or dup2 onto it; then the totals go
 * out as an FD_CLOSE record. The name is read from /proc/self/fd once a life ("/var/log/x", "pipe:[42]"); for
 * sockets it is the peer ("tcp 127.0.0.1:6379", "unix /run/x").
 */
#ifndef RINGSIDE_PRELOAD_FDS_H
#define RINGSIDE_PRELOAD_FDS_H

#include "preload/thread.h"

/* fds_io - a call on `fd` moved `bytes` (may be 0) one way and took `ticks`. errno is kept. */
void fds_io(struct thread *t, int fd, bool is_write, uint64_t bytes, uint64_t ticks);

/*
 * fds_close - the life of `fd` ends now. Also called for a number that was just handed out, because not every close
 * is seen: pclose, closedir, freopen, close_range, closefrom close on their own.
 */
void fds_close(int fd);

/* fds_peer_changed - connect or accept gave it a peer: the name is looked up again. */
void fds_peer_changed(int fd);

/* fds_begin_child - in a child of fork all lives begin anew. */
void fds_begin_child(void);

#endif
