/* SPDX-License-Identifier: MIT */
/*
 * hook_stdio.c - stdio calls that reach the kernel, because libc's own reads and writes pass no wrapper.
 *
 * A call that its buffer can serve is only forwarded: no clock reading, not counted. The buffer is looked at
 * without the stream's lock, so two threads on one stream may see a call as the other kind: that costs a span
 * that is not recorded or a clock reading too many, nothing else.
 */
#include "preload/hook.h"
#include "preload/io.h"
#include "preload/text.h"

static bool has_input(const FILE *f, size_t wanted)
{
	return f && (size_t)(f->_IO_read_end - f->_IO_read_ptr) >= wanted && wanted;
}

static bool has_room(const FILE *f, size_t wanted)
{
	return f && f->_IO_write_end > f->_IO_write_ptr && (size_t)(f->_IO_write_end - f->_IO_write_ptr) > wanted;
}

/* An unflushed stream without pending output has nothing to do in the kernel. */
static bool has_output(const FILE *f)
{
	return !f || f->_IO_write_ptr > f->_IO_write_base;
}

static int fd_of(const FILE *f)
{
	return f ? f->_fileno : -1;
}

#define STREAM(kind, f, is_write, type, call, bytes, failed)                                                           \
	({                                                                                                             \
		int fd_ = fd_of(f);                                                                                    \
		struct regs from_ = REGS_OF_CALLER();                                                                  \
		struct span s_ = span_begin(kind, (uint64_t)(int64_t)fd_);                                             \
		struct channel_call channel_ = channel_begin(&s_, fd_, is_write, &from_);                              \
		type ret_ = (call);                                                                                    \
		uint64_t bytes_ = (bytes);                                                                             \
                                                                                                                       \
		channel_end(&channel_, &s_, bytes_ > 0, &from_);                                                       \
		io_close(&s_, fd_, is_write, (failed) ? errno : 0, bytes_, true, &from_);                              \
		ret_;                                                                                                  \
	})

EXPORT size_t fread(void *buf, size_t size, size_t n, FILE *f)
{
	HOOK_READY(fread);
	if (has_input(f, size * n))
		return real.fread(buf, size, n, f);
	return STREAM(WAIT_READ, f, false, size_t, real.fread(buf, size, n, f), ret_ * size, ret_ < n);
}

EXPORT size_t fwrite(const void *buf, size_t size, size_t n, FILE *f)
{
	HOOK_READY(fwrite);
	if (has_room(f, size * n))
		return real.fwrite(buf, size, n, f);
	return STREAM(WAIT_WRITE, f, true, size_t, real.fwrite(buf, size, n, f), ret_ * size, ret_ < n);
}

EXPORT char *fgets(char *buf, int n, FILE *f)
{
	HOOK_READY(fgets);
	/* A line may end before the buffer does; whether it does is libc's to find out. */
	if (has_input(f, 1) && __builtin_memchr(f->_IO_read_ptr, '\n', (size_t)(f->_IO_read_end - f->_IO_read_ptr)))
		return real.fgets(buf, n, f);
	return STREAM(WAIT_READ, f, false, char *, real.fgets(buf, n, f), ret_ ? text_len(ret_) : 0, !ret_);
}

EXPORT int fputs(const char *s, FILE *f)
{
	HOOK_READY(fputs);
	if (has_room(f, text_len(s)))
		return real.fputs(s, f);
	return STREAM(WAIT_WRITE, f, true, int, real.fputs(s, f), ret_ < 0 ? 0 : text_len(s), ret_ < 0);
}

EXPORT int fflush(FILE *f)
{
	HOOK_READY(fflush);
	if (!has_output(f))
		return real.fflush(f);
	return STREAM(WAIT_WRITE, f, true, int, real.fflush(f), 0, ret_ != 0);
}

EXPORT int fclose(FILE *f)
{
	int fd, ret;
	struct span s;

	HOOK_READY(fclose);
	fd = fd_of(f);
	s = span_begin(WAIT_WRITE, (uint64_t)(int64_t)fd);
	fds_close(fd);
	ret = real.fclose(f);
	span_end(&s, ret ? errno : 0, 0, REGS_OF_CALLER());
	return ret;
}

EXPORT ssize_t getline(char **line, size_t *cap, FILE *f)
{
	HOOK_READY(getline);
	return STREAM(WAIT_READ, f, false, ssize_t, real.getline(line, cap, f), ret_ > 0 ? (uint64_t)ret_ : 0,
		      ret_ < 0);
}

EXPORT ssize_t getdelim(char **line, size_t *cap, int delimiter, FILE *f)
{
	HOOK_READY(getdelim);
	return STREAM(WAIT_READ, f, false, ssize_t, real.getdelim(line, cap, delimiter, f),
		      ret_ > 0 ? (uint64_t)ret_ : 0, ret_ < 0);
}

/* What getline is in optimised programs. */
EXPORT ssize_t __getdelim(char **line, size_t *cap, int delimiter, FILE *f)
{
	HOOK_READY(__getdelim);
	return STREAM(WAIT_READ, f, false, ssize_t, real.__getdelim(line, cap, delimiter, f),
		      ret_ > 0 ? (uint64_t)ret_ : 0, ret_ < 0);
}
