/* SPDX-License-Identifier: MIT */
/*
 * fds.h - what is known of each descriptor: its name, bytes, calls and time, live in the dump.
 *
 * A life begins at the first recorded call on the number and ends with close or dup2 onto it; then the totals go
 * out as an FD_CLOSE record. The name is read from /proc/self/fd once a life ("/var/log/x", "pipe:[42]"); for
 * sockets it is the peer ("tcp 127.0.0.1:6379", "unix /run/x").
 * Most descriptors are used by one thread: the first one owns the slot and adds to its sums with plain stores, all
 * others share a second set with atomic adds.
 */
#ifndef RINGSIDE_PRELOAD_FDS_H
#define RINGSIDE_PRELOAD_FDS_H

#include "preload/thread.h"

#define FDS_TABLES 4096u /* descriptors beyond about a million are not told apart */

/* The slots of 256 descriptors each, NULL: none of them was used. */
extern struct rsd_extent *fds_tables[FDS_TABLES] HIDDEN;

static inline struct rsd_fd *fds_slot(int fd)
{
	uint32_t table = (uint32_t)fd / RSD_FDS_PER_UNIT;
	struct rsd_extent *ext = table < FDS_TABLES ? __atomic_load_n(&fds_tables[table], __ATOMIC_ACQUIRE) : NULL;

	return ext ? (struct rsd_fd *)(ext + 1) + (uint32_t)fd % RSD_FDS_PER_UNIT : NULL;
}

/*
 * fds_channel_slow - of a descriptor that is new: the channel that it has in common with its other end, see channels.h;
 * 0: there is none, or it is not known. errno is kept.
 */
uint64_t fds_channel_slow(struct thread *t, int fd, const struct regs *from);

static inline uint64_t fds_channel(struct thread *t, int fd, const struct regs *from)
{
	struct rsd_fd *slot = fds_slot(fd);

	return likely(slot && slot->name) ? slot->channel : fds_channel_slow(t, fd, from);
}

/* fds_set_channel - the caller knows it better. */
void fds_set_channel(struct thread *t, int fd, uint64_t channel, const struct regs *from);

/* fds_io_slow - fds_io on a descriptor that is new, or used by another thread than its first one. */
void fds_io_slow(struct thread *t, int fd, bool is_write, uint64_t bytes, uint64_t ticks, const struct regs *from);

static inline void fds_add_own(struct rsd_fd_sums *own, bool is_write, uint64_t bytes, uint64_t ticks)
{
	own->calls++;
	own->io_ticks += ticks;
	*(is_write ? &own->bytes_written : &own->bytes_read) += bytes;
}

/*
 * fds_io - a call on `fd` moved `bytes` (may be 0) one way and took `ticks`. Only after span_is_ours has said that `t`
 * is the calling thread and records. from: the caller, where the life of a descriptor may begin with this call; NULL:
 * it began before, or has ended since. errno is kept.
 */
static inline void fds_io(struct thread *t, int fd, bool is_write, uint64_t bytes, uint64_t ticks,
			  const struct regs *from)
{
	struct rsd_fd *slot = fds_slot(fd);

	if (unlikely(!slot || slot->owner != t->index + 1 || !slot->name)) {
		fds_io_slow(t, fd, is_write, bytes, ticks, from);
		return;
	}
	fds_add_own(&slot->own, is_write, bytes, ticks);
}

/* fds_count - of a descriptor that is in use: calls that would have had to wait, and syncs. */
void fds_count(int fd, uint64_t again, uint64_t syncs);

/* fds_opened - a call that returned -1 or a new descriptor: where it was opened. errno is kept. */
void fds_opened(int fd, const struct regs *from);

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
