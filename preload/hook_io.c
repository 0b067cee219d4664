/* SPDX-License-Identifier: MIT */
/* hook_io.c - reading and writing descriptors, fortified names included. */
#include "preload/hook.h"
#include "preload/io.h"

EXPORT ssize_t read(int fd, void *buf, size_t n)
{
	HOOK_READY(read);
	return IO(WAIT_READ, fd, false, real.read(fd, buf, n));
}

EXPORT ssize_t readv(int fd, const struct iovec *iov, int n)
{
	HOOK_READY(readv);
	return IO(WAIT_READ, fd, false, real.readv(fd, iov, n));
}

EXPORT ssize_t pread(int fd, void *buf, size_t n, off_t offset)
{
	HOOK_READY(pread);
	return IO(WAIT_READ, fd, false, real.pread(fd, buf, n, offset));
}

EXPORT ssize_t pread64(int fd, void *buf, size_t n, off64_t offset)
{
	HOOK_READY(pread64);
	return IO(WAIT_READ, fd, false, real.pread64(fd, buf, n, offset));
}

EXPORT ssize_t preadv(int fd, const struct iovec *iov, int n, off_t offset)
{
	HOOK_READY(preadv);
	return IO(WAIT_READ, fd, false, real.preadv(fd, iov, n, offset));
}

EXPORT ssize_t preadv64(int fd, const struct iovec *iov, int n, off64_t offset)
{
	HOOK_READY(preadv64);
	return IO(WAIT_READ, fd, false, real.preadv64(fd, iov, n, offset));
}

EXPORT ssize_t preadv2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
	HOOK_READY(preadv2);
	return IO(WAIT_READ, fd, false, real.preadv2(fd, iov, n, offset, flags));
}

EXPORT ssize_t __read_chk(int fd, void *buf, size_t n, size_t size)
{
	HOOK_READY(__read_chk);
	return IO(WAIT_READ, fd, false, real.__read_chk(fd, buf, n, size));
}

EXPORT ssize_t __pread_chk(int fd, void *buf, size_t n, off_t offset, size_t size)
{
	HOOK_READY(__pread_chk);
	return IO(WAIT_READ, fd, false, real.__pread_chk(fd, buf, n, offset, size));
}

EXPORT ssize_t __pread64_chk(int fd, void *buf, size_t n, off64_t offset, size_t size)
{
	HOOK_READY(__pread64_chk);
	return IO(WAIT_READ, fd, false, real.__pread64_chk(fd, buf, n, offset, size));
}

EXPORT ssize_t write(int fd, const void *buf, size_t n)
{
	HOOK_READY(write);
	return IO_ALL(WAIT_WRITE, fd, true, real.write(fd, buf, n), n,
		      real.write(fd, (const char *)buf + done_, n - done_));
}

EXPORT ssize_t writev(int fd, const struct iovec *iov, int n)
{
	HOOK_READY(writev);
	return IO_ALL(WAIT_WRITE, fd, true, real.writev(fd, iov, n), io_size(iov, (size_t)n),
		      io_write_behind(fd, iov, (size_t)n, done_, IO_BY_WRITE));
}

EXPORT ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset)
{
	HOOK_READY(pwrite);
	return IO(WAIT_WRITE, fd, true, real.pwrite(fd, buf, n, offset));
}

EXPORT ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t offset)
{
	HOOK_READY(pwrite64);
	return IO(WAIT_WRITE, fd, true, real.pwrite64(fd, buf, n, offset));
}

EXPORT ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t offset)
{
	HOOK_READY(pwritev);
	return IO(WAIT_WRITE, fd, true, real.pwritev(fd, iov, n, offset));
}

EXPORT ssize_t pwritev64(int fd, const struct iovec *iov, int n, off64_t offset)
{
	HOOK_READY(pwritev64);
	return IO(WAIT_WRITE, fd, true, real.pwritev64(fd, iov, n, offset));
}

EXPORT ssize_t pwritev2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
	HOOK_READY(pwritev2);
	/* With an offset it writes to what never waits. */
	return IO_ALL(WAIT_WRITE, fd, true, real.pwritev2(fd, iov, n, offset, flags),
		      offset == -1 ? io_size(iov, (size_t)n) : 0,
		      io_write_behind(fd, iov, (size_t)n, done_, IO_BY_WRITE));
}

EXPORT ssize_t sendfile(int out, int in, off_t *offset, size_t n)
{
	HOOK_READY(sendfile);
	return IO_ALL(WAIT_WRITE, out, true, real.sendfile(out, in, offset, n), n,
		      real.sendfile(out, in, offset, n - done_));
}

EXPORT ssize_t sendfile64(int out, int in, off64_t *offset, size_t n)
{
	HOOK_READY(sendfile64);
	return IO_ALL(WAIT_WRITE, out, true, real.sendfile64(out, in, offset, n), n,
		      real.sendfile64(out, in, offset, n - done_));
}

EXPORT ssize_t splice(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t n, unsigned flags)
{
	HOOK_READY(splice);
	return IO(WAIT_WRITE, out, true, real.splice(in, in_offset, out, out_offset, n, flags));
}

EXPORT ssize_t copy_file_range(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t n, unsigned flags)
{
	HOOK_READY(copy_file_range);
	return IO(WAIT_WRITE, out, true, real.copy_file_range(in, in_offset, out, out_offset, n, flags));
}

/* They return 0 where read and write return 8. */
EXPORT int eventfd_read(int fd, eventfd_t *value)
{
	HOOK_READY(eventfd_read);
	return IO(WAIT_READ, fd, false, real.eventfd_read(fd, value) == 0 ? (int64_t)sizeof(*value) : -1) > 0 ? 0 : -1;
}

EXPORT int eventfd_write(int fd, eventfd_t value)
{
	HOOK_READY(eventfd_write);
	return IO(WAIT_WRITE, fd, true, real.eventfd_write(fd, value) == 0 ? (int64_t)sizeof(value) : -1) > 0 ? 0 : -1;
}
