/* SPDX-License-Identifier: MIT */
/* hook_poll.c - waiting for descriptors. The span's object is the epoll or first polled descriptor. */
#include "preload/hook.h"
#include "preload/masks.h"
#include "preload/raw.h"
#include "preload/span.h"

#define STACK_NEAR 1024u /* bytes above sp that surely belong to callers: no stack begins so small */

#define WAIT(kind, object, call)                                                                                       \
	({                                                                                                             \
		struct span s_ = span_begin(kind, (uint64_t)(object));                                                 \
		int ret_;                                                                                              \
		SPAN_CALL(s_, ret_, call, ret_ < 0, errno);                                                            \
                                                                                                                       \
		span_end(&s_, ret_<0 ? errno : 0, ret_> 0 ? (uint64_t)ret_ : 0, REGS_OF_CALLER());                     \
		ret_;                                                                                                  \
	})

/* A program may pass an address where nothing is, and gets EFAULT from the kernel. What is on its stack is there. */
static bool can_read(const struct pollfd *fds)
{
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);

	return (uintptr_t)fds - sp < STACK_NEAR || ((thread_self || !thread_is_mute()) && raw_can_read(fds));
}

static int64_t first_fd(const struct pollfd *fds, nfds_t n)
{
	return n == 1 && !span_is_off() && can_read(fds) ? fds->fd : -1;
}

EXPORT int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	HOOK_READY(poll);
	return WAIT(WAIT_POLL, first_fd(fds, n), real.poll(fds, n, timeout));
}

EXPORT int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size)
{
	HOOK_READY(__poll_chk);
	return WAIT(WAIT_POLL, first_fd(fds, n), real.__poll_chk(fds, n, timeout, size));
}

EXPORT int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	sigset_t copy;

	HOOK_READY(ppoll);
	mask = mask_with_ours(mask, &copy);
	return WAIT(WAIT_POLL, first_fd(fds, n), real.ppoll(fds, n, timeout, mask));
}

EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask, size_t size)
{
	sigset_t copy;

	HOOK_READY(__ppoll_chk);
	mask = mask_with_ours(mask, &copy);
	return WAIT(WAIT_POLL, first_fd(fds, n), real.__ppoll_chk(fds, n, timeout, mask, size));
}

EXPORT int select(int n, fd_set *readable, fd_set *writable, fd_set *except, struct timeval *timeout)
{
	HOOK_READY(select);
	return WAIT(WAIT_SELECT, -1, real.select(n, readable, writable, except, timeout));
}

EXPORT int pselect(int n, fd_set *readable, fd_set *writable, fd_set *except, const struct timespec *timeout,
		   const sigset_t *mask)
{
	sigset_t copy;

	HOOK_READY(pselect);
	mask = mask_with_ours(mask, &copy);
	return WAIT(WAIT_SELECT, -1, real.pselect(n, readable, writable, except, timeout, mask));
}

EXPORT int epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
	HOOK_READY(epoll_wait);
	return WAIT(WAIT_EPOLL, fd, real.epoll_wait(fd, events, n, timeout));
}

EXPORT int epoll_pwait(int fd, struct epoll_event *events, int n, int timeout, const sigset_t *mask)
{
	sigset_t copy;

	HOOK_READY(epoll_pwait);
	mask = mask_with_ours(mask, &copy);
	return WAIT(WAIT_EPOLL, fd, real.epoll_pwait(fd, events, n, timeout, mask));
}

EXPORT int epoll_pwait2(int fd, struct epoll_event *events, int n, const struct timespec *timeout, const sigset_t *mask)
{
	sigset_t copy;

	HOOK_READY(epoll_pwait2);
	mask = mask_with_ours(mask, &copy);
	return WAIT(WAIT_EPOLL, fd, real.epoll_pwait2(fd, events, n, timeout, mask));
}
