/* SPDX-License-Identifier: MIT */
/*
 * bells.c - threads that are woken badly:
 *
 *   herd     8 threads wait for their turn on one condition, and each turn is a broadcast that wakes them all
 *   turns    the same with a condition for each thread and signals: nobody is woken for nothing
 *   starved  readers hold a rwlock one after the other and overlapping, and a writer waits for a gap
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS 8u
#define ROUNDS 40u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t any_turn = PTHREAD_COND_INITIALIZER, own_turn[THREADS];
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static unsigned turn;
static bool is_over;

static void pass_us(long us)
{
	nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
}

static void *herd(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		while (turn != me)
			pthread_cond_wait(&any_turn, &lock);
		pthread_mutex_unlock(&lock);
		pass_us(200);
		pthread_mutex_lock(&lock);
		turn = (turn + 1) % THREADS;
		pthread_cond_broadcast(&any_turn);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *turns(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		while (turn != me)
			pthread_cond_wait(&own_turn[me], &lock);
		turn = (turn + 1) % THREADS;
		pthread_cond_signal(&own_turn[turn]);
		pthread_mutex_unlock(&lock);
		pass_us(300);
	}
	return NULL;
}

/* glibc prefers readers: as long as one holds the lock the next one gets it, whoever else waits. */
static void *starved(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;

	if (!me) {
		pass_us(2000);
		pthread_rwlock_wrlock(&table);
		__atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
		pthread_rwlock_unlock(&table);
		return NULL;
	}
	pass_us(500 * me);
	for (unsigned i = 0; i < ROUNDS && !__atomic_load_n(&is_over, __ATOMIC_RELAXED); i++) {
		pthread_rwlock_rdlock(&table);
		pass_us(2000);
		pthread_rwlock_unlock(&table);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	void *(*play)(void *) = argc < 2		      ? NULL
				: !strcmp(argv[1], "herd")    ? herd
				: !strcmp(argv[1], "turns")   ? turns
				: !strcmp(argv[1], "starved") ? starved
							      : NULL;
	pthread_t threads[THREADS];

	if (!play)
		return 2;
	for (unsigned i = 0; i < THREADS; i++)
		pthread_cond_init(&own_turn[i], NULL);
	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, play, (void *)i))
			return 1;
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
