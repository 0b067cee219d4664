/* SPDX-License-Identifier: MIT */
/* io.h - the span of a call on a descriptor: kind, bytes, and the descriptor's own sums. */
#ifndef RINGSIDE_PRELOAD_IO_H
#define RINGSIDE_PRELOAD_IO_H

#include "preload/fds.h"
#include "preload/span.h"

static inline void io_end(const struct span *s, int fd, bool is_write, int64_t ret, struct regs from)
{
	int err = ret < 0 ? errno : 0;
	uint64_t bytes = ret > 0 ? (uint64_t)ret : 0;
	uint64_t ticks = span_end(s, err, bytes, from);

	if (s->t)
		fds_io(s->t, fd, is_write, bytes, ticks);
}

/* The value of `call`, which moves bytes on `fd`, recorded as one span. For use in a wrapper only. */
#define IO(kind, fd, is_write, call)                                                                                   \
	({                                                                                                             \
		struct span s_ = span_begin(kind, (uint64_t)(fd));                                                     \
		int64_t ret_ = (call);                                                                                 \
                                                                                                                       \
		io_end(&s_, fd, is_write, ret_, REGS_OF_CALLER());                                                     \
		ret_;                                                                                                  \
	})

/* A call on `fd` that moves nothing: 0 or -1 and errno. */
#define FD_CALL(kind, fd, call)                                                                                        \
	({                                                                                                             \
		struct span s_ = span_begin(kind, (uint64_t)(fd));                                                     \
		int ret_ = (call);                                                                                     \
		uint64_t ticks_ = span_end(&s_, ret_ < 0 ? errno : 0, 0, REGS_OF_CALLER());                            \
                                                                                                                       \
		if (s_.t)                                                                                              \
			fds_io(s_.t, (int)(fd), false, 0, ticks_);                                                     \
		ret_;                                                                                                  \
	})

#endif
