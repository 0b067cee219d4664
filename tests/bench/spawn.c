/* SPDX-License-Identifier: MIT */
/*
 * spawn.c - run a command and write what it took: spawn RESULT SECONDS PROGRAM [ARG...]
 *
 * RESULT gets one line: exit code (128+N for signal N, 124 when SECONDS were over), wall time in ns, the peak RSS of
 * the largest process of the tree in KiB, CPU time of the tree in ns. A small program does this because a child
 * inherits the peak RSS of whoever starts it, and that of an interpreter would hide what is measured.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t child;
static volatile sig_atomic_t is_over;

static void on_alarm(int sig)
{
	(void)sig;
	is_over = 1;
	kill(-child, SIGKILL);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t time_ns(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

static int exit_code(int status)
{
	if (is_over)
		return 124;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The child leads a group of its own, so that the time limit ends all it started. */
static pid_t start(char **argv)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setpgid(0, 0);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

int main(int argc, char **argv)
{
	struct rusage usage;
	uint64_t begin_ns;
	FILE *result;
	int status;

	if (argc < 4) {
		fprintf(stderr, "usage: spawn RESULT SECONDS PROGRAM [ARG...]\n");
		return 2;
	}
	begin_ns = now_ns();
	child = start(argv + 3);
	if (child < 0) {
		perror("spawn: fork");
		return 125;
	}
	signal(SIGALRM, on_alarm);
	alarm((unsigned)atoi(argv[2]));
	while (wait4(child, &status, 0, &usage) < 0)
		if (errno != EINTR)
			return 125;
	result = fopen(argv[1], "w");
	if (!result) {
		perror(argv[1]);
		return 125;
	}
	fprintf(result, "%d %llu %ld %llu\n", exit_code(status), (unsigned long long)(now_ns() - begin_ns),
		usage.ru_maxrss, (unsigned long long)(time_ns(usage.ru_utime) + time_ns(usage.ru_stime)));
	return fclose(result) ? 125 : 0;
}
