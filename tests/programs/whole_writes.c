/* SPDX-License-Identifier: MIT */
/*
 * whole_writes.c - calls that wait until all of their bytes were taken or are there, while samples come late. Each must
 * move all bytes, in their order, once; without a recorder (--bare) no signal is sent, and the same must be true.
 */
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "common/options.h"
#include "late_sample.h"

#define SIZE (1 << 18)
#define PIECE 3000 /* what the other side takes or gives at a time */

static char sent[SIZE], received[SIZE];
static int ends[2], file, bell, is_over;
static struct iovec pieces[] = { { sent, 1 }, { sent + 1, 0 }, { sent + 1, 70000 }, { sent + 70001, SIZE - 70001 } };

/* By hand: the other side's calls are nobody's to change. */
static void *take(void *arg)
{
	for (size_t at = 0; at < SIZE;) {
		long n = syscall(SYS_read, ends[0], received + at, SIZE - at < PIECE ? SIZE - at : PIECE);

		if (n <= 0)
			break;
		at += (size_t)n;
		usleep(50);
	}
	return arg;
}

static void *give(void *arg)
{
	for (size_t at = 0; at < SIZE;) {
		long n = syscall(SYS_write, ends[0], sent + at, SIZE - at < PIECE ? SIZE - at : PIECE);

		if (n <= 0)
			break;
		at += (size_t)n;
		usleep(50);
	}
	return arg;
}

static void *ring(void *arg)
{
	for (int times = 0; times < LATE_SAMPLES_MAX && !__atomic_load_n(&is_over, __ATOMIC_ACQUIRE); times++) {
		late_sample_send(bell);
		usleep(1000);
	}
	return arg;
}

static ssize_t by_write(void)
{
	return write(ends[1], sent, SIZE);
}

static ssize_t by_writev(void)
{
	return writev(ends[1], pieces, 4);
}

static ssize_t by_send(void)
{
	return send(ends[1], sent, SIZE, 0);
}

static ssize_t by_sendto(void)
{
	return sendto(ends[1], sent, SIZE, 0, NULL, 0);
}

static ssize_t by_sendmsg(void)
{
	struct msghdr msg = { .msg_iov = pieces, .msg_iovlen = 4 };

	return sendmsg(ends[1], &msg, 0);
}

static ssize_t by_sendfile(void)
{
	off_t offset = 0;
	ssize_t n = sendfile(ends[1], file, &offset, SIZE);

	return offset == n ? n : -1;
}

static ssize_t by_recv(void)
{
	return recv(ends[1], received, SIZE, MSG_WAITALL);
}

static ssize_t by_recvfrom(void)
{
	return recvfrom(ends[1], received, SIZE, MSG_WAITALL, NULL, NULL);
}

static const struct way {
	const char *name;
	ssize_t (*move)(void);
	void *(*other_side)(void *);
} ways[] = {
	{ "write", by_write, take },   { "writev", by_writev, take },	  { "send", by_send, take },
	{ "sendto", by_sendto, take }, { "sendmsg", by_sendmsg, take },	  { "sendfile", by_sendfile, take },
	{ "recv", by_recv, give },     { "recvfrom", by_recvfrom, give },
};

static int is_whole(const struct way *way)
{
	pthread_t other;
	ssize_t n;

	memset(received, 0, SIZE);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) ||
	    pthread_create(&other, NULL, way->other_side, NULL))
		return 0;
	setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &(int){ 4096 }, sizeof(int));
	setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &(int){ 4096 }, sizeof(int));
	n = way->move();
	shutdown(ends[1], SHUT_RDWR);
	pthread_join(other, NULL);
	close(ends[0]);
	close(ends[1]);
	printf("%s: %zd of %d bytes, %s\n", way->name, n, SIZE,
	       memcmp(sent, received, SIZE) ? "not the same" : "the same");
	return n == SIZE && !memcmp(sent, received, SIZE);
}

int main(int argc, char **argv)
{
	int is_bare = 0, failed = 0;
	const struct option_row rows[] = {
		{ "bare", OPTION_FLAG, &is_bare, 0, 0, "send no signals" },
		{ 0 },
	};
	pthread_t ringer;

	options_parse(argc, argv, "whole_writes", "Moves many bytes by one call.\n", rows);
	for (size_t i = 0; i < SIZE; i++)
		sent[i] = (char)(i * 2654435761u >> 24);
	signal(SIGPIPE, SIG_IGN);
	file = memfd_create("whole_writes", MFD_CLOEXEC);
	if (file < 0 || syscall(SYS_write, file, sent, SIZE) != SIZE)
		return 2;
	if (!is_bare) {
		bell = late_sample_bell(gettid());
		if (pthread_create(&ringer, NULL, ring, NULL))
			return 2;
	}
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		failed += !is_whole(&ways[i]);
	__atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
	if (!is_bare)
		pthread_join(ringer, NULL);
	return failed != 0;
}
