/* SPDX-License-Identifier: MIT */
/* io.h - the span of a call on a descriptor: kind, bytes, and the descriptor's own sums. */
#ifndef RINGSIDE_PRELOAD_IO_H
#define RINGSIDE_PRELOAD_IO_H

#include "preload/channels.h"
#include "preload/span.h"

/*
 * io_close - a call on `fd` moved `bytes`, or failed with `err`. errno is kept. has_begun: channel_begin has seen the
 * descriptor; if another thread has closed it meanwhile, its number may be another one's by now.
 */
static inline void io_close(const struct span *s, int fd, bool is_write, int err, uint64_t bytes, bool has_begun,
			    const struct regs *from)
{
	uint64_t now;

	if (!span_is_ours(s))
		return;
	now = clock_now();
	fds_io(s->t, fd, is_write, bytes, now - s->start, has_begun ? NULL : from);
	if (unlikely(err == EAGAIN || s->kind == WAIT_FSYNC))
		fds_count(fd, err == EAGAIN, s->kind == WAIT_FSYNC);
	span_close(s, now, err, bytes, from);
}

/* The value of `call`, which moves bytes on `fd`, recorded as one span. For use in a wrapper only. */
#define IO(kind, fd, is_write, call)                                                                                   \
	({                                                                                                             \
		struct regs from_ = REGS_OF_CALLER();                                                                  \
		struct span s_ = span_begin(kind, (uint64_t)(fd));                                                     \
		struct channel_call channel_ = channel_begin(&s_, fd, is_write, &from_);                               \
		int64_t ret_;                                                                                          \
		SPAN_CALL(s_, ret_, call, ret_ < 0, errno);                                                            \
                                                                                                                       \
		channel_end(&channel_, &s_, ret_ > 0, &from_);                                                         \
		io_close(&s_, fd, is_write, ret_<0 ? errno : 0, ret_> 0 ? (uint64_t)ret_ : 0, true, &from_);           \
		ret_;                                                                                                  \
	})

/* A call on `fd` that moves nothing: 0 or -1 and errno. */
#define FD_CALL(kind, fd, call)                                                                                        \
	({                                                                                                             \
		struct span s_ = span_begin(kind, (uint64_t)(fd));                                                     \
		int ret_;                                                                                              \
		SPAN_CALL(s_, ret_, call, ret_ < 0, errno);                                                            \
                                                                                                                       \
		io_close(&s_, (int)(fd), false, ret_ < 0 ? errno : 0, 0, false, &REGS_OF_CALLER());                    \
		ret_;                                                                                                  \
	})

#endif
