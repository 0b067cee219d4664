/* SPDX-License-Identifier: MIT */
/*
 * descriptors.c - descriptors that are used badly: one is asked again and again instead of waited for, one is synced
 * after each small write, one is opened and never closed. And one that is used well. Prints the books as JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define STORM 3000
#define SYNCS 150
#define LEAKS 5

static void must(int holds)
{
	if (!holds) {
		perror("descriptors");
		exit(1);
	}
}

static void ask_again(void)
{
	int ends[2];
	char byte;

	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
	for (int i = 0; i < STORM; i++)
		must(recv(ends[0], &byte, 1, 0) < 0 && errno == EAGAIN);
	must(send(ends[1], "x", 1, 0) == 1 && recv(ends[0], &byte, 1, 0) == 1);
	close(ends[0]);
	close(ends[1]);
}

static void sync_often(void)
{
	int fd = open("synced", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	must(fd >= 0);
	for (int i = 0; i < SYNCS; i++)
		must(write(fd, "a line\n", 7) == 7 && !fdatasync(fd));
	close(fd);
}

static void leave_open(void)
{
	char line[8];

	for (int i = 0; i < LEAKS; i++) {
		int fd = open("synced", O_RDONLY | O_CLOEXEC);

		must(fd >= 0 && read(fd, line, 7) == 7);
	}
}

static void use_well(void)
{
	static char big[1 << 16];
	int fd = open("copied", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	must(fd >= 0);
	for (int i = 0; i < 20; i++)
		must(write(fd, big, sizeof(big)) == sizeof(big));
	must(!fsync(fd));
	close(fd);
}

int main(void)
{
	ask_again();
	sync_often();
	use_well();
	leave_open();
	printf("{\"storm\": %d, \"syncs\": %d, \"leaks\": %d}\n", STORM, SYNCS, LEAKS);
	return fflush(stdout) ? 1 : 0;
}
