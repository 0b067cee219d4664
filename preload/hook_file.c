/* SPDX-License-Identifier: MIT */
/*
 * hook_file.c - opening, closing, syncing and locking files.
 *
 * open and fcntl take a third argument only sometimes. It is always passed on as it came in its register, which
 * is what libc's own wrappers do.
 */
#include <stdarg.h>
#include <sys/file.h>
#include <sys/mman.h>

#include "preload/hook.h"
#include "preload/io.h"

/* The value of an opening call; the new descriptor is the span's amount, plus one, so that 0 means none. */
#define OPEN(call)                                                                                                     \
	({                                                                                                             \
		struct span s_ = span_begin(WAIT_OPEN, (uint64_t)-1);                                                  \
		int ret_;                                                                                              \
		SPAN_CALL(s_, ret_, call, ret_ < 0, errno);                                                            \
                                                                                                                       \
		fds_close(ret_);                                                                                       \
		fds_opened(ret_, &REGS_OF_CALLER());                                                                   \
		span_end(&s_, ret_ < 0 ? errno : 0, ret_ < 0 ? 0 : (uint64_t)ret_ + 1, REGS_OF_CALLER());              \
		ret_;                                                                                                  \
	})

#define THIRD(type, after)                                                                                             \
	({                                                                                                             \
		va_list list_;                                                                                         \
		type arg_;                                                                                             \
                                                                                                                       \
		va_start(list_, after);                                                                                \
		arg_ = va_arg(list_, type);                                                                            \
		va_end(list_);                                                                                         \
		arg_;                                                                                                  \
	})

EXPORT int open(const char *path, int flags, ...)
{
	mode_t mode = THIRD(mode_t, flags);

	HOOK_READY(open);
	return OPEN(real.open(path, flags, mode));
}

EXPORT int open64(const char *path, int flags, ...)
{
	mode_t mode = THIRD(mode_t, flags);

	HOOK_READY(open64);
	return OPEN(real.open64(path, flags, mode));
}

EXPORT int openat(int dir, const char *path, int flags, ...)
{
	mode_t mode = THIRD(mode_t, flags);

	HOOK_READY(openat);
	return OPEN(real.openat(dir, path, flags, mode));
}

EXPORT int openat64(int dir, const char *path, int flags, ...)
{
	mode_t mode = THIRD(mode_t, flags);

	HOOK_READY(openat64);
	return OPEN(real.openat64(dir, path, flags, mode));
}

EXPORT int creat(const char *path, mode_t mode)
{
	HOOK_READY(creat);
	return OPEN(real.creat(path, mode));
}

EXPORT int creat64(const char *path, mode_t mode)
{
	HOOK_READY(creat64);
	return OPEN(real.creat64(path, mode));
}

EXPORT int __open_2(const char *path, int flags)
{
	HOOK_READY(__open_2);
	return OPEN(real.__open_2(path, flags));
}

EXPORT int __open64_2(const char *path, int flags)
{
	HOOK_READY(__open64_2);
	return OPEN(real.__open64_2(path, flags));
}

EXPORT int __openat_2(int dir, const char *path, int flags)
{
	HOOK_READY(__openat_2);
	return OPEN(real.__openat_2(dir, path, flags));
}

EXPORT int __openat64_2(int dir, const char *path, int flags)
{
	HOOK_READY(__openat64_2);
	return OPEN(real.__openat64_2(dir, path, flags));
}

/* Before the real call: after it the number may be another thread's new descriptor. */
EXPORT int close(int fd)
{
	HOOK_READY(close);
	fds_close(fd);
	return real.close(fd);
}

EXPORT int dup2(int from, int to)
{
	HOOK_READY(dup2);
	if (from != to)
		fds_close(to);
	return real.dup2(from, to);
}

EXPORT int dup3(int from, int to, int flags)
{
	HOOK_READY(dup3);
	if (from != to)
		fds_close(to);
	return real.dup3(from, to, flags);
}

EXPORT int fsync(int fd)
{
	HOOK_READY(fsync);
	return FD_CALL(WAIT_FSYNC, fd, real.fsync(fd));
}

EXPORT int fdatasync(int fd)
{
	HOOK_READY(fdatasync);
	return FD_CALL(WAIT_FSYNC, fd, real.fdatasync(fd));
}

EXPORT int syncfs(int fd)
{
	HOOK_READY(syncfs);
	return FD_CALL(WAIT_FSYNC, fd, real.syncfs(fd));
}

EXPORT int sync_file_range(int fd, off64_t offset, off64_t n, unsigned flags)
{
	HOOK_READY(sync_file_range);
	return FD_CALL(WAIT_FSYNC, fd, real.sync_file_range(fd, offset, n, flags));
}

EXPORT int msync(void *addr, size_t len, int flags)
{
	struct span s;
	int ret;

	HOOK_READY(msync);
	s = span_begin(WAIT_FSYNC, (uint64_t)-1);
	ret = real.msync(addr, len, flags);
	span_end(&s, ret ? errno : 0, len, REGS_OF_CALLER());
	return ret;
}

EXPORT void sync(void)
{
	struct span s;

	HOOK_READY(sync);
	s = span_begin(WAIT_FSYNC, (uint64_t)-1);
	real.sync();
	span_end(&s, 0, 0, REGS_OF_CALLER());
}

EXPORT int flock(int fd, int operation)
{
	HOOK_READY(flock);
	if (operation & LOCK_NB || operation == LOCK_UN)
		return real.flock(fd, operation);
	return FD_CALL(WAIT_LOCK_FILE, fd, real.flock(fd, operation));
}

EXPORT int lockf(int fd, int command, off_t len)
{
	HOOK_READY(lockf);
	if (command != F_LOCK)
		return real.lockf(fd, command, len);
	return FD_CALL(WAIT_LOCK_FILE, fd, real.lockf(fd, command, len));
}

EXPORT int lockf64(int fd, int command, off64_t len)
{
	HOOK_READY(lockf64);
	if (command != F_LOCK)
		return real.lockf64(fd, command, len);
	return FD_CALL(WAIT_LOCK_FILE, fd, real.lockf64(fd, command, len));
}

EXPORT int fcntl(int fd, int command, ...)
{
	void *arg = THIRD(void *, command);

	HOOK_READY(fcntl);
	if (command != F_SETLKW && command != F_OFD_SETLKW)
		return real.fcntl(fd, command, arg);
	return FD_CALL(WAIT_LOCK_FILE, fd, real.fcntl(fd, command, arg));
}

EXPORT int fcntl64(int fd, int command, ...)
{
	void *arg = THIRD(void *, command);

	HOOK_READY(fcntl64);
	if (command != F_SETLKW && command != F_OFD_SETLKW)
		return real.fcntl64(fd, command, arg);
	return FD_CALL(WAIT_LOCK_FILE, fd, real.fcntl64(fd, command, arg));
}
