/* SPDX-License-Identifier: MIT */
/* dictionary.c - names with weights, the table that all jobs share. */
#include "workflow/workflow.h"

#include <errno.h>
#include <stdio.h>

#include "common/books.h"
#include "common/rng.h"

void dictionary_name(char name[NAME_SIZE], uint64_t index, uint64_t seed)
{
	struct rng rng = { seed ^ index * 0x9e3779b97f4a7c15ull };

	snprintf(name, NAME_SIZE, "%04lx-%lu", rng_next(&rng) & 0xffff, index);
}

int dictionary_init(struct dictionary *dictionary, size_t count, uint64_t seed)
{
	dictionary->entries = book_calloc(count, sizeof(*dictionary->entries));
	if (!dictionary->entries)
		return -ENOMEM;
	dictionary->count = count;
	for (size_t i = 0; i < count; i++) {
		dictionary_name(dictionary->entries[i].name, i, seed);
		dictionary->entries[i].weight = i % 97 + 1;
	}
	pthread_mutex_init(&dictionary->lock, NULL);
	return 0;
}

void dictionary_release(struct dictionary *dictionary)
{
	pthread_mutex_destroy(&dictionary->lock);
	book_free(dictionary->entries, dictionary->count * sizeof(*dictionary->entries));
}
