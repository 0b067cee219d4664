/* SPDX-License-Identifier: MIT */
/*
 * cancel.c - pthread_cancel at each cancellation point, while the thread waits there.
 *
 * Every thread must end as cancelled, having run its clean-up handler once; a condition wait must have its mutex back
 * then. A thread that isn't cancelled within a few seconds is told by its line, not by hanging. The output is the same
 * with and without a recorder.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/options.h"

static int empty[2], full[2], sockets[2], epoll_fd;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static pthread_t sleeper;
static char byte;
static int cleanups, is_locked;

static void on_cleanup(void *arg)
{
	(void)arg;
	__atomic_add_fetch(&cleanups, 1, __ATOMIC_SEQ_CST);
}

static void on_cond_cleanup(void *arg)
{
	(void)arg;
	is_locked = pthread_mutex_trylock(&mutex) == EBUSY;
	pthread_mutex_unlock(&mutex);
}

static void in_read(void)
{
	if (read(empty[0], &byte, 1) < 0)
		return;
}

static void in_write(void)
{
	static char big[1 << 17];

	if (write(full[1], big, sizeof(big)) < 0)
		return;
}

static void in_recv(void)
{
	recv(sockets[0], &byte, 1, 0);
}

static void in_poll(void)
{
	poll(NULL, 0, 60000);
}

static void in_select(void)
{
	select(0, NULL, NULL, NULL, &(struct timeval){ 60, 0 });
}

static void in_epoll_wait(void)
{
	struct epoll_event event;

	epoll_wait(epoll_fd, &event, 1, 60000);
}

static void in_nanosleep(void)
{
	nanosleep(&(struct timespec){ 60, 0 }, NULL);
}

static void in_clock_nanosleep(void)
{
	clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ 60, 0 }, NULL);
}

static void in_usleep(void)
{
	usleep(60000000);
}

static void in_sem_wait(void)
{
	sem_wait(&sem);
}

static void in_cond_wait(void)
{
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(on_cond_cleanup, NULL);
	for (;;)
		pthread_cond_wait(&cond, &mutex);
	pthread_cleanup_pop(0);
}

static void in_cond_timedwait(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 60;
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(on_cond_cleanup, NULL);
	for (;;)
		pthread_cond_timedwait(&cond, &mutex, &until);
	pthread_cleanup_pop(0);
}

static void in_join(void)
{
	pthread_join(sleeper, NULL);
}

static void in_pause(void)
{
	pause();
}

static void in_sigtimedwait(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigtimedwait(&set, NULL, &(struct timespec){ 60, 0 });
}

static void in_testcancel(void)
{
	for (;;)
		pthread_testcancel();
}

static const struct point {
	const char *name;
	void (*wait)(void);
	int has_lock; /* its handler looks whether the mutex is held */
} points[] = {
	{ "read", in_read, 0 },
	{ "write", in_write, 0 },
	{ "recv", in_recv, 0 },
	{ "poll", in_poll, 0 },
	{ "select", in_select, 0 },
	{ "epoll_wait", in_epoll_wait, 0 },
	{ "nanosleep", in_nanosleep, 0 },
	{ "clock_nanosleep", in_clock_nanosleep, 0 },
	{ "usleep", in_usleep, 0 },
	{ "sem_wait", in_sem_wait, 0 },
	{ "pthread_cond_wait", in_cond_wait, 1 },
	{ "pthread_cond_timedwait", in_cond_timedwait, 1 },
	{ "pthread_join", in_join, 0 },
	{ "pause", in_pause, 0 },
	{ "sigtimedwait", in_sigtimedwait, 0 },
	{ "pthread_testcancel", in_testcancel, 0 },
};

static void *run(void *arg)
{
	pthread_cleanup_push(on_cleanup, NULL);
	((const struct point *)arg)->wait();
	pthread_cleanup_pop(0);
	return NULL;
}

/* `delay_ns` 0: the cancellation is often there before the call. */
static void try_point(const struct point *point, uint64_t delay_ns)
{
	struct timespec limit;
	pthread_t thread;
	void *result = NULL;
	int err;

	cleanups = is_locked = 0;
	if (pthread_create(&thread, NULL, run, (void *)(uintptr_t)point))
		exit(1);
	if (delay_ns)
		clock_sleep_ns(delay_ns);
	pthread_cancel(thread);
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 5;
	err = pthread_timedjoin_np(thread, &result, &limit);
	if (!delay_ns && !err && result == PTHREAD_CANCELED)
		return; /* its handlers may or may not have been in place */
	printf("%-24s %s, %d clean-up%s\n", point->name,
	       err			    ? "NOT CANCELLED"
	       : result == PTHREAD_CANCELED ? "cancelled"
					    : "RETURNED",
	       cleanups,
	       !point->has_lock ? ""
	       : is_locked	? ", mutex held"
				: ", MUTEX FREE");
}

static void *sleep_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

int main(int argc, char **argv)
{
	uint64_t repeat = 20;
	const struct option_row rows[] = {
		{ "repeat", OPTION_NUMBER, &repeat, 0, 100000, "how often to cancel without waiting first" },
		{ 0 },
	};

	options_parse(argc, argv, "cancel", "Cancels threads at each cancellation point.\n", rows);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0 || pipe(empty) || pipe(full) || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) ||
	    sem_init(&sem, 0, 0) || pthread_create(&sleeper, NULL, sleep_for_ever, NULL))
		return 1;
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++) {
		try_point(&points[i], 20000000);
		for (uint64_t j = 0; j < repeat; j++)
			try_point(&points[i], 0);
	}
	return fflush(stdout) ? 1 : 0;
}
