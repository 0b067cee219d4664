/* SPDX-License-Identifier: MIT */
/*
 * growing.c - a leak and a cache, round by round, for about two seconds. The cache holds 100 entries of changing size
 * and is full after a tenth of the time; the leak goes on to the end, slower in bytes than the cache is large. With an
 * argument it kills itself then.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"

#define ROUNDS 1500
#define ENTRIES 100
#define NOTE_SIZE 80u

struct note {
	struct note *next;
};

static struct note *notes;
static char *entries[ENTRIES];

static void leak_note(void)
{
	struct note *note = malloc(NOTE_SIZE);

	note->next = notes;
	notes = note;
}

static void fill_cache(unsigned round)
{
	free(entries[round % ENTRIES]);
	entries[round % ENTRIES] = malloc(3000 + round * 7919 % 500);
}

int main(int argc, char **argv)
{
	uint64_t start = clock_now_ns(), ns;

	(void)argv;
	for (unsigned round = 0; round < ROUNDS; round++) {
		leak_note();
		fill_cache(round);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	if (argc > 1)
		raise(SIGKILL);
	ns = clock_now_ns() - start;
	printf("{\"leaked\": %u, \"ns\": %lu}\n", ROUNDS * NOTE_SIZE, ns);
	return notes == NULL;
}
