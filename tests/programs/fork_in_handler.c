/* SPDX-License-Identifier: MIT */
/*
 * fork_in_handler.c - a timer's handler forks whatever it interrupts, allocation or read, and parent and child both go
 * on from there. Prints the same with and without recorder.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORKS 100

static volatile sig_atomic_t forks, failed, is_child;

/* Once, not at intervals: a slow fork would leave no time to get anywhere. */
static void set_timer(void)
{
	struct itimerval soon = { .it_value = { 0, 1000 } };

	setitimer(ITIMER_REAL, &soon, NULL);
}

static void on_alarm(int sig)
{
	int saved = errno, status;
	pid_t pid;

	(void)sig;
	if (is_child || forks == FORKS)
		return;
	pid = fork();
	if (!pid) {
		is_child = 1;
	} else {
		forks++;
		if (waitpid(pid, &status, 0) != pid || status)
			failed++;
		set_timer();
	}
	errno = saved;
}

static void work(void)
{
	for (int i = 0; i < 1000; i++) {
		void *volatile block = malloc(20 + (size_t)i);

		free(block);
	}
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	int ends[2], cut = 0;
	char c;

	sigaction(SIGALRM, &action, NULL);
	if (pipe(ends))
		return 1;
	set_timer();
	while (forks < FORKS / 2 && !is_child)
		work();
	while (forks < FORKS && !is_child)
		cut += read(ends[0], &c, 1) < 0 && errno == EINTR;
	work();
	if (is_child)
		_exit(0);
	printf("%d forks, %d children failed, reads cut: %s\n", FORKS, failed, cut ? "yes" : "no");
	return 0;
}
