/* SPDX-License-Identifier: MIT */
/* channels.c - see channels.h. */
#include "preload/channels.h"

/* An epoll has a place of its own, by its number; pairs of sockets are numbered. Both apart from inodes and hashes. */
#define EPOLL_KEYS ((uint64_t)1 << 62)
#define PAIR_KEYS ((uint64_t)1 << 61)

struct channel_place channel_places[CHANNEL_PLACES];

static uint64_t epoll_key(uint32_t epoll)
{
	return EPOLL_KEYS | (uint64_t)epoll << 3;
}

/* A wait that has only just begun will hardly be recorded, and its waker need not be either. */
struct channel_place channel_waiter(uint64_t key, uint64_t now)
{
	struct channel_place waiter = *channel_place(key);

	if (!waiter.since && waiter.epoll) {
		key = epoll_key(waiter.epoll - 1);
		waiter = *channel_place(key);
	}
	if (waiter.key != key || now < waiter.since || now - waiter.since < span_block_ticks / 2)
		waiter.since = 0;
	return waiter;
}

/* The target is told where the object does not say it: of a wait for several descriptors. */
void channel_wake(const struct channel_place *waiter, const struct span *s, const struct regs *from)
{
	struct rec_wake record = { .object = (uint64_t)(int64_t)waiter->object,
				   .target = waiter->object < 0 ? waiter->tid : 0,
				   .wait = (uint16_t)waiter->wait,
				   .count = 1 };
	struct lane *lane = span_is_ours(s) && waiter->tid != s->t->tid ? lane_enter(s->t) : NULL;

	if (!lane)
		return;
	record.stack = lane_stack(lane, from);
	lane_put(s->t, lane, EV_WAKE, s->start, &record, sizeof(record));
	lane_leave(s->t, lane);
}

/* The key of what a poll waits for at `fd`; 0: no channel. */
static uint64_t polled_key(const struct span *s, const struct pollfd *fd, const struct regs *from)
{
	uint64_t channel = fd->fd >= 0 ? fds_channel(s->t, fd->fd, from) : 0;

	if (!channel)
		return 0;
	return channel | (!(fd->events & POLLIN) && fd->events & POLLOUT ? CHANNEL_WRITING : 0);
}

void channel_poll_begin(const struct span *s, const struct pollfd *fds, nfds_t n, const struct regs *from)
{
	for (nfds_t i = 0; s->t && i < n && i < CHANNEL_POLLED; i++) {
		uint64_t key = polled_key(s, &fds[i], from);

		if (key)
			channel_mark(channel_place(key), s, key);
	}
}

void channel_poll_end(const struct span *s, const struct pollfd *fds, nfds_t n, const struct regs *from)
{
	for (nfds_t i = 0; span_is_ours(s) && i < n && i < CHANNEL_POLLED; i++) {
		uint64_t key = polled_key(s, &fds[i], from);
		struct channel_place *place = channel_place(key);

		if (key && place->tid == s->t->tid)
			__atomic_store_n(&place->since, 0, __ATOMIC_RELAXED);
	}
}

struct channel_place *channel_epoll(const struct span *s)
{
	uint64_t key = epoll_key((uint32_t)s->object);
	struct channel_place *place = channel_place(key);

	if (!s->t)
		return NULL;
	channel_mark(place, s, key);
	return place;
}

void channel_watch(int epoll, int fd, const struct regs *from)
{
	struct thread *t = span_is_off() ? NULL : thread_enter();
	uint64_t channel = t ? fds_channel(t, fd, from) : 0;
	struct channel_place *place = channel_place(channel);

	if (t)
		thread_settle(t);
	if (!channel)
		return;
	place->key = channel;
	place->epoll = (uint32_t)epoll + 1;
}

void channel_pair(int a, int b, const struct regs *from)
{
	static uint64_t pairs;
	struct thread *t = span_is_off() ? NULL : thread_enter();
	uint64_t channel = PAIR_KEYS | __atomic_add_fetch(&pairs, 1, __ATOMIC_RELAXED) << 3 | CHANNEL_BOTH;

	if (!t)
		return;
	fds_set_channel(t, a, channel, from);
	fds_set_channel(t, b, channel | CHANNEL_END, from);
	thread_settle(t);
}

void channels_begin_child(void)
{
	for (unsigned i = 0; i < CHANNEL_PLACES; i++)
		if (channel_places[i].since)
			channel_places[i].since = 0;
}
