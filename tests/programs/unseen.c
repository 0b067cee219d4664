// SPDX-License-Identifier: MIT
/*
 * unseen.c - is a snapshot of reach= seen by the program? Its fork handlers, SIGCHLD, waits, descriptors, signals,
 * errno, mask, resource usage of children and the number of its threads must be as if nothing had happened. Prints what
 * was seen, ends with the number of such things.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <ringside.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEAP_BYTES ((size_t)64 << 20) /* so that the copy lives for a while */

static volatile sig_atomic_t signals, forks;
static int seen;

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

static void on_fork(void)
{
	forks++;
}

static void tell(int is_seen, const char *what)
{
	if (!is_seen)
		return;
	printf("seen: %s\n", what);
	seen++;
}

static long children_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1000000 +
	       usage.ru_stime.tv_usec + usage.ru_maxrss;
}

/* The other end is closed when nobody has it: then a read ends. */
static void check_pipe(const int *ends)
{
	char c;

	close(ends[1]);
	alarm(5);
	tell(read(ends[0], &c, 1) != 0, "a pipe is still open");
	alarm(0);
}

static void check_own_child(void)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid)
		_exit(7);
	tell(waitpid(-1, &status, 0) != pid || WEXITSTATUS(status) != 7, "another child than the own");
	tell(forks != 3, "fork handlers of the own child");
	tell(signals != 1, "signals of the own child");
}

static void look(int is_signal)
{
	int ends[2], first, last;
	sigset_t before, after;

	first = open("/dev/null", O_RDONLY);
	close(first);
	if (pipe(ends))
		exit(99);
	sigprocmask(SIG_SETMASK, NULL, &before);
	errno = 4711;
	if (is_signal)
		raise(SIGUSR2);
	else
		ringside_mark("look");
	tell(errno != 4711, "errno");
	sigprocmask(SIG_SETMASK, NULL, &after);
	tell(memcmp(&before, &after, 8), "the signal mask");
	tell(wait(NULL) != -1 || errno != ECHILD, "wait");
	tell(waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD, "waitpid");
	check_pipe(ends);
	close(ends[0]);
	last = open("/dev/null", O_RDONLY);
	close(last);
	tell(first != last, "a descriptor");
	usleep(600000); /* until the copy has ended */
	tell(signals, "SIGCHLD");
	tell(forks, "fork handlers");
	tell(wait(NULL) != -1 || errno != ECHILD, "wait for what has ended");
	tell(children_us(), "resource usage of children");
}

int main(int argc, char **argv)
{
	char *volatile heap = malloc(HEAP_BYTES);

	(void)argv;
	memset(heap, 1, HEAP_BYTES);
	signal(SIGCHLD, on_signal);
	pthread_atfork(on_fork, on_fork, on_fork);
	look(argc > 1);
	forks = 1; /* prepare and parent come in this process, child in the other */
	check_own_child();
	seen += heap[HEAP_BYTES / 2] != 1;
	free(heap);
	printf("%d seen\n", seen);
	return seen;
}
