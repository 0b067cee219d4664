/* SPDX-License-Identifier: MIT */
/* waits_io.c - planted waits for pipes, sockets, readiness, disk and file locks. */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "scene.h"

static int ends[2]; /* [0] is the waiting side's */
static char byte;   /* whatever is moved */
static char big[1 << 16];

static void close_ends(void)
{
	close(ends[0]);
	close(ends[1]);
}

/* ---- pipes and readiness: `feed_pipe` writes when the time has passed ------------------------------------- */

static void feed_pipe(void)
{
	scene_must(pipe(ends));
	scene_ready();
	scene_pass();
	scene_must(write(ends[1], &byte, 1));
}

static void wait_pipe_read(void)
{
	scene_must(book_wait("read", "feed_pipe", read(ends[0], &byte, 1)));
	close_ends();
}

static void wait_pipe_readv(void)
{
	struct iovec part = { &byte, 1 };

	scene_must(book_wait("read", "feed_pipe", readv(ends[0], &part, 1)));
	close_ends();
}

static void wait_poll(void)
{
	struct pollfd fd = { .fd = ends[0], .events = POLLIN };

	scene_must(book_wait("poll", "feed_pipe", poll(&fd, 1, 5000)));
	close_ends();
}

static void wait_ppoll(void)
{
	struct pollfd fd = { .fd = ends[0], .events = POLLIN };
	struct timespec limit = { 5, 0 };

	scene_must(book_wait("poll", "feed_pipe", ppoll(&fd, 1, &limit, NULL)));
	close_ends();
}

static void wait_select(void)
{
	struct timeval limit = { 5, 0 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	scene_must(book_wait("select", "feed_pipe", select(ends[0] + 1, &set, NULL, NULL, &limit)));
	close_ends();
}

static void wait_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = epoll_create1(EPOLL_CLOEXEC);

	scene_must(fd);
	scene_must(epoll_ctl(fd, EPOLL_CTL_ADD, ends[0], &event));
	scene_must(book_wait("epoll", "feed_pipe", epoll_wait(fd, &event, 1, 5000)));
	close(fd);
	close_ends();
}

/* libc's own read below fread goes through no symbol: the outer call is what can be seen. */
static void wait_fread(void)
{
	FILE *file = fdopen(ends[0], "r");

	if (!file || book_wait("read", "feed_pipe", fread(&byte, 1, 1, file)) != 1)
		exit(1);
	fclose(file);
	close(ends[1]);
}

static void wait_pselect(void)
{
	struct timespec limit = { 5, 0 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	scene_must(book_wait("select", "feed_pipe", pselect(ends[0] + 1, &set, NULL, NULL, &limit, NULL)));
	close_ends();
}

static void drain_pipe(void)
{
	scene_must(pipe(ends));
	scene_must(fcntl(ends[1], F_SETPIPE_SZ, 4096));
	scene_must(write(ends[1], big, 4096));
	scene_ready();
	scene_pass();
	scene_must(read(ends[0], big, 4096));
}

static void wait_pipe_write(void)
{
	scene_must(book_wait("write", "drain_pipe", write(ends[1], &byte, 1)));
	close_ends();
}

static void count_event(void)
{
	static const uint64_t one = 1;

	scene_must(ends[0] = eventfd(0, EFD_CLOEXEC));
	scene_ready();
	scene_pass();
	scene_must(write(ends[0], &one, sizeof(one)));
}

static void wait_eventfd(void)
{
	uint64_t value;

	scene_must(book_wait("read", "count_event", read(ends[0], &value, sizeof(value))));
	close(ends[0]);
}

/* ---- sockets ---------------------------------------------------------------------------------------------- */

static void feed_socket(void)
{
	scene_must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	scene_ready();
	scene_pass();
	scene_must(send(ends[1], &byte, 1, 0));
}

static void wait_recv(void)
{
	scene_must(book_wait("recv", "feed_socket", recv(ends[0], &byte, 1, 0)));
	close_ends();
}

static void wait_recvmsg(void)
{
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	scene_must(book_wait("recv", "feed_socket", recvmsg(ends[0], &message, 0)));
	close_ends();
}

static void drain_socket(void)
{
	scene_must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	while (send(ends[0], big, sizeof(big), MSG_DONTWAIT) > 0)
		;
	scene_ready();
	scene_pass();
	while (recv(ends[1], big, sizeof(big), MSG_DONTWAIT) > 0)
		;
}

static void wait_send(void)
{
	scene_must(book_wait("send", "drain_socket", send(ends[0], &byte, 1, 0)));
	close_ends();
}

/* An abstract name nobody else has. */
static struct sockaddr_un address;
static socklen_t address_len;

static int listen_at(int backlog)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	address_len = (socklen_t)(sizeof(address.sun_family) + 1 +
				  (size_t)snprintf(address.sun_path + 1, 40, "scene-%d", getpid()));
	scene_must(fd);
	scene_must(bind(fd, (struct sockaddr *)&address, address_len));
	scene_must(listen(fd, backlog));
	return fd;
}

