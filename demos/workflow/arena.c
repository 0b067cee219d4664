/* SPDX-License-Identifier: MIT */
/*
 * arena.c - chunks of records, announced to Ringside as a pool.
 *
 * malloc sees only the chunks; ringside_pool_alloc makes each record visible. All arenas together are one pool in
 * the reports: they share an identity and a name.
 */
#include "workflow/workflow.h"

#include "common/books.h"

#define CHUNK_RECORDS 256

struct chunk {
	struct chunk *next;
	struct record records[CHUNK_RECORDS];
};

static struct arena_totals totals;
static const char identity[] = ARENA_NAME;

__attribute__((noinline)) static struct chunk *add_chunk(struct arena *arena)
{
	struct chunk *chunk = book_malloc(sizeof(*chunk));

	if (!chunk)
		return NULL;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->used = 0;
	return chunk;
}

struct record *arena_take(struct arena *arena)
{
	struct record *record;

	if ((!arena->chunks || arena->used == CHUNK_RECORDS) && !add_chunk(arena))
		return NULL;
	record = &arena->chunks->records[arena->used++];
	ringside_pool_alloc(identity, ARENA_NAME, record, sizeof(*record));
	__atomic_add_fetch(&totals.allocations, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&totals.bytes, sizeof(*record), __ATOMIC_RELAXED);
	return record;
}

void arena_release(struct arena *arena)
{
	struct chunk *next;

	for (struct chunk *chunk = arena->chunks; chunk; chunk = next) {
		for (size_t i = 0; i < arena->used; i++)
			ringside_pool_free(identity, &chunk->records[i]);
		__atomic_add_fetch(&totals.frees, arena->used, __ATOMIC_RELAXED);
		next = chunk->next;
		book_free(chunk, sizeof(*chunk));
		arena->used = CHUNK_RECORDS; /* all but the newest chunk are full */
	}
	*arena = (struct arena){ 0 };
}

struct arena_totals arena_totals(void)
{
	return totals;
}
