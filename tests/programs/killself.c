/* SPDX-License-Identifier: MIT */
/*
 * killself.c - dies by SIGKILL in the middle of its work; its books survive in a file.
 *
 * Each thread counts in a shared mapping of --books FILE, after the call returned. So whatever the moment of death,
 * a recorder has seen at least the allocations and the frees of the books, and at most one more of each per thread.
 * `killself --read FILE` prints the books as JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/books.h"
#include "common/options.h"
#include "common/rng.h"

#define MAX_THREADS 64
#define HELD 64

struct account {
	uint64_t allocations, allocated_bytes, frees;
	uint64_t reserved[5]; /* a cache line for each thread */
};

static uint64_t thread_count = 4, after = 100000, seed = 1, signal_number = SIGKILL;
static const char *books_path, *read_path;
static struct account *accounts;

/* Volatile stores: each one is in the file before the next call is made. */
static void add(uint64_t *counter, uint64_t value)
{
	volatile uint64_t *slot = counter;

	*slot += value;
}

static void *kill_allocate(struct account *mine, size_t size)
{
	void *block = malloc(size);

	if (!block)
		exit(1);
	add(&mine->allocations, 1);
	add(&mine->allocated_bytes, size);
	return block;
}

static void kill_free(struct account *mine, void *block)
{
	if (!block)
		return;
	free(block);
	add(&mine->frees, 1);
}

/* The first thread ends the process with its allocation number `after`; the others go on until then. */
static void *work(void *arg)
{
	uint64_t number = (uint64_t)(uintptr_t)arg;
	struct account *mine = &accounts[number];
	struct rng rng = { seed * 65537 + number };
	void *held[HELD] = { 0 };

	for (;;) {
		uint64_t at = rng_next(&rng) % HELD;

		kill_free(mine, held[at]);
		held[at] = kill_allocate(mine, rng_between(&rng, 1, 2000));
		if (!number && mine->allocations >= after)
			kill(getpid(), (int)signal_number);
	}
	return NULL;
}

/* Returns the mapping or NULL. */
static struct account *map_books(const char *path, int is_new)
{
	int fd = open(path, is_new ? O_RDWR | O_CREAT | O_TRUNC : O_RDONLY, 0600);
	size_t size = MAX_THREADS * sizeof(struct account);
	void *map = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (!is_new || !ftruncate(fd, (off_t)size))
		map = mmap(NULL, size, is_new ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	return map == MAP_FAILED ? NULL : map;
}

static int print_books(void)
{
	struct account sum = { 0 };
	int threads = 0;
	const struct account *all = map_books(read_path, 0);

	if (!all) {
		fprintf(stderr, "killself: %s: %s\n", read_path, strerror(errno));
		return 1;
	}
	for (int i = 0; i < MAX_THREADS; i++) {
		sum.allocations += all[i].allocations;
		sum.allocated_bytes += all[i].allocated_bytes;
		sum.frees += all[i].frees;
		threads += all[i].allocations != 0;
	}
	printf("{\"program\":\"killself\",\"allocations_at_least\":%lu,\"allocated_bytes_at_least\":%lu,"
	       "\"frees_at_least\":%lu,\"threads\":%d,\"function\":\"kill_allocate\"}\n",
	       sum.allocations, sum.allocated_bytes, sum.frees, threads);
	return fflush(stdout) ? 1 : 0;
}

int main(int argc, char **argv)
{
	const struct option_row rows[] = {
		{ "books", OPTION_TEXT, &books_path, 0, 0, "file for the books" },
		{ "read", OPTION_TEXT, &read_path, 0, 0, "print the books of this file and end" },
		{ "threads", OPTION_NUMBER, &thread_count, 1, MAX_THREADS, "threads that allocate" },
		{ "after", OPTION_NUMBER, &after, 1, UINT64_MAX, "allocations of the first thread before the end" },
		{ "signal", OPTION_NUMBER, &signal_number, 1, 31, "signal that ends it" },
		{ "seed", OPTION_NUMBER, &seed, 0, UINT64_MAX, "which sizes" },
		{ 0 },
	};

	books_stdout();
	options_parse(argc, argv, "killself", "Allocates until it kills itself; its books survive.\n", rows);
	if (read_path)
		return print_books();
	if (!books_path || !(accounts = map_books(books_path, 1))) {
		fprintf(stderr, "killself: --books: %s\n", books_path ? strerror(errno) : "wanted");
		return 2;
	}
	for (uint64_t i = 1; i < thread_count; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, work, (void *)(uintptr_t)i))
			return 1;
	}
	work(NULL);
	return 0;
}
