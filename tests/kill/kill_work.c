/* SPDX-License-Identifier: MIT */
/*
 * kill_work.c - work of four characters, without an end: whoever starts it kills it.
 *
 *     churn  one thread that allocates, resizes and frees at depths of its stack
 *     pool   eight threads that allocate, lock and talk over pipes, and short ones that come and go
 *     forks  a tree of processes that fork, work and end
 *     execs  a process that becomes a new image again and again
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/rng.h"

#define HELD 64
#define SECONDS_AT_MOST 60
#define THREADS 8

struct desk {
	struct rng rng;
	void *held[HELD];
};

static uint64_t seed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int pipes[THREADS][2];

static void *get(struct desk *desk, void *old, int depth)
{
	size_t size = rng_between(&desk->rng, 1, 3000);
	void *block;

	if (depth)
		return get(desk, old, depth - 1);
	if (old && rng_next(&desk->rng) % 4 == 0) {
		block = realloc(old, size);
	} else {
		free(old);
		block = rng_next(&desk->rng) % 3 ? malloc(size) : calloc(1, size);
	}
	if (!block)
		exit(1);
	return block;
}

static void turn(struct desk *desk)
{
	uint64_t at = rng_next(&desk->rng) % HELD;

	desk->held[at] = get(desk, desk->held[at], (int)(rng_next(&desk->rng) % 9));
}

static void turns(struct desk *desk, int n)
{
	for (int i = 0; i < n; i++)
		turn(desk);
}

static void give_back(struct desk *desk)
{
	for (int i = 0; i < HELD; i++)
		free(desk->held[i]);
}

static void churn(void)
{
	struct desk desk = { { seed }, { 0 } };

	for (;;)
		turn(&desk);
}

static void *short_thread(void *arg)
{
	struct desk desk = { { seed ^ (uintptr_t)arg }, { 0 } };

	turns(&desk, 20);
	give_back(&desk);
	return NULL;
}

static void nap(uint64_t ns)
{
	struct timespec t = { 0, (long)ns };

	nanosleep(&t, NULL);
}

/* Every second worker writes to the one before it, which reads. */
static void *pool_worker(void *arg)
{
	uintptr_t number = (uintptr_t)arg;
	struct desk desk = { { seed * 31 + number }, { 0 } };
	pthread_t thread;
	char byte = 0;

	for (uint64_t round = 0;; round++) {
		pthread_mutex_lock(&lock);
		turn(&desk);
		pthread_mutex_unlock(&lock);
		turns(&desk, 5);
		if ((number % 2 ? write(pipes[number / 2][1], &byte, 1) : read(pipes[number / 2][0], &byte, 1)) != 1)
			nap(1000);
		if (round % 256 == 255 && !pthread_create(&thread, NULL, short_thread, (void *)round))
			pthread_join(thread, NULL);
		if (round % 64 == 63)
			nap(20000);
	}
	return NULL;
}

static void pool(void)
{
	pthread_t thread;

	for (int i = 0; i < THREADS; i++)
		if (pipe2(pipes[i], O_NONBLOCK * (i & 1)))
			exit(1);
	for (uintptr_t i = 1; i < THREADS; i++)
		if (pthread_create(&thread, NULL, pool_worker, (void *)i))
			exit(1);
	pool_worker(NULL);
}

/* A child has one of its own now and then. Most end by exit, some by _exit, and some are killed. */
static void forks_child(uint64_t number, int generation)
{
	struct desk desk = { { seed * 131 + number }, { 0 } };

	turns(&desk, 50);
	while (generation-- && number % 3 == 0 && !fork())
		turns(&desk, 10);
	turns(&desk, 50);
	if (number % 5 == 0)
		abort();
	if (number % 5 == 1)
		_exit(0);
	exit(0);
}

static void forks(void)
{
	struct desk desk = { { seed }, { 0 } };

	for (uint64_t number = 1;; number++) {
		turn(&desk);
		if (!fork())
			forks_child(number, 2);
		if (number % 4 == 0)
			while (waitpid(-1, NULL, number % 16 ? WNOHANG : 0) > 0 && number % 16)
				;
	}
}

static void execs(const char *self, uint64_t images)
{
	struct desk desk = { { seed + images }, { 0 } };
	char number[32], start[32];

	turns(&desk, 200);
	snprintf(number, sizeof(number), "%lu", (unsigned long)images + 1);
	snprintf(start, sizeof(start), "%lu", (unsigned long)seed);
	execl(self, self, "execs", start, number, (char *)NULL);
	exit(1);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	if (argc <= 3)
		alarm(SECONDS_AT_MOST);
	if (!strcmp(what, "churn"))
		churn();
	else if (!strcmp(what, "pool"))
		pool();
	else if (!strcmp(what, "forks"))
		forks();
	else if (!strcmp(what, "execs"))
		execs("/proc/self/exe", argc > 3 ? strtoull(argv[3], NULL, 10) : 0);
	fprintf(stderr, "usage: kill_work churn|pool|forks|execs SEED\n");
	return 2;
}
