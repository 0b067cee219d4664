/* SPDX-License-Identifier: MIT */
/*
 * shapes.c - programs whose critical path is known: run with --cost 1 for the whole, with --cost 0 without the part
 * that is to cost nothing. Prints how long it took, in ns.
 *
 *   lock       threads do a little work of their own and a lot under one lock: the part is the work under the lock
 *   pipeline   two stages hand items over by a condition: the part is the work of the slower stage
 *   phases     threads meet at a barrier, one of them works longer: the part is its surplus
 *   forkjoin   threads are created and joined, one of them works longer: the part is its surplus
 *   semaphore  a producer posts items, a consumer works on each: the part is the consumer's work
 *   sleeper    a thread sleeps before it releases what the others wait for: the part is the sleep
 *   relay      a thread works and writes into a pipe, another one reads from it and works: the part is the writer's
 * work request    a thread sends on a socket and waits for the answer: the part is the work of the one that answers
 */
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/options.h"

#define THREADS 2u

static const char *shape = "lock";
static uint64_t cost = 1, rounds = 60;

/*
 * CPU time of this thread, so that a busy machine does not change what is planted. A macro, so that samples fall into
 * the lines of the part that works.
 */
#define WORK(us)                                                                                                       \
	do {                                                                                                           \
		uint64_t until_ = clock_thread_cpu_ns() + (us)*1000;                                                   \
                                                                                                                       \
		do                                                                                                     \
			for (volatile unsigned i_ = 0; i_ < 20000; i_++)                                               \
				;                                                                                      \
		while (clock_thread_cpu_ns() < until_);                                                                \
	} while (0)

/* Each part is a function of its own, so that it is a place of its own. */
__attribute__((noinline)) static void own_work(uint64_t us)
{
	WORK(us);
	__asm__ volatile("");
}

__attribute__((noinline)) static void removable_part(uint64_t us)
{
	if (cost)
		WORK(us);
	__asm__ volatile("");
}

static void run_threads(void *(*start)(void *), unsigned count)
{
	pthread_t threads[8];

	for (unsigned i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, start, (void *)(uintptr_t)i);
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

/* ---- lock ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *lock_thread(void *arg)
{
	(void)arg;
	for (uint64_t i = 0; i < rounds; i++) {
		own_work(1000);
		pthread_mutex_lock(&lock);
		removable_part(3000);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

/* ---- pipeline ---- */

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static uint64_t made, taken;

static void *pipeline_thread(void *arg)
{
	for (uint64_t i = 0; i < rounds; i++) {
		if (!arg)
			own_work(2000);
		pthread_mutex_lock(&lock);
		if (!arg) {
			while (made > taken)
				pthread_cond_wait(&changed, &lock);
			made++;
		} else {
			while (made == taken)
				pthread_cond_wait(&changed, &lock);
			taken++;
		}
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
		if (arg)
			removable_part(4000);
	}
	return NULL;
}

/* ---- phases ---- */

static pthread_barrier_t barrier;

static void *phases_thread(void *arg)
{
	for (uint64_t i = 0; i < rounds; i++) {
		own_work(2000);
		if (!arg)
			removable_part(3000);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

/* ---- forkjoin ---- */

static void *forkjoin_thread(void *arg)
{
	own_work(3000);
	if (!arg)
		removable_part(4000);
	return NULL;
}

/* ---- semaphore ---- */

static sem_t items;

static void *semaphore_thread(void *arg)
{
	for (uint64_t i = 0; i < rounds; i++) {
		if (!arg) {
			own_work(2000);
			sem_post(&items);
			continue;
		}
		sem_wait(&items);
		removable_part(4000);
	}
	return NULL;
}

/* ---- sleeper ---- */

__attribute__((noinline)) static void removable_sleep(void)
{
	if (cost)
		nanosleep(&(struct timespec){ .tv_nsec = 4000000 }, NULL);
	__asm__ volatile("");
}

static void *sleeper_thread(void *arg)
{
	for (uint64_t i = 0; i < rounds; i++) {
		own_work(1000);
		if (!arg)
			removable_sleep();
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

/* ---- relay and request ---- */

static int ends[2];

static void must(bool holds)
{
	if (!holds)
		exit(3);
}

static void *relay_thread(void *arg)
{
	char byte = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		if (!arg) {
			own_work(1500);
			removable_part(4000);
			must(write(ends[1], &byte, 1) == 1);
		} else {
			must(read(ends[0], &byte, 1) == 1);
			own_work(2500);
		}
	}
	return NULL;
}

static void *request_thread(void *arg)
{
	char byte = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		if (!arg) {
			own_work(1500);
			must(send(ends[0], &byte, 1, 0) == 1 && recv(ends[0], &byte, 1, 0) == 1);
		} else {
			must(recv(ends[1], &byte, 1, 0) == 1);
			removable_part(4000);
			must(send(ends[1], &byte, 1, 0) == 1);
		}
	}
	return NULL;
}

static void *(*thread_of(const char *name))(void *)
{
	static const struct {
		const char *name;
		void *(*start)(void *);
	} shapes[] = {
		{ "lock", lock_thread },	   { "pipeline", pipeline_thread }, { "phases", phases_thread },
		{ "semaphore", semaphore_thread }, { "sleeper", sleeper_thread },   { "relay", relay_thread },
		{ "request", request_thread },
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		if (!strcmp(name, shapes[i].name))
			return shapes[i].start;
	exit(2);
}

int main(int argc, char **argv)
{
	const struct option_row rows[] = {
		{ "shape", OPTION_TEXT, &shape, 0, 0,
		  "lock, pipeline, phases, forkjoin, semaphore, sleeper, relay or request" },
		{ "cost", OPTION_NUMBER, &cost, 0, 1, "0: the part costs nothing" },
		{ "rounds", OPTION_NUMBER, &rounds, 1, 100000, "how often" },
		{ 0 },
	};
	uint64_t start;

	options_parse(argc, argv, "shapes", "Runs a program of a known critical path.\n", rows);
	pthread_barrier_init(&barrier, NULL, THREADS);
	sem_init(&items, 0, 0);
	must(!strcmp(shape, "request") ? !socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : !pipe(ends));
	start = clock_now_ns();
	if (!strcmp(shape, "forkjoin"))
		for (uint64_t i = 0; i < rounds; i++)
			run_threads(forkjoin_thread, THREADS);
	else
		run_threads(thread_of(shape), THREADS);
	printf("%" PRIu64 "\n", clock_now_ns() - start);
	return fflush(stdout) ? 1 : 0;
}
