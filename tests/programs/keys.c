/*
 * keys.c - a program gets as many keys for thread-specific data as libc has, and their destructors run: the recorder
 * uses one, and must give it away when it is the last. Prints nothing that depends on the recorder when that is so.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>

#define MOST 2000

static pthread_key_t keys[MOST];
static int n_keys, destroyed;

static void destroy(void *value)
{
	destroyed++;
	free(value);
}

static void *set_all(void *arg)
{
	for (int i = 0; i < n_keys; i++)
		pthread_setspecific(keys[i], malloc(10));
	return arg;
}

static void *set_and_exit(void *arg)
{
	set_all(arg);
	pthread_exit(arg);
}

static int c11(void *arg)
{
	set_all(arg);
	return 7;
}

static void round_of_threads(void)
{
	for (int i = 0; i < 20; i++) {
		pthread_t posix, exiting;
		thrd_t other;
		int result;

		pthread_create(&posix, NULL, set_all, NULL);
		pthread_join(posix, NULL);
		pthread_create(&exiting, NULL, set_and_exit, NULL);
		pthread_join(exiting, NULL);
		if (thrd_create(&other, c11, NULL) == thrd_success)
			thrd_join(other, &result);
	}
}

int main(void)
{
	tss_t one;

	printf("key 0 before there is one: %d\n", pthread_setspecific(0, &one));
	round_of_threads();
	while (n_keys < MOST && pthread_key_create(&keys[n_keys], destroy) == 0)
		n_keys++;
	printf("%d keys, the first is number %u, the 20th %u\n", n_keys, keys[0], keys[19]);
	round_of_threads();
	printf("%d destroyed\n", destroyed);
	printf("no key left: %d\n", tss_create(&one, NULL) == thrd_error);
	pthread_key_delete(keys[--n_keys]);
	printf("one again: %d\n", tss_create(&one, NULL) == thrd_success);
	return 0;
}
