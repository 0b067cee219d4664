/* SPDX-License-Identifier: MIT */
/* hook_poll.c - waiting for descriptors. The span's object is the epoll, the only polled descriptor, or -1. */
#include "preload/channels.h"
#include "preload/hook.h"
#include "preload/masks.h"
#include "preload/raw.h"
#include "preload/span.h"

#define STACK_NEAR 1024u /* bytes above sp that surely belong to callers: no stack begins so small */

/* A program may pass an address where nothing is, and gets EFAULT from the kernel. What is on its stack is there. */
static bool can_read(const void *fds)
{
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);

	return (uintptr_t)fds - sp < STACK_NEAR || ((thread_self || !thread_is_mute()) && raw_can_read(fds));
}

static bool is_same_page(const void *a, const void *b)
{
	return ((uintptr_t)a ^ (uintptr_t)b) < 4096;
}

/* How many of the descriptors can be looked at: none when the call does not wait, or passes what is not there. */
static nfds_t looked_at(const struct pollfd *fds, nfds_t n, bool waits)
{
	nfds_t some = n < CHANNEL_POLLED ? n : CHANNEL_POLLED;

	if (!some || !waits || span_is_off() || !can_read(fds))
		return 0;
	return is_same_page(fds, &fds[some - 1]) || can_read(&fds[some - 1]) ? some : 0;
}

#define POLL(fds, n, waits, call)                                                                                      \
	({                                                                                                             \
		nfds_t some_ = looked_at(fds, n, waits);                                                               \
		struct span s_ = span_begin(WAIT_POLL, (uint64_t)(int64_t)((n) == 1 && some_ ? (fds)->fd : -1));       \
		int ret_;                                                                                              \
                                                                                                                       \
		channel_poll_begin(&s_, fds, some_, &REGS_OF_CALLER());                                                \
		SPAN_CALL(s_, ret_, call, ret_ < 0, errno);                                                            \
		channel_poll_end(&s_, fds, some_, &REGS_OF_CALLER());                                                  \
		span_end(&s_, ret_<0 ? errno : 0, ret_> 0 ? (uint64_t)ret_ : 0, REGS_OF_CALLER());                     \
		ret_;                                                                                                  \
	})

#define EPOLL(fd, call)                                                                                                \
	({                                                                                                             \
		struct span s_ = span_begin(WAIT_EPOLL, (uint64_t)(int64_t)(fd));                                      \
		struct channel_place *mark_ = channel_epoll(&s_);                                                      \
		int ret_;                                                                                              \
		SPAN_CALL(s_, ret_, call, ret_ < 0, errno);                                                            \
                                                                                                                       \
		channel_unmark(mark_);                                                                                 \
		span_end(&s_, ret_<0 ? errno : 0, ret_> 0 ? (uint64_t)ret_ : 0, REGS_OF_CALLER());                     \
		ret_;                                                                                                  \
	})

EXPORT int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	HOOK_READY(poll);
	return POLL(fds, n, timeout, real.poll(fds, n, timeout));
}

EXPORT int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size)
{
	HOOK_READY(__poll_chk);
	return POLL(fds, n, timeout, real.__poll_chk(fds, n, timeout, size));
}

EXPORT int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	sigset_t copy;

	HOOK_READY(ppoll);
	mask = mask_with_ours(mask, &copy);
	return POLL(fds, n, true, real.ppoll(fds, n, timeout, mask));
}

EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask, size_t size)
{
	sigset_t copy;

	HOOK_READY(__ppoll_chk);
	mask = mask_with_ours(mask, &copy);
	return POLL(fds, n, true, real.__ppoll_chk(fds, n, timeout, mask, size));
}

/* The first descriptors of the sets as poll would want them. Sets are looked at only where all of them can be. */
static nfds_t first_selected(int n, const fd_set *readable, const fd_set *writable, struct pollfd out[CHANNEL_POLLED])
{
	const fd_set *sets[] = { readable, writable };
	nfds_t len = 0;

	for (int set = 0; set < 2 && n > 0 && !span_is_off(); set++) {
		const long *words = sets[set] ? sets[set]->fds_bits : NULL;
		int count = (n + NFDBITS - 1) / NFDBITS;

		if (!words || !can_read(words) ||
		    (!is_same_page(words, &words[count - 1]) && (count > 512 || !can_read(&words[count - 1]))))
			continue;
		for (int fd = 0; fd < n && len < CHANNEL_POLLED; fd++)
			if (words[fd / NFDBITS] & (long)((unsigned long)1 << fd % NFDBITS))
				out[len++] = (struct pollfd){ .fd = fd, .events = set ? POLLOUT : POLLIN };
			else if (!words[fd / NFDBITS])
				fd |= NFDBITS - 1;
	}
	return len;
}

#define SELECT(n, readable, writable, call)                                                                            \
	({                                                                                                             \
		struct span s_ = span_begin(WAIT_SELECT, (uint64_t)-1);                                                \
		struct pollfd fds_[CHANNEL_POLLED];                                                                    \
		nfds_t some_ = first_selected(n, readable, writable, fds_);                                            \
		int ret_;                                                                                              \
                                                                                                                       \
		channel_poll_begin(&s_, fds_, some_, &REGS_OF_CALLER());                                               \
		SPAN_CALL(s_, ret_, call, ret_ < 0, errno);                                                            \
		channel_poll_end(&s_, fds_, some_, &REGS_OF_CALLER());                                                 \
		span_end(&s_, ret_<0 ? errno : 0, ret_> 0 ? (uint64_t)ret_ : 0, REGS_OF_CALLER());                     \
		ret_;                                                                                                  \
	})

EXPORT int select(int n, fd_set *readable, fd_set *writable, fd_set *except, struct timeval *timeout)
{
	HOOK_READY(select);
	return SELECT(n, readable, writable, real.select(n, readable, writable, except, timeout));
}

EXPORT int pselect(int n, fd_set *readable, fd_set *writable, fd_set *except, const struct timespec *timeout,
		   const sigset_t *mask)
{
	sigset_t copy;

	HOOK_READY(pselect);
	mask = mask_with_ours(mask, &copy);
	return SELECT(n, readable, writable, real.pselect(n, readable, writable, except, timeout, mask));
}

EXPORT int epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
	HOOK_READY(epoll_wait);
	return EPOLL(fd, real.epoll_wait(fd, events, n, timeout));
}

EXPORT int epoll_pwait(int fd, struct epoll_event *events, int n, int timeout, const sigset_t *mask)
{
	sigset_t copy;

	HOOK_READY(epoll_pwait);
	mask = mask_with_ours(mask, &copy);
	return EPOLL(fd, real.epoll_pwait(fd, events, n, timeout, mask));
}

EXPORT int epoll_pwait2(int fd, struct epoll_event *events, int n, const struct timespec *timeout, const sigset_t *mask)
{
	sigset_t copy;

	HOOK_READY(epoll_pwait2);
	mask = mask_with_ours(mask, &copy);
	return EPOLL(fd, real.epoll_pwait2(fd, events, n, timeout, mask));
}

EXPORT int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
	int ret;

	HOOK_READY(epoll_ctl);
	ret = real.epoll_ctl(epoll, op, fd, event);
	if (ret == 0 && op == EPOLL_CTL_ADD)
		channel_watch(epoll, fd, &REGS_OF_CALLER());
	return ret;
}
