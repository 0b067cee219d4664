/* SPDX-License-Identifier: MIT */
/*
 * lockorder.c - locks of every kind taken in two orders, one after the other, so that nothing hangs: what a tool must
 * warn of (mutex, rwlock, spin, c11, three locks in a ring) and what it must not (always the same order, a try, a gate
 * around both orders, a recursive mutex, readers that meet readers). `--hang` takes two mutexes in both orders at once,
 * and does hang.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>

#define PAIR(type, name) static type name##_a, name##_b

PAIR(pthread_mutex_t, inverted);
PAIR(pthread_rwlock_t, rw);
PAIR(pthread_rwlock_t, readers);
PAIR(pthread_spinlock_t, spun);
PAIR(mtx_t, c11);
PAIR(pthread_mutex_t, ordered);
PAIR(pthread_mutex_t, tried);
PAIR(pthread_mutex_t, gated);
PAIR(pthread_mutex_t, hung);
static pthread_mutex_t gate, ring[3], recursive;

static void take_mutexes(pthread_mutex_t *first, pthread_mutex_t *second)
{
	pthread_mutex_lock(first);
	pthread_mutex_lock(second);
	pthread_mutex_unlock(second);
	pthread_mutex_unlock(first);
}

static void *one_way(void *arg)
{
	(void)arg;
	take_mutexes(&inverted_a, &inverted_b);
	pthread_rwlock_rdlock(&rw_a);
	pthread_rwlock_wrlock(&rw_b);
	pthread_rwlock_unlock(&rw_b);
	pthread_rwlock_unlock(&rw_a);
	pthread_rwlock_rdlock(&readers_a);
	pthread_rwlock_wrlock(&readers_b);
	pthread_rwlock_unlock(&readers_b);
	pthread_rwlock_unlock(&readers_a);
	pthread_spin_lock(&spun_a);
	pthread_spin_lock(&spun_b);
	pthread_spin_unlock(&spun_b);
	pthread_spin_unlock(&spun_a);
	mtx_lock(&c11_a);
	mtx_lock(&c11_b);
	mtx_unlock(&c11_b);
	mtx_unlock(&c11_a);
	take_mutexes(&ring[0], &ring[1]);
	take_mutexes(&ring[1], &ring[2]);
	take_mutexes(&ordered_a, &ordered_b);
	take_mutexes(&tried_a, &tried_b);
	pthread_mutex_lock(&gate);
	take_mutexes(&gated_a, &gated_b);
	pthread_mutex_unlock(&gate);
	return NULL;
}

static void *other_way(void *arg)
{
	(void)arg;
	take_mutexes(&inverted_b, &inverted_a);
	pthread_rwlock_wrlock(&readers_b);
	pthread_rwlock_rdlock(&readers_a);
	pthread_rwlock_unlock(&readers_a);
	pthread_rwlock_unlock(&readers_b);
	pthread_rwlock_rdlock(&rw_b);
	pthread_rwlock_wrlock(&rw_a);
	pthread_rwlock_unlock(&rw_a);
	pthread_rwlock_unlock(&rw_b);
	pthread_spin_lock(&spun_b);
	pthread_spin_lock(&spun_a);
	pthread_spin_unlock(&spun_a);
	pthread_spin_unlock(&spun_b);
	mtx_lock(&c11_b);
	mtx_lock(&c11_a);
	mtx_unlock(&c11_a);
	mtx_unlock(&c11_b);
	take_mutexes(&ring[2], &ring[0]);
	take_mutexes(&ordered_a, &ordered_b);
	pthread_mutex_lock(&tried_b);
	if (!pthread_mutex_trylock(&tried_a))
		pthread_mutex_unlock(&tried_a);
	pthread_mutex_unlock(&tried_b);
	pthread_mutex_lock(&gate);
	take_mutexes(&gated_b, &gated_a);
	pthread_mutex_unlock(&gate);
	pthread_mutex_lock(&recursive);
	pthread_mutex_lock(&ordered_a);
	pthread_mutex_lock(&recursive);
	pthread_mutex_unlock(&recursive);
	pthread_mutex_unlock(&ordered_a);
	pthread_mutex_unlock(&recursive);
	return NULL;
}

static pthread_barrier_t both;

static void hang(pthread_mutex_t *first, pthread_mutex_t *second)
{
	pthread_mutex_lock(first);
	pthread_barrier_wait(&both);
	pthread_mutex_lock(second);
}

static void *hang_one_way(void *arg)
{
	(void)arg;
	hang(&hung_a, &hung_b);
	return NULL;
}

static void *hang_other_way(void *arg)
{
	(void)arg;
	hang(&hung_b, &hung_a);
	return NULL;
}

static void run(void *(*start)(void *))
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, start, NULL))
		pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	pthread_mutexattr_t attr;

	pthread_rwlock_init(&rw_a, NULL);
	pthread_rwlock_init(&rw_b, NULL);
	pthread_rwlock_init(&readers_a, NULL);
	pthread_rwlock_init(&readers_b, NULL);
	pthread_spin_init(&spun_a, 0);
	pthread_spin_init(&spun_b, 0);
	mtx_init(&c11_a, mtx_plain);
	mtx_init(&c11_b, mtx_plain);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&recursive, &attr);
	if (argc > 1 && !strcmp(argv[1], "--hang")) {
		pthread_t threads[2];

		pthread_barrier_init(&both, NULL, 2);
		pthread_create(&threads[0], NULL, hang_one_way, NULL);
		pthread_create(&threads[1], NULL, hang_other_way, NULL);
		/* Whoever looks has so long; then the process ends as a hung one is ended. */
		sleep(argc > 2 ? 20 : 3);
		return 3;
	}
	run(one_way);
	run(other_way);
	puts("done");
	return 0;
}