static int dial(int flags)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	scene_must(fd);
	if (!connect(fd, (struct sockaddr *)&address, address_len))
		return fd;
	close(fd);
	return -1;
}

static void connect_late(void)
{
	ends[0] = listen_at(4);
	scene_ready();
	scene_pass();
	scene_must(ends[1] = dial(0));
}

static void wait_accept(void)
{
	int fd = book_wait("accept", "connect_late", accept(ends[0], NULL, NULL));

	scene_must(fd);
	close(fd);
	close(ends[0]);
}

/* Fills the backlog, and makes room when the time has passed. */
static void accept_late(void)
{
	int fds[16], count = 0;

	ends[0] = listen_at(1);
	while (count < 16 && (fds[count] = dial(SOCK_NONBLOCK)) >= 0)
		count++;
	scene_ready();
	scene_pass();
	for (int i = 0; i <= count; i++) { /* the last one is the waiting one's */
		int fd = accept(ends[0], NULL, NULL);

		scene_must(fd);
		close(fd);
	}
	while (count--)
		close(fds[count]);
	close(ends[0]);
}

static void wait_connect(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	scene_must(fd);
	scene_must(book_wait("connect", "accept_late", connect(fd, (struct sockaddr *)&address, address_len)));
	close(fd);
}

/* ---- files ------------------------------------------------------------------------------------------------ */

static char path[64];

static int open_file(void)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	scene_must(fd);
	return fd;
}

static void wait_fsync(void)
{
	int fd = open_file();

	for (int i = 0; i < 16; i++)
		scene_must(write(fd, big, sizeof(big)));
	scene_must(book_wait("fsync", NULL, fsync(fd)));
	close(fd);
}

static void wait_fdatasync(void)
{
	int fd = open_file();

	for (int i = 0; i < 16; i++)
		scene_must(write(fd, big, sizeof(big)));
	scene_must(book_wait("fsync", NULL, fdatasync(fd)));
	close(fd);
}

static void hold_flock(void)
{
	int fd = open_file();

	scene_must(flock(fd, LOCK_EX));
	scene_ready();
	scene_pass();
	scene_must(flock(fd, LOCK_UN));
	close(fd);
}

static void wait_flock(void)
{
	int fd = open_file();

	scene_must(book_wait("lock-file", "hold_flock", flock(fd, LOCK_EX)));
	close(fd);
}

static void hold_fcntl(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	int fd = open_file();

	scene_must(fcntl(fd, F_OFD_SETLK, &lock));
	scene_ready();
	scene_pass();
	close(fd);
}

static void wait_fcntl(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	int fd = open_file();

	scene_must(book_wait("lock-file", "hold_fcntl", fcntl(fd, F_OFD_SETLKW, &lock)));
	close(fd);
}

static const struct scene scenes[] = {
	{ "read", "wait_pipe_read", "feed_pipe", 40, wait_pipe_read, feed_pipe },
	{ "read", "wait_pipe_readv", "feed_pipe", 15, wait_pipe_readv, feed_pipe },
	{ "read", "wait_eventfd", "count_event", 20, wait_eventfd, count_event },
	{ "write", "wait_pipe_write", "drain_pipe", 40, wait_pipe_write, drain_pipe },
	{ "poll", "wait_poll", "feed_pipe", 35, wait_poll, feed_pipe },
	{ "poll", "wait_ppoll", "feed_pipe", 15, wait_ppoll, feed_pipe },
	{ "read", "wait_fread", "feed_pipe", 20, wait_fread, feed_pipe },
	{ "select", "wait_select", "feed_pipe", 30, wait_select, feed_pipe },
	{ "select", "wait_pselect", "feed_pipe", 15, wait_pselect, feed_pipe },
	{ "epoll", "wait_epoll", "feed_pipe", 25, wait_epoll, feed_pipe },
	{ "recv", "wait_recv", "feed_socket", 30, wait_recv, feed_socket },
	{ "recv", "wait_recvmsg", "feed_socket", 15, wait_recvmsg, feed_socket },
	{ "send", "wait_send", "drain_socket", 30, wait_send, drain_socket },
	{ "accept", "wait_accept", "connect_late", 30, wait_accept, connect_late },
	{ "connect", "wait_connect", "accept_late", 30, wait_connect, accept_late },
	{ "fsync", "wait_fsync", NULL, 0, wait_fsync, NULL },
	{ "fsync", "wait_fdatasync", NULL, 0, wait_fdatasync, NULL },
	{ "lock-file", "wait_flock", "hold_flock", 35, wait_flock, hold_flock },
	{ "lock-file", "wait_fcntl", "hold_fcntl", 35, wait_fcntl, hold_fcntl },
};

int main(int argc, char **argv)
{
	const char *dir = getenv("TMPDIR");
	int ret;

	snprintf(path, sizeof(path), "%.40s/waits.%d", dir ? dir : "/tmp", getpid());
	ret = scene_main(argc, argv, "waits_io", scenes, sizeof(scenes) / sizeof(*scenes));
	unlink(path);
	return ret;
}
