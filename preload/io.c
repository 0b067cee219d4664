/* SPDX-License-Identifier: MIT */
#include "preload/io.h"

#include "preload/hook.h"

size_t io_size(const struct iovec *pieces, size_t n)
{
	size_t size = 0;

	for (size_t i = 0; i < n; i++)
		size += pieces[i].iov_len;
	return size;
}

/* The first piece that lacks something when `done` bytes of all were moved. */
static struct iovec piece_behind(const struct iovec *pieces, size_t n, size_t done)
{
	for (size_t i = 0; i < n; i++) {
		if (done < pieces[i].iov_len)
			return (struct iovec){ (char *)pieces[i].iov_base + done, pieces[i].iov_len - done };
		done -= pieces[i].iov_len;
	}
	return (struct iovec){ 0 };
}

int64_t io_write_behind(int fd, const struct iovec *pieces, size_t n, size_t done, int send_flags)
{
	int64_t moved = 0;

	for (;;) {
		struct iovec piece = piece_behind(pieces, n, done + (size_t)moved);
		ssize_t ret;

		if (!piece.iov_len)
			return moved;
		ret = send_flags == IO_BY_WRITE ? real.write(fd, piece.iov_base, piece.iov_len)
						: real.send(fd, piece.iov_base, piece.iov_len, send_flags);
		moved += ret > 0 ? ret : 0;
		if (ret != (ssize_t)piece.iov_len)
			return moved;
	}
}
