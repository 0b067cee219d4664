/* SPDX-License-Identifier: MIT */
/*
 * kill_at.c - run a command and end it, with all its descendants, by SIGKILL at a random instant.
 *
 *     [KILL_FROM=BOOKS] kill_at SEED LEAST_US MOST_US COMMAND [ARG...]
 *
 * The same seed waits equally long: from the start of the command, or with KILL_FROM from its first entry in the books.
 * Exits with 0 if the command was killed, 3 if it had ended by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/rng.h"

#define TRIES 2000

static void wait_us(uint64_t us)
{
	struct timespec t = { (time_t)(us / 1000000), (long)(us % 1000000) * 1000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/* Until there is an account, 20 s at most. */
static void wait_for_books(const char *path)
{
	uint64_t accounts = 0;

	for (int i = 0; i < 100000 && !accounts; i++) {
		int fd = open(path, O_RDONLY);

		wait_us(200);
		if (fd >= 0 && read(fd, &accounts, sizeof(accounts)) < 0)
			accounts = 0;
		if (fd >= 0)
			close(fd);
	}
}

/* A group that forks gets new members while it is being killed. */
static int kill_group(pid_t group)
{
	for (int i = 0; i < TRIES; i++) {
		if (kill(-group, SIGKILL) && errno == ESRCH)
			return 0;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		wait_us(100);
	}
	return -1;
}

int main(int argc, char **argv)
{
	const char *from = getenv("KILL_FROM");
	struct rng rng;
	uint64_t us;
	int status;
	pid_t pid;

	if (argc < 5) {
		fprintf(stderr, "usage: kill_at SEED LEAST_US MOST_US COMMAND [ARG...]\n");
		return 2;
	}
	rng.state = strtoull(argv[1], NULL, 10);
	us = rng_between(&rng, strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		execvp(argv[4], argv + 4);
		_exit(127);
	}
	if (pid < 0)
		return 2;
	setpgid(pid, pid);
	if (from)
		wait_for_books(from);
	wait_us(us);
	if (waitpid(pid, &status, WNOHANG) == pid) {
		kill_group(pid);
		fprintf(stderr, "kill_at: it ended with %#x within %lu us\n", (unsigned)status, (unsigned long)us);
		return 3;
	}
	return kill_group(pid) ? 2 : 0;
}
