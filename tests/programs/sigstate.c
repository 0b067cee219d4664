/* SPDX-License-Identifier: MIT */
/*
 * sigstate.c - signal masks, handlers, pending signals and alternate stack as the program sees them.
 *
 * Uses every signal number itself, the real-time ones included. The output is the same with and without a recorder.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/options.h"

static volatile sig_atomic_t seen[65];

static void on_signal(int signal)
{
	seen[signal]++;
}

static void print_set(const char *what, const sigset_t *set)
{
	printf("%s:", what);
	for (int i = 1; i <= 64; i++) {
		if (sigismember(set, i) == 1)
			printf(" %d", i);
	}
	printf("\n");
}

static void print_handlers(const char *what)
{
	printf("%s, not default:", what);
	for (int i = 1; i <= 64; i++) {
		struct sigaction action;

		if (sigaction(i, NULL, &action))
			continue;
		if (action.sa_handler != SIG_DFL)
			printf(" %d%s", i,
			       action.sa_handler == SIG_IGN	? "i"
			       : action.sa_handler == on_signal ? "h"
								: "?");
	}
	printf("\n");
}

static void print_mask(const char *what)
{
	sigset_t set;

	pthread_sigmask(SIG_BLOCK, NULL, &set);
	print_set(what, &set);
	sigpending(&set);
	print_set("  pending", &set);
}

static void *thread_mask(void *arg)
{
	print_mask(arg);
	return NULL;
}

/* CPU time, so that a sampling timer has reason to strike. */
static void burn(uint64_t dur_ns)
{
	uint64_t until_ns = clock_thread_cpu_ns() + dur_ns;

	while (clock_thread_cpu_ns() < until_ns)
		;
}

/* Handles, sends and counts every signal that may be handled. */
static void use_all(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	int wrong = 0;

	for (int i = 1; i <= 64; i++) {
		if (i == SIGKILL || i == SIGSTOP || (i > 31 && i < SIGRTMIN))
			continue;
		if (sigaction(i, &action, NULL) || raise(i))
			printf("signal %d: %s\n", i, strerror(errno));
		wrong += seen[i] != 1;
	}
	print_handlers("all handled");
	printf("signals not seen exactly once: %d\n", wrong);
	burn(50000000);
	for (int i = 1; i <= 64; i++)
		wrong += seen[i] > 1;
	printf("signals seen again while computing: %d\n", wrong);
}

static void use_blocked(void)
{
	struct timespec none = { 0, 0 };
	sigset_t all;
	int fd, taken = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	burn(50000000);
	print_mask("all blocked");
	fd = signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC);
	for (struct signalfd_siginfo info; read(fd, &info, sizeof(info)) == sizeof(info);)
		taken++;
	printf("signalfd had: %d\n", taken);
	close(fd);
	for (taken = 0; sigtimedwait(&all, NULL, &none) > 0;)
		taken++;
	printf("sigtimedwait had: %d\n", taken);
	sigemptyset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
}

static void in_child(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		print_mask("child");
		print_handlers("child");
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	stack_t stack;
	pthread_t thread;

	options_parse(argc, argv, "sigstate", "Prints the signal state that the program sees.\n", rows);
	print_mask("at the start");
	print_handlers("at the start");
	sigaltstack(NULL, &stack);
	printf("alternate stack: %s\n", stack.ss_flags & SS_DISABLE ? "none" : "some");
	if (!pthread_create(&thread, NULL, thread_mask, (void *)(uintptr_t) "new thread"))
		pthread_join(thread, NULL);
	burn(50000000);
	print_mask("after computing");
	use_all();
	use_blocked();
	in_child();
	return fflush(stdout) ? 1 : 0;
}
