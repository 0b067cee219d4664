/* SPDX-License-Identifier: MIT */
/*
 * state.c - what a process can see of itself: descriptors and where they lead, handlers, masks, pending signals, the
 * alternate stack, the number of threads; at its start, after work, in a thread, a child, a daemon, after closing all
 * descriptors, and after exec. Prints the same with and without a recorder.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

static int report = STDOUT_FILENO; /* a daemon has no stdout */

static void print_descriptors(void)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (dir && (entry = readdir(dir))) {
		char where[256];
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, where, sizeof(where) - 1);

		if (len < 0 || atoi(entry->d_name) == dirfd(dir))
			continue;
		where[len] = 0;
		/* Numbers of pipes and sockets differ from run to run. */
		if (strchr(where, '['))
			*strchr(where, '[') = 0;
		dprintf(report, " %s=%s", entry->d_name, where[0] == '/' ? "file" : where);
		count++;
	}
	if (dir)
		closedir(dir);
	dprintf(report, " (%d), next %d\n", count, dup(report));
	close(dup(report) - 1);
	close(dup(report));
}

/*
 * SigCgt is left out: the kernel shows the handler of the samples there. So it does with a sample that is pending
 * while the program blocks that number; sigpending does not.
 */
static void hide_last_signal(char *line)
{
	unsigned long bits;

	if (sscanf(line, "SigPnd: %lx", &bits) == 1)
		sprintf(line, "SigPnd:\t%016lx\n", bits & ~(1ul << (SIGRTMAX - 1)));
}

static void print_status(void)
{
	static const char *const wanted[] = { "Threads:", "SigPnd:",	 "ShdPnd:", "SigBlk:",
					      "SigIgn:",  "NoNewPrivs:", "Seccomp:" };
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f)) {
		for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
			if (strncmp(line, wanted[i], strlen(wanted[i])))
				continue;
			hide_last_signal(line);
			dprintf(report, "  %s", line);
		}
	}
	if (f)
		fclose(f);
}

static void print_signals(void)
{
	sigset_t set;
	stack_t stack;

	dprintf(report, "  handled:");
	for (int sig = 1; sig <= 64; sig++) {
		struct sigaction action;

		if (!sigaction(sig, NULL, &action) && action.sa_handler != SIG_DFL)
			dprintf(report, " %d%s", sig, action.sa_handler == SIG_IGN ? "i" : "h");
	}
	dprintf(report, "\n  blocked:");
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	for (int sig = 1; sig <= 64; sig++) {
		if (sigismember(&set, sig) == 1)
			dprintf(report, " %d", sig);
	}
	dprintf(report, "\n  pending:");
	sigpending(&set);
	for (int sig = 1; sig <= 64; sig++) {
		if (sigismember(&set, sig) == 1)
			dprintf(report, " %d", sig);
	}
	sigaltstack(NULL, &stack);
	dprintf(report, "\n  alternate stack: %d %zu\n", stack.ss_flags, stack.ss_size);
}

static void print_state(const char *when)
{
	dprintf(report, "%s:", when);
	print_descriptors();
	print_signals();
	print_status();
}

static void work(void)
{
	uint64_t until_ns = clock_thread_cpu_ns() + 30000000;
	void *volatile block = NULL;

	while (clock_thread_cpu_ns() < until_ns) {
		free(block);
		block = malloc(1000);
		usleep(50);
	}
	free(block);
}

static void *in_thread(void *arg)
{
	work();
	print_state("thread");
	return arg;
}

static void in_child(void)
{
	work();
	print_state("child");
	_exit(0);
}

static void in_daemon(void)
{
	if (fork())
		_exit(0);
	setsid();
	if (chdir("/"))
		_exit(1);
	dup2(report, 77);
	closefrom(78);
	close_range(0, 76, 0);
	report = 77;
	open("/dev/null", O_RDWR);
	work();
	print_state("daemon");
	_exit(0);
}

static void wait_for(void (*what)(void))
{
	int ends[2], saved = report;
	char byte;
	pid_t pid;

	if (pipe(ends))
		exit(1);
	pid = fork();
	if (!pid) {
		close(ends[0]);
		dup2(ends[1], 99); /* closed when the last descendant ends */
		close(ends[1]);
		what();
	}
	close(ends[1]);
	waitpid(pid, NULL, 0);
	while (read(ends[0], &byte, 1) > 0)
		;
	close(ends[0]);
	report = saved;
	usleep(200000); /* a daemon has closed its end, too */
}

int main(int argc, char **argv)
{
	static char stack[1 << 16];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	sigset_t set;
	pthread_t thread;

	if (argc > 1) {
		print_state("executed");
		work();
		print_state("and later");
		return 0;
	}
	print_state("start");
	work();
	print_state("after work");
	if (!pthread_create(&thread, NULL, in_thread, NULL))
		pthread_join(thread, NULL);
	wait_for(in_child);
	wait_for(in_daemon);
	close_range(3, ~0u, 0);
	work();
	print_state("after close_range");
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMAX);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	signal(SIGUSR2, SIG_IGN);
	sigaltstack(&alternate, NULL);
	work();
	print_state("with signals");
	execl("/proc/self/exe", argv[0], "executed", NULL);
	return 1;
}
