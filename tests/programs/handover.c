/* SPDX-License-Identifier: MIT */
/*
 * handover.c - blocks that change hands: maker-1 makes 3000 and ender frees all of them; maker-2 makes 1000, frees
 * every second one itself and leaves the others to ender.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define MANY 3000
#define FEW 1000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t is_not_empty = PTHREAD_COND_INITIALIZER;
static void *queue[MANY + FEW];
static int queued;

__attribute__((noinline)) static void *make_block(size_t size)
{
	void *volatile block = malloc(size);

	return block;
}

static void hand_over(void *block)
{
	pthread_mutex_lock(&lock);
	queue[queued++] = block;
	pthread_cond_signal(&is_not_empty);
	pthread_mutex_unlock(&lock);
}

static void *make_many(void *unused)
{
	pthread_setname_np(pthread_self(), "maker-1");
	for (int i = 0; i < MANY; i++)
		hand_over(make_block(100));
	return unused;
}

static void *make_few(void *unused)
{
	pthread_setname_np(pthread_self(), "maker-2");
	for (int i = 0; i < FEW; i++) {
		void *block = make_block(64);

		if (i % 2)
			hand_over(block);
		else
			free(block);
	}
	return unused;
}

static void *end_all(void *unused)
{
	pthread_setname_np(pthread_self(), "ender");
	for (int i = 0; i < MANY + FEW / 2; i++) {
		void *block;

		pthread_mutex_lock(&lock);
		while (queued <= i)
			pthread_cond_wait(&is_not_empty, &lock);
		block = queue[i];
		pthread_mutex_unlock(&lock);
		free(block);
	}
	return unused;
}

int main(void)
{
	void *(*const roles[])(void *) = { make_many, make_few, end_all };
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, roles[i], NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	puts("done");
	return 0;
}
