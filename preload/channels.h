/* SPDX-License-Identifier: MIT */
/*
 * channels.h - who ends a wait on a pipe, a socket or an eventfd: the thread that writes into the other end, or takes
 * out of a full one.
 *
 * What both ends have in common is the channel, a number that fds.h finds together with the descriptor's name. Who is
 * about to wait leaves a mark at the channel's place in a table; who moves bytes looks there with one load, and makes
 * a WAKE record when somebody has waited for so long that the wait will be recorded. Marks are plain stores: of two
 * waiters at one place one is forgotten, and a mark that a cancelled thread left costs a record for each later write.
 */
#ifndef RINGSIDE_PRELOAD_CHANNELS_H
#define RINGSIDE_PRELOAD_CHANNELS_H

#include <poll.h>

#include "preload/fds.h"
#include "preload/span.h"

/* A channel is a multiple of 8 and more than 0; in the bits below stand: */
#define CHANNEL_END 1u	   /* which end of a socket */
#define CHANNEL_BOTH 2u	   /* both ends read and write: a socket */
#define CHANNEL_WRITING 4u /* in the key of a place: who waits there writes */

struct channel_place {
	uint64_t key;	/* channel and bits */
	uint64_t since; /* tick; 0: nobody waits */
	int32_t object; /* of the waiter's span: a descriptor, or -1 for several */
	uint32_t tid, wait;
	uint32_t epoll; /* descriptor + 1 of the epoll that watches this end */
};

#define CHANNEL_PLACES 1024u
extern struct channel_place channel_places[CHANNEL_PLACES] HIDDEN;

static inline struct channel_place *channel_place(uint64_t key)
{
	return &channel_places[(key * 0x9e3779b97f4a7c15u) >> 54];
}

static inline void channel_mark(struct channel_place *place, const struct span *s, uint64_t key)
{
	if (unlikely(place->key != key)) {
		place->key = key;
		place->epoll = 0;
	}
	place->object = (int32_t)s->object;
	place->tid = s->t->tid;
	place->wait = s->kind;
	__atomic_store_n(&place->since, s->start, __ATOMIC_RELAXED);
}

static inline void channel_unmark(struct channel_place *mark)
{
	if (mark)
		__atomic_store_n(&mark->since, 0, __ATOMIC_RELAXED);
}

/* What one call on a channel has to do with others. */
struct channel_call {
	struct channel_place *mark;  /* ours, NULL: none */
	struct channel_place waiter; /* at the other end; since is 0: none */
};

/* channel_waiter - who waits at the other end for a call that begins now, copied; since is 0: none. */
struct channel_place channel_waiter(uint64_t key, uint64_t now);

/* channel_begin - a call on `fd` is about to be made. Costs a few loads where there is no channel. */
static inline struct channel_call channel_begin(const struct span *s, int fd, bool is_write, const struct regs *from)
{
	uint64_t channel = unlikely(!s->t) ? 0 : fds_channel(s->t, fd, from), theirs, ours;
	struct channel_place *other;
	struct channel_call call;

	call.mark = NULL;
	call.waiter.since = 0; /* of the rest nothing is read then */
	if (!channel)
		return call;
	theirs = (channel & CHANNEL_BOTH ? channel ^ CHANNEL_END : channel) | (is_write ? 0 : CHANNEL_WRITING);
	other = channel_place(theirs);
	if (unlikely(other->key == theirs && (other->since || other->epoll)))
		call.waiter = channel_waiter(theirs, s->start);
	ours = channel | (is_write ? CHANNEL_WRITING : 0);
	call.mark = channel_place(ours);
	channel_mark(call.mark, s, ours);
	return call;
}

/* channel_wake - the record of who was woken. errno is kept. */
void channel_wake(const struct channel_place *waiter, const struct span *s, const struct regs *from);

/* channel_end - the call is over. errno is kept. */
static inline void channel_end(const struct channel_call *call, const struct span *s, bool has_moved,
			       const struct regs *from)
{
	channel_unmark(call->mark);
	if (unlikely(call->waiter.since && has_moved))
		channel_wake(&call->waiter, s, from);
}

/* A wait for several descriptors at once, of which the first CHANNEL_POLLED are marked. `fds` must be readable. */
#define CHANNEL_POLLED 8u
void channel_poll_begin(const struct span *s, const struct pollfd *fds, nfds_t n, const struct regs *from);
void channel_poll_end(const struct span *s, const struct pollfd *fds, nfds_t n, const struct regs *from);

/* channel_epoll - a wait for an epoll begins. Returns its mark for channel_unmark, or NULL. */
struct channel_place *channel_epoll(const struct span *s);
/* channel_watch - what arrives at `fd` ends waits for the epoll from now on. */
void channel_watch(int epoll, int fd, const struct regs *from);

/* channel_pair - two sockets that were made as the ends of one channel. */
void channel_pair(int a, int b, const struct regs *from);

/* channels_begin_child - in a child of fork nobody waits. */
void channels_begin_child(void);

#endif
