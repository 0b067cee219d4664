/* SPDX-License-Identifier: MIT */
/* wire.c - sending and receiving in full. */
#include "service/service.h"

#include <errno.h>
#include <netinet/tcp.h>

#include "common/books.h"

int recv_all(int fd, void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t len = book_wait("recv", NULL, recv(fd, (char *)data + done, size - done, 0));

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return len ? -errno : -ECONNRESET;
		done += (size_t)len;
	}
	return 0;
}

int send_all(int fd, const void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t len = book_wait("send", NULL, send(fd, (const char *)data + done, size - done, MSG_NOSIGNAL));

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return errno == EPIPE ? -ECONNRESET : -errno;
		done += (size_t)len;
	}
	return 0;
}

void send_at_once(int fd)
{
	int yes = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}
