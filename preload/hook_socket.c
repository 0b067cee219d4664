/* SPDX-License-Identifier: MIT */
/* hook_socket.c - connecting, accepting, sending, receiving. A multi-message call counts messages, not bytes. */
#include "preload/hook.h"
#include "preload/io.h"

EXPORT int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	HOOK_READY(connect);
	fds_peer_changed(fd);
	return FD_CALL(WAIT_CONNECT, fd, real.connect(fd, addr, len));
}

EXPORT int socketpair(int domain, int type, int protocol, int fds[2])
{
	int ret;

	HOOK_READY(socketpair);
	ret = real.socketpair(domain, type, protocol, fds);
	if (ret == 0) {
		fds_close(fds[0]);
		fds_close(fds[1]);
		channel_pair(fds[0], fds[1], &REGS_OF_CALLER());
	}
	return ret;
}

EXPORT int accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	int ret;

	HOOK_READY(accept);
	ret = FD_CALL(WAIT_ACCEPT, fd, real.accept(fd, addr, len));
	fds_close(ret);
	fds_opened(ret, &REGS_OF_CALLER());
	return ret;
}

EXPORT int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	int ret;

	HOOK_READY(accept4);
	ret = FD_CALL(WAIT_ACCEPT, fd, real.accept4(fd, addr, len, flags));
	fds_close(ret);
	fds_opened(ret, &REGS_OF_CALLER());
	return ret;
}

EXPORT ssize_t send(int fd, const void *buf, size_t n, int flags)
{
	HOOK_READY(send);
	return IO_ALL(WAIT_SEND, fd, true, real.send(fd, buf, n, flags), n,
		      real.send(fd, (const char *)buf + done_, n - done_, flags));
}

EXPORT ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr, socklen_t len)
{
	HOOK_READY(sendto);
	return IO_ALL(WAIT_SEND, fd, true, real.sendto(fd, buf, n, flags, addr, len), n,
		      real.sendto(fd, (const char *)buf + done_, n - done_, flags, addr, len));
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	HOOK_READY(sendmsg);
	return IO_ALL(WAIT_SEND, fd, true, real.sendmsg(fd, msg, flags), io_size(msg->msg_iov, msg->msg_iovlen),
		      io_write_behind(fd, msg->msg_iov, msg->msg_iovlen, done_, flags));
}

EXPORT int sendmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags)
{
	HOOK_READY(sendmmsg);
	return FD_CALL(WAIT_SEND, fd, real.sendmmsg(fd, msgs, n, flags));
}

EXPORT ssize_t recv(int fd, void *buf, size_t n, int flags)
{
	HOOK_READY(recv);
	return IO_ALL(WAIT_RECV, fd, false, real.recv(fd, buf, n, flags), flags & MSG_WAITALL ? n : 0,
		      real.recv(fd, (char *)buf + done_, n - done_, flags));
}

EXPORT ssize_t recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *addr, socklen_t *len)
{
	HOOK_READY(recvfrom);
	return IO_ALL(WAIT_RECV, fd, false, real.recvfrom(fd, buf, n, flags, addr, len), flags & MSG_WAITALL ? n : 0,
		      real.recv(fd, (char *)buf + done_, n - done_, flags));
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	HOOK_READY(recvmsg);
	return IO(WAIT_RECV, fd, false, real.recvmsg(fd, msg, flags));
}

EXPORT ssize_t __recv_chk(int fd, void *buf, size_t n, size_t size, int flags)
{
	HOOK_READY(__recv_chk);
	return IO(WAIT_RECV, fd, false, real.__recv_chk(fd, buf, n, size, flags));
}

EXPORT ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t size, int flags, struct sockaddr *addr,
			      socklen_t *len)
{
	HOOK_READY(__recvfrom_chk);
	return IO(WAIT_RECV, fd, false, real.__recvfrom_chk(fd, buf, n, size, flags, addr, len));
}

EXPORT int recvmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags, struct timespec *timeout)
{
	HOOK_READY(recvmmsg);
	return FD_CALL(WAIT_RECV, fd, real.recvmmsg(fd, msgs, n, flags, timeout));
}
