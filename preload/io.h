/* SPDX-License-Identifier: MIT */
/* io.h - the span of a call on a descriptor: kind, bytes, and the descriptor's own sums. */
#ifndef RINGSIDE_PRELOAD_IO_H
#define RINGSIDE_PRELOAD_IO_H

#include <sys/uio.h>

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

/* io_size - bytes in a list of pieces. */
size_t io_size(const struct iovec *pieces, size_t n);

#define IO_BY_WRITE (-1)

/*
 * io_write_behind - what comes behind the first `done` bytes, by write(2) or by send(2) with these flags, piece by
 * piece until one is short. Returns the bytes moved; errno may be any.
 */
int64_t io_write_behind(int fd, const struct iovec *pieces, size_t n, size_t done, int send_flags);

/*
 * IO_IS_SHORT - a call for `wanted` bytes has moved `moved` of them, because a sample's signal came in between and
 * nothing else? (What would not wait, or is at its end, moves nothing more when asked again.) Then the rest is due: a
 * program that waits for all bytes to be taken need not look how many were.
 */
#define IO_IS_SHORT(s, moved, wanted)                                                                                  \
	(unlikely((moved) > 0 && (s)->t && (s)->t->cut == CALL_SHORT) && span_is_ours(s) &&                            \
	 (uint64_t)(moved) < (uint64_t)(wanted))

/* Until all `wanted` bytes of ret are moved, or no more are: `rest` moves those behind the first done_. */
#define IO_REST(s, ret, wanted, rest)                                                                                  \
	while (IO_IS_SHORT(s, ret, wanted)) {                                                                          \
		int errno_ = errno;                                                                                    \
		size_t done_ = (size_t)(ret);                                                                          \
		int64_t more_;                                                                                         \
                                                                                                                       \
		(s)->t->cut = CALL_WHOLE;                                                                              \
		more_ = (rest);                                                                                        \
		errno = errno_;                                                                                        \
		if (more_ <= 0)                                                                                        \
			break;                                                                                         \
		(ret) += more_;                                                                                        \
	}

/* The value of `call`, which moves bytes on `fd`, recorded as one span. For use in a wrapper only. */
#define IO(kind, fd, is_write, call) IO_SPAN(kind, fd, is_write, call, )

/* The same of one that waits until all `wanted` bytes are moved, see IO_REST. */
#define IO_ALL(kind, fd, is_write, call, wanted, rest)                                                                 \
	IO_SPAN(kind, fd, is_write, call, IO_REST(&s_, ret_, wanted, rest))

#define IO_SPAN(kind, fd, is_write, call, then)                                                                        \
	({                                                                                                             \
		struct regs from_ = REGS_OF_CALLER();                                                                  \
		struct span s_ = span_begin(kind, (uint64_t)(fd));                                                     \
		struct channel_call channel_ = channel_begin(&s_, fd, is_write, &from_);                               \
		int64_t ret_;                                                                                          \
		SPAN_CALL(s_, ret_, call, ret_ < 0, errno);                                                            \
		then;                                                                                                  \
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
