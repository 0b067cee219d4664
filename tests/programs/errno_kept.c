/* SPDX-License-Identifier: MIT */
/*
 * errno_kept.c - errno before and after calls that must leave it alone, and the values failing calls must set.
 *
 * Prints one line per call; the output is the same with and without a recorder.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/options.h"

#define SENTINEL 4711

/* `call` is evaluated once with errno at the sentinel; prints its result (as success or not) and errno after it. */
#define TRY(what, is_ok, call)                                                                                         \
	do {                                                                                                           \
		int after_, ok_;                                                                                       \
		errno = SENTINEL;                                                                                      \
		__auto_type ret_ = (call);                                                                             \
		after_ = errno;                                                                                        \
		ok_ = (is_ok);                                                                                         \
		printf("%-28s %s errno %s\n", what, ok_ ? "ok    " : "failed",                                         \
		       after_ == SENTINEL ? "kept" : strerrorname_np(after_));                                         \
	} while (0)

static void try_heap(void)
{
	volatile size_t huge = (size_t)1 << 62, half = SIZE_MAX / 2;
	void *volatile block = malloc(100);
	void *aligned = NULL;

	TRY("malloc", ret_ != NULL, block = malloc(10));
	TRY("calloc", ret_ != NULL, block = calloc(10, 10));
	TRY("realloc", ret_ != NULL, block = realloc(block, 5000));
	TRY("malloc huge", ret_ != NULL, malloc(huge));
	TRY("calloc overflow", ret_ != NULL, calloc(half, 4));
	TRY("realloc huge", ret_ != NULL, realloc(block, huge));
	TRY("reallocarray overflow", ret_ != NULL, reallocarray(block, half, 4));
	TRY("posix_memalign", ret_ == 0, posix_memalign(&aligned, 64, 100));
	TRY("posix_memalign bad", ret_ == EINVAL, posix_memalign(&aligned, 3, 100));
	TRY("posix_memalign huge", ret_ == ENOMEM, posix_memalign(&aligned, 64, huge));
	TRY("aligned_alloc", ret_ != NULL, aligned_alloc(64, 128));
	TRY("aligned_alloc huge", ret_ != NULL, aligned_alloc(64, huge));
	TRY("memalign", ret_ != NULL, memalign(64, 128));
	TRY("valloc", ret_ != NULL, valloc(10));
	TRY("malloc_usable_size", ret_ >= 5000, malloc_usable_size(block));
	TRY("free", ret_ == 0, (free(block), 0));
	TRY("free NULL", ret_ == 0, (free(NULL), 0));
	TRY("mmap bad", ret_ != MAP_FAILED, mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	TRY("munmap bad", ret_ == 0, munmap((void *)1, 4096));
}

static void try_locks(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	struct timespec past = { 1, 0 };
	sem_t sem;

	sem_init(&sem, 0, 1);
	TRY("pthread_mutex_lock", ret_ == 0, pthread_mutex_lock(&mutex));
	TRY("pthread_mutex_trylock busy", ret_ == EBUSY, pthread_mutex_trylock(&mutex));
	TRY("pthread_mutex_timedlock past", ret_ == ETIMEDOUT, pthread_mutex_timedlock(&mutex, &past));
	TRY("pthread_cond_timedwait past", ret_ == ETIMEDOUT, pthread_cond_timedwait(&cond, &mutex, &past));
	TRY("pthread_cond_signal", ret_ == 0, pthread_cond_signal(&cond));
	TRY("pthread_mutex_unlock", ret_ == 0, pthread_mutex_unlock(&mutex));
	TRY("pthread_rwlock_rdlock", ret_ == 0, pthread_rwlock_rdlock(&rwlock));
	TRY("pthread_rwlock_trywrlock busy", ret_ == EBUSY, pthread_rwlock_trywrlock(&rwlock));
	TRY("pthread_rwlock_unlock", ret_ == 0, pthread_rwlock_unlock(&rwlock));
	TRY("sem_wait", ret_ == 0, sem_wait(&sem));
	TRY("sem_trywait empty", ret_ == 0, sem_trywait(&sem));
	TRY("sem_timedwait past", ret_ == 0, sem_timedwait(&sem, &past));
	TRY("sem_post", ret_ == 0, sem_post(&sem));
}

static void *do_nothing(void *arg)
{
	return arg;
}

static void try_threads(void)
{
	pthread_t thread;

	TRY("pthread_create", ret_ == 0, pthread_create(&thread, NULL, do_nothing, NULL));
	TRY("pthread_join", ret_ == 0, pthread_join(thread, NULL));
	TRY("pthread_join self", ret_ == EDEADLK, pthread_join(pthread_self(), NULL));
}

static void try_io(void)
{
	struct timespec none = { 0, 0 }, bad = { 0, -1 };
	struct pollfd pollfd = { .fd = -1 };
	struct epoll_event event;
	int ends[2];
	char byte;

	if (pipe(ends) || fcntl(ends[0], F_SETFL, O_NONBLOCK))
		exit(1);
	TRY("read empty", ret_ == 1, read(ends[0], &byte, 1));
	TRY("write", ret_ == 1, write(ends[1], "x", 1));
	TRY("read", ret_ == 1, read(ends[0], &byte, 1));
	TRY("read bad fd", ret_ == 1, read(-1, &byte, 1));
	TRY("write bad fd", ret_ == 1, write(-1, "x", 1));
	TRY("open nothing", ret_ >= 0, open("/nonexistent/file", O_RDONLY));
	TRY("poll", ret_ == 0, poll(&pollfd, 1, 0));
	TRY("select", ret_ == 0, select(0, NULL, NULL, NULL, &(struct timeval){ 0, 0 }));
	TRY("epoll_wait bad fd", ret_ == 0, epoll_wait(-1, &event, 1, 0));
	TRY("nanosleep", ret_ == 0, nanosleep(&none, NULL));
	TRY("nanosleep bad", ret_ == 0, nanosleep(&bad, NULL));
	TRY("clock_nanosleep bad", ret_ == EINVAL, clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, NULL));
	TRY("usleep", ret_ == 0, usleep(1));
	TRY("recv not a socket", ret_ >= 0, recv(ends[0], &byte, 1, 0));
	TRY("send bad fd", ret_ >= 0, send(-1, &byte, 1, 0));
	TRY("accept bad fd", ret_ >= 0, accept(-1, NULL, NULL));
	TRY("connect bad fd", ret_ >= 0, connect(-1, NULL, 0));
	TRY("fsync pipe", ret_ == 0, fsync(ends[0]));
	TRY("flock bad fd", ret_ == 0, flock(-1, LOCK_EX));
	TRY("fcntl bad fd", ret_ >= 0, fcntl(-1, F_GETFD));
	TRY("waitpid no child", ret_ >= 0, waitpid(-1, NULL, 0));
	TRY("close", ret_ == 0, close(ends[0]));
	TRY("close bad fd", ret_ == 0, close(-1));
	TRY("sigaction bad", ret_ == 0, sigaction(SIGKILL, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL));
}

int main(int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };

	options_parse(argc, argv, "errno_kept", "Prints what calls do to errno.\n", rows);
	try_heap();
	try_locks();
	try_threads();
	try_io();
	return fflush(stdout) ? 1 : 0;
}
