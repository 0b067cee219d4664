/* SPDX-License-Identifier: MIT */
/*
 * coroutine.c - stacks that come and go: ucontext switches between coroutines that allocate and sleep.
 *
 * Coroutines have stacks of 64 KiB from malloc, are resumed by either of two threads, and are thrown away and made
 * again at other addresses. The sum they come to is known; the output is the same with and without a recorder.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#include "common/options.h"

#define COROUTINES 8
#define STACK_SIZE 65536

struct coroutine {
	ucontext_t here, caller;
	void *stack;
	unsigned int depth;
	uint64_t sum;
	int is_done;
};

static uint64_t steps = 2000;
static uint64_t total;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void yield(struct coroutine *co)
{
	swapcontext(&co->here, &co->caller);
}

/* Allocates on the way down, gives the processor away at the bottom, frees on the way up. */
static uint64_t descend(struct coroutine *co, unsigned int depth)
{
	unsigned char *block = malloc(depth + 16);
	uint64_t sum;

	if (!block)
		exit(1);
	memset(block, (int)depth, depth + 16);
	if (depth) {
		sum = descend(co, depth - 1);
	} else {
		yield(co);
		sum = 0;
	}
	sum += block[depth];
	free(block);
	return sum;
}

/* makecontext passes ints: the pointer comes in two halves. */
static void body(unsigned int high, unsigned int low)
{
	struct coroutine *co = (struct coroutine *)((uintptr_t)high << 32 | low);

	for (uint64_t i = 0; i < steps; i++)
		co->sum += descend(co, co->depth);
	co->is_done = 1;
}

static void start(struct coroutine *co, unsigned int depth)
{
	uintptr_t self = (uintptr_t)co;

	*co = (struct coroutine){ .stack = malloc(STACK_SIZE), .depth = depth };
	if (!co->stack || getcontext(&co->here))
		exit(1);
	co->here.uc_stack.ss_sp = co->stack;
	co->here.uc_stack.ss_size = STACK_SIZE;
	co->here.uc_link = &co->caller;
	makecontext(&co->here, (void (*)(void))body, 2, (unsigned int)(self >> 32), (unsigned int)self);
}

/* An argument that isn't NULL: sleep after each turn. */
static void *run(void *arg)
{
	struct coroutine all[COROUTINES];
	int left = COROUTINES;

	for (int i = 0; i < COROUTINES; i++)
		start(&all[i], (unsigned int)i * 3);
	while (left) {
		for (int i = 0; i < COROUTINES; i++) {
			if (all[i].is_done)
				continue;
			swapcontext(&all[i].caller, &all[i].here);
			if (!all[i].is_done)
				continue;
			pthread_mutex_lock(&lock);
			total += all[i].sum;
			pthread_mutex_unlock(&lock);
			free(all[i].stack);
			left--;
		}
		if (arg)
			nanosleep(&(struct timespec){ 0, 1000 }, NULL);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const struct option_row rows[] = {
		{ "steps", OPTION_NUMBER, &steps, 1, 1000000, "how often each coroutine is left and resumed" },
		{ 0 },
	};
	pthread_t thread;

	options_parse(argc, argv, "coroutine", "Switches stacks with swapcontext.\n", rows);
	if (pthread_create(&thread, NULL, run, &lock))
		return 1;
	run(NULL);
	pthread_join(thread, NULL);
	printf("coroutines: %d, sum %lu\n", 2 * COROUTINES, total);
	return fflush(stdout) ? 1 : 0;
}
