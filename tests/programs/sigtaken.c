/* SPDX-License-Identifier: MIT */
/*
 * sigtaken.c - the last real-time signal, which the recorder uses for samples, in every way a program may use it: by
 * default, taken late with threads busy, all blocked but while waiting. Prints the same with and without recorder.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 2

static volatile sig_atomic_t seen, is_over;

static void on_signal(int sig)
{
	(void)sig;
	seen++;
}

static void burn(long ms)
{
	struct timespec from, to;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	while ((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 < ms);
}

static void *busy(void *arg)
{
	while (!is_over)
		burn(5);
	return arg;
}

static void wait_while_all_else_is_blocked(void)
{
	sigset_t all, none;
	struct timespec time = { 0, 5000000 };
	struct epoll_event event;
	int epoll = epoll_create1(0), cut = 0;

	sigfillset(&all);
	sigemptyset(&none);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (int i = 0; i < 10; i++) {
		burn(8);
		cut += ppoll(NULL, 0, &time, &none) < 0;
		burn(8);
		cut += pselect(0, NULL, NULL, NULL, &time, &none) < 0;
		burn(8);
		cut += epoll_pwait(epoll, &event, 1, 5, &none) < 0;
	}
	printf("waits cut short: %d\n", cut);
	signal(SIGALRM, on_signal);
	alarm(1);
	burn(20);
	sigsuspend(&none);
	printf("suspended until the alarm: %d\n", seen);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close(epoll);
}

static void take(int way)
{
	struct sigaction action = { .sa_handler = on_signal };

	switch (way) {
	case 0:
		sigaction(SIGRTMAX, &action, NULL);
		break;
	case 1:
		signal(SIGRTMAX, on_signal);
		break;
	case 2:
		ssignal(SIGRTMAX, on_signal);
		break;
	case 3:
		sysv_signal(SIGRTMAX, on_signal);
		break;
	}
}

/* In a child: take the signal while threads burn CPU time, then send it once. */
static void take_late(int way)
{
	pthread_t threads[THREADS];

	seen = 0;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, busy, NULL);
	burn(10);
	take(way);
	burn(30);
	is_over = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("way %d: %d unasked", way, seen);
	raise(SIGRTMAX);
	printf(", %d then\n", seen);
}

static void in_child(void (*what)(int), int arg)
{
	int status;

	fflush(stdout);
	if (!fork()) {
		what(arg);
		fflush(stdout);
		_exit(0);
	}
	wait(&status);
	printf("ended with %#x\n", status);
}

static void raise_untaken(int sig)
{
	burn(10);
	raise(sig);
	burn(10);
}

int main(void)
{
	int fd = signalfd(-1, (const sigset_t *)(volatile size_t){ 0 }, 0);

	printf("signalfd of no set: %d %s\n", fd, strerror(errno));
	wait_while_all_else_is_blocked();
	in_child(raise_untaken, SIGRTMAX);
	for (int way = 0; way < 4; way++)
		in_child(take_late, way);
	return 0;
}
