/* SPDX-License-Identifier: MIT */
/*
 * holes.c - memory that was given back stays a hole until the program maps something: what a recorder maps meanwhile,
 * for a new process or a new thread too, lies elsewhere. Prints how many holes were filled.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOLES 200

static size_t page;
static char *holes;

/* Hole i has 1 + i % 40 pages, and a page stands before the next one. */
static char *hole(int i)
{
	char *at = holes;

	for (int k = 0; k < i; k++)
		at += (2 + (size_t)k % 40) * page;
	return at;
}

static int count_filled(void)
{
	unsigned char in_core;
	int filled = 0;

	for (int i = 0; i < HOLES; i++)
		filled += mincore(hole(i), page, &in_core) == 0 || errno != ENOMEM;
	return filled;
}

static void *use_heap(void *arg)
{
	for (size_t size = 16; size < 20000; size += 16)
		free(malloc(size));
	return arg;
}

static int child(void)
{
	use_heap(NULL);
	printf("%d holes filled in a child\n", count_filled());
	return fflush(stdout);
}

static char *map_none(size_t size)
{
	return mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* The kernel takes the highest hole that is large enough: no other one shall be above ours. */
static void fill_holes_above(void)
{
	char *lowest = map_none(2048 * page);

	for (size_t size = 1024 * page; size >= page; size /= 2)
		for (char *at = map_none(size); at != MAP_FAILED && at > lowest; at = map_none(size))
			;
}

int main(void)
{
	pthread_t thread;
	int status;

	page = (size_t)sysconf(_SC_PAGESIZE);
	/* Its stack stays for the next one, and the heap of it. */
	if (pthread_create(&thread, NULL, use_heap, NULL) || pthread_join(thread, NULL))
		return 1;
	fill_holes_above();
	holes = mmap(NULL, HOLES * 42 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (holes == MAP_FAILED)
		return 1;
	for (int i = 0; i < HOLES; i++)
		munmap(hole(i), (1 + (size_t)i % 40) * page);
	printf("%d holes filled at first\n", count_filled());
	fflush(stdout);
	if (fork() == 0)
		_exit(child());
	wait(&status);
	if (pthread_create(&thread, NULL, use_heap, NULL) || pthread_join(thread, NULL))
		return 1;
	printf("%d holes filled by a thread\n", count_filled());
	return status != 0;
}
