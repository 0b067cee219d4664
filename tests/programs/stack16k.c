/* SPDX-License-Identifier: MIT */
/*
 * stack16k.c - threads on 16 KiB stacks that use most of them and then call what a recorder wraps.
 *
 * Below each stack lies an unmapped page, so a wrapper or a signal handler that takes too much is found at once. How
 * much of the stack the calls took is measured by painting it; the deepest use must leave something.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/options.h"

#define STACK_SIZE 16384
#define GUARD_SIZE 4096
#define PAINT 0xa5

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t sem;
static int ends[2];
static int answers; /* of calls that did what they should */

static void call_many(void)
{
	char byte = 'x';
	void *block = malloc(100);
	int ok = 0;

	block = realloc(block, 5000);
	ok += block != NULL;
	free(block);
	pthread_mutex_lock(&mutex);
	ok += write(ends[1], &byte, 1) == 1;
	pthread_mutex_unlock(&mutex);
	ok += read(ends[0], &byte, 1) == 1;
	sem_post(&sem);
	ok += sem_wait(&sem) == 0;
	ok += poll(NULL, 0, 1) == 0;
	ok += nanosleep(&(struct timespec){ 0, 100000 }, NULL) == 0;
	__atomic_add_fetch(&answers, ok, __ATOMIC_RELAXED);
}

static void burn(uint64_t dur_ns)
{
	uint64_t until_ns = clock_thread_cpu_ns() + dur_ns;

	while (clock_thread_cpu_ns() < until_ns)
		;
}

/* Uses stack in steps of about 100 bytes, so that calls happen at a known depth. */
static void descend(int depth)
{
	volatile char room[64];

	room[0] = (char)depth;
	if (depth > 0)
		descend(depth - 1);
	else
		call_many();
	room[1] = room[0];
}

static void *run(void *arg)
{
	for (int i = 0; i < 5; i++)
		descend((int)(uintptr_t)arg);
	burn(20000000);
	return NULL;
}

/* Bytes of the stack that were never written, counted from its far end. */
static size_t untouched(const unsigned char *stack)
{
	size_t count = 0;

	while (count < STACK_SIZE && stack[count] == PAINT)
		count++;
	return count;
}

/* Returns what was left, or 0. */
static size_t run_on_small_stack(int depth)
{
	unsigned char *map =
		mmap(NULL, STACK_SIZE + GUARD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attr;
	pthread_t thread;
	size_t left = 0;

	if (map == MAP_FAILED || mprotect(map, GUARD_SIZE, PROT_NONE))
		return 0;
	memset(map + GUARD_SIZE, PAINT, STACK_SIZE);
	pthread_attr_init(&attr);
	if (!pthread_attr_setstack(&attr, map + GUARD_SIZE, STACK_SIZE) &&
	    !pthread_create(&thread, &attr, run, (void *)(uintptr_t)depth)) {
		pthread_join(thread, NULL);
		left = untouched(map + GUARD_SIZE);
	}
	pthread_attr_destroy(&attr);
	munmap(map, STACK_SIZE + GUARD_SIZE);
	return left;
}

int main(int argc, char **argv)
{
	uint64_t depth = 30;
	int is_verbose = 0;
	const struct option_row rows[] = {
		{ "depth", OPTION_NUMBER, &depth, 0, 200, "frames of about 100 bytes below the calls" },
		{ "verbose", OPTION_FLAG, &is_verbose, 0, 0, "print how much of the stack was left" },
		{ 0 },
	};
	size_t least = STACK_SIZE;

	options_parse(argc, argv, "stack16k", "Calls many functions on 16 KiB stacks.\n", rows);
	if (pipe(ends) || sem_init(&sem, 0, 0))
		return 1;
	call_many(); /* binds the symbols: that alone would take more stack than any wrapper */
	answers = 0;
	for (int i = 0; i < 8; i++) {
		size_t left = run_on_small_stack((int)depth);

		least = left < least ? left : least;
	}
	printf("8 threads, %d calls, %s left of the stack\n", answers, least ? "something" : "NOTHING");
	if (is_verbose)
		printf("left of %d bytes: %zu\n", STACK_SIZE, least);
	return fflush(stdout) ? 1 : 0;
}
