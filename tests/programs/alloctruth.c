/* SPDX-License-Identifier: MIT */
/*
 * alloctruth.c - every allocation function, at random but with exact books per site.
 *
 * Each site is a function of its own that calls one allocation function. Slots are shared by all threads, so blocks
 * are freed by other threads too. With one thread the peak, each site's share of it and the number of temporary
 * blocks (freed before the thread's next allocation) are exact. What counts how: see common/books.h; a realloc to
 * size 0 is a free, and a call that fails is nothing.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/books.h"
#include "common/options.h"
#include "common/rng.h"

#define SLOTS 512
#define HUGE_SIZE ((size_t)1 << 62)

enum site_id {
	SITE_MALLOC,
	SITE_MALLOC_ZERO,
	SITE_CALLOC,
	SITE_REALLOC_NULL,
	SITE_REALLOC_GROW,
	SITE_REALLOC_SHRINK,
	SITE_REALLOCARRAY,
	SITE_POSIX_MEMALIGN,
	SITE_ALIGNED_ALLOC,
	SITE_MEMALIGN,
	SITE_VALLOC,
	SITE_PVALLOC,
	SITE_STRDUP,
	SITES
};

/* Counters are atomic; a block belongs to the site that made it, whoever frees it. */
struct site {
	const char *function;
	uint64_t allocations, frees, allocated_bytes, live_bytes, temporary, leaked_blocks, leaked_bytes;
	uint64_t peak_bytes; /* live_bytes at the peak of the program; one thread only */
};

struct slot {
	pthread_mutex_t lock;
	void *block;
	size_t size;
	enum site_id site;
};

static struct site sites[SITES];
static struct slot slots[SLOTS];
static uint64_t live_bytes, peak_bytes, failed_calls;
static uint64_t thread_count = 1, rounds = 20000, seed = 1, leak_every = 100;
static int has_no_pvalloc;
static __thread void *newest; /* the thread's last allocation, to know temporary ones */

#define ADD(counter, value) __atomic_add_fetch(&(counter), (value), __ATOMIC_RELAXED)

static void note_peak(void)
{
	if (thread_count > 1 || live_bytes <= peak_bytes)
		return;
	peak_bytes = live_bytes;
	for (int i = 0; i < SITES; i++)
		sites[i].peak_bytes = sites[i].live_bytes;
}

static void booked(enum site_id id, const void *block, size_t size)
{
	ADD(sites[id].allocations, 1);
	ADD(sites[id].allocated_bytes, size);
	ADD(sites[id].live_bytes, size);
	ADD(live_bytes, size);
	newest = (void *)(uintptr_t)block;
	note_peak();
}

static void unbooked(enum site_id id, const void *block, size_t size)
{
	ADD(sites[id].frees, 1);
	ADD(sites[id].live_bytes, -size);
	ADD(live_bytes, -size);
	if (newest != block)
		return;
	ADD(sites[id].temporary, 1);
	newest = NULL;
}

/* ---- the sites -------------------------------------------------------------------------------------------- */

static void *site_malloc(size_t size)
{
	return malloc(size);
}

static void *site_malloc_zero(size_t size)
{
	return malloc(size);
}

static void *site_calloc(size_t size)
{
	return calloc(size / 4, 4);
}

static void *site_realloc_null(size_t size)
{
	return realloc(NULL, size);
}

static void *site_realloc_grow(void *block, size_t size)
{
	return realloc(block, size);
}

static void *site_realloc_shrink(void *block, size_t size)
{
	return realloc(block, size);
}

static void *site_realloc_zero(void *block)
{
	volatile size_t zero = 0;

	return realloc(block, zero);
}

static void *site_reallocarray(void *block, size_t size)
{
	return reallocarray(block, size / 4, 4);
}

static void *site_posix_memalign(size_t size)
{
	void *block = NULL;

	return posix_memalign(&block, 256, size) ? NULL : block;
}

static void *site_aligned_alloc(size_t size)
{
	return aligned_alloc(64, size);
}

static void *site_memalign(size_t size)
{
	return memalign(128, size);
}

static void *site_valloc(size_t size)
{
	return valloc(size);
}

static void *site_pvalloc(size_t size)
{
	return pvalloc(size);
}

static char *site_strdup(const char *text)
{
	char *copy = malloc(strlen(text) + 1); /* libc's own would be a site in libc */

	return copy ? strcpy(copy, text) : NULL;
}

static void site_free(void *block)
{
	free(block);
}

/* Calls that yield no block, and that leave alone the one they were given. Volatile: gcc takes a realloc for a free. */
static void site_failures(void *volatile block)
{
	volatile size_t huge = HUGE_SIZE, half = SIZE_MAX / 2;
	void *out = NULL;

	ADD(failed_calls, !malloc(huge));
	ADD(failed_calls, !calloc(half, 4));
	ADD(failed_calls, !reallocarray(block, half, 4));
	ADD(failed_calls, block && !realloc(block, huge));
	ADD(failed_calls, posix_memalign(&out, 3, 64) == EINVAL);
	free(NULL);
}

/* ---- random work ------------------------------------------------------------------------------------------ */

static size_t some_size(struct rng *rng)
{
	uint64_t dice = rng_next(rng) % 100;

	if (dice < 80)
		return rng_between(rng, 1, 64) * 4;
	return dice < 99 ? rng_between(rng, 65, 4096) * 4 : rng_between(rng, 1 << 17, 1 << 19) & ~3ull;
}

static void *make_block(struct rng *rng, enum site_id id, size_t *size)
{
	static const char text[] = "a line of text that is copied";

	*size = some_size(rng);
	switch (id) {
	case SITE_MALLOC:
		return site_malloc(*size);
	case SITE_MALLOC_ZERO:
		*size = 0;
		return site_malloc_zero(0);
	case SITE_CALLOC:
		return site_calloc(*size);
	case SITE_REALLOC_NULL:
		return site_realloc_null(*size);
	case SITE_REALLOCARRAY:
		return site_reallocarray(NULL, *size);
	case SITE_POSIX_MEMALIGN:
		return site_posix_memalign(*size);
	case SITE_ALIGNED_ALLOC:
		*size = (*size + 63) & ~(size_t)63;
		return site_aligned_alloc(*size);
	case SITE_MEMALIGN:
		return site_memalign(*size);
	case SITE_VALLOC:
		return site_valloc(*size);
	case SITE_PVALLOC:
		return site_pvalloc(*size);
	case SITE_STRDUP:
		*size = sizeof(text);
		return site_strdup(text);
	default:
		return NULL;
	}
}

static void fill_slot(struct slot *slot, struct rng *rng)
{
	static const enum site_id makers[] = { SITE_MALLOC,	    SITE_MALLOC, SITE_MALLOC_ZERO,   SITE_CALLOC,
					       SITE_REALLOC_NULL,   SITE_STRDUP, SITE_REALLOCARRAY,  SITE_MEMALIGN,
					       SITE_POSIX_MEMALIGN, SITE_VALLOC, SITE_ALIGNED_ALLOC, SITE_PVALLOC };
	enum site_id id = makers[rng_next(rng) % (sizeof(makers) / sizeof(*makers))];
	void *block;

	if (id == SITE_PVALLOC && has_no_pvalloc)
		id = SITE_VALLOC;
	block = make_block(rng, id, &slot->size);
	if (!block)
		return;
	booked(id, block, slot->size);
	slot->block = block;
	slot->site = id;
}

static void empty_slot(struct slot *slot)
{
	unbooked(slot->site, slot->block, slot->size);
	site_free(slot->block);
	slot->block = NULL;
}

static void leak_slot(struct slot *slot)
{
	ADD(sites[slot->site].leaked_blocks, 1);
	ADD(sites[slot->site].leaked_bytes, slot->size);
	slot->block = NULL;
}

/* The old half is booked out before the new half is booked in, as the two halves of a realloc are recorded. */
static void resize_slot(struct slot *slot, size_t size)
{
	enum site_id id = size > slot->size ? SITE_REALLOC_GROW : SITE_REALLOC_SHRINK;
	uintptr_t old = (uintptr_t)slot->block;
	void *block =
		id == SITE_REALLOC_GROW ? site_realloc_grow(slot->block, size) : site_realloc_shrink(slot->block, size);

	if (!block)
		return;
	unbooked(slot->site, (void *)old, slot->size);
	booked(id, block, size);
	*slot = (struct slot){ .lock = slot->lock, .block = block, .size = size, .site = id };
}

static void resize_to_nothing(struct slot *slot)
{
	unbooked(slot->site, slot->block, slot->size);
	site_realloc_zero(slot->block);
	slot->block = NULL;
}

static void touch_slot(struct slot *slot, struct rng *rng)
{
	uint64_t dice = rng_next(rng) % 100;

	if (!slot->block)
		fill_slot(slot, rng);
	else if (dice < 15)
		resize_slot(slot, slot->size + some_size(rng));
	else if (dice < 25 && slot->size > 8)
		resize_slot(slot, slot->size / 2);
	else if (dice < 28 && slot->size)
		resize_to_nothing(slot);
	else if (dice < 30)
		site_failures(slot->block);
	else if (leak_every && rng_next(rng) % leak_every == 0)
		leak_slot(slot);
	else
		empty_slot(slot);
}

/* Half of the time the thread goes on with the slot it just used: that makes temporary blocks. */
static void *run_rounds(void *arg)
{
	struct rng rng = { seed + (uint64_t)(uintptr_t)arg * 1000003 };
	struct slot *slot = slots;

	for (uint64_t i = 0; i < rounds; i++) {
		if (rng_next(&rng) % 2)
			slot = &slots[rng_next(&rng) % SLOTS];
		pthread_mutex_lock(&slot->lock);
		touch_slot(slot, &rng);
		pthread_mutex_unlock(&slot->lock);
	}
	return NULL;
}

/* ---- the books -------------------------------------------------------------------------------------------- */

static void print_site(const struct site *site, const char *between)
{
	printf("%s{\"function\":\"%s\",\"allocations\":%lu,\"frees\":%lu,\"allocated_bytes\":%lu,\"live_blocks\":%lu,"
	       "\"live_bytes\":%lu,\"peak_bytes\":%lu,\"temporary\":%lu,\"leaked_blocks\":%lu,\"leaked_bytes\":%lu}",
	       between, site->function, site->allocations, site->frees, site->allocated_bytes,
	       site->allocations - site->frees, site->live_bytes, site->peak_bytes, site->temporary,
	       site->leaked_blocks, site->leaked_bytes);
}

static void print_books(void)
{
	struct site sum = { 0 };

	for (int i = 0; i < SITES; i++) {
		sum.allocations += sites[i].allocations;
		sum.frees += sites[i].frees;
		sum.allocated_bytes += sites[i].allocated_bytes;
		sum.temporary += sites[i].temporary;
	}
	printf("{\"program\":\"alloctruth\",\"threads\":%lu,\"allocations\":%lu,\"frees\":%lu,\"allocated_bytes\":%lu,"
	       "\"live_blocks\":%lu,\"live_bytes\":%lu,\"temporary\":%lu,\"failed_calls\":%lu,\"peak_is_exact\":%s,"
	       "\"temporary_is_exact\":%s,"
	       "\"peak_bytes\":%lu,\"sites\":[",
	       thread_count == 1 ? 1 : thread_count + 1, sum.allocations, sum.frees, sum.allocated_bytes,
	       sum.allocations - sum.frees, live_bytes, sum.temporary, failed_calls,
	       thread_count == 1 ? "true" : "false", thread_count == 1 ? "true" : "false", peak_bytes);
	for (int i = 0; i < SITES; i++)
		print_site(&sites[i], i ? "," : "");
	printf("]}\n");
}

static void name_sites(void)
{
	static const char *const names[SITES] = {
		[SITE_MALLOC] = "site_malloc",
		[SITE_MALLOC_ZERO] = "site_malloc_zero",
		[SITE_CALLOC] = "site_calloc",
		[SITE_REALLOC_NULL] = "site_realloc_null",
		[SITE_REALLOC_GROW] = "site_realloc_grow",
		[SITE_REALLOC_SHRINK] = "site_realloc_shrink",
		[SITE_REALLOCARRAY] = "site_reallocarray",
		[SITE_POSIX_MEMALIGN] = "site_posix_memalign",
		[SITE_ALIGNED_ALLOC] = "site_aligned_alloc",
		[SITE_MEMALIGN] = "site_memalign",
		[SITE_VALLOC] = "site_valloc",
		[SITE_PVALLOC] = "site_pvalloc",
		[SITE_STRDUP] = "site_strdup",
	};

	for (int i = 0; i < SITES; i++)
		sites[i].function = names[i];
	for (int i = 0; i < SLOTS; i++)
		pthread_mutex_init(&slots[i].lock, NULL);
}

static int run_threads(void)
{
	pthread_t threads[64];
	uint64_t count = 0;
	int err = 0;

	for (; count < thread_count && !err; count += !err)
		err = pthread_create(&threads[count], NULL, run_rounds, (void *)(uintptr_t)(count + 1));
	for (uint64_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return err;
}

int main(int argc, char **argv)
{
	const struct option_row rows[] = {
		{ "threads", OPTION_NUMBER, &thread_count, 1, 64, "threads; 1: no thread is created" },
		{ "rounds", OPTION_NUMBER, &rounds, 1, 1000000000, "actions per thread" },
		{ "leak-every", OPTION_NUMBER, &leak_every, 0, 1000000000,
		  "one free in so many is forgotten, 0: none" },
		{ "no-pvalloc", OPTION_FLAG, &has_no_pvalloc, 0, 0, "memcheck refuses to run it" },
		{ "seed", OPTION_NUMBER, &seed, 0, UINT64_MAX, "which actions" },
		{ 0 },
	};
	int err = 0;

	books_stdout();
	options_parse(argc, argv, "alloctruth", "Allocates in every way and prints exact books as JSON.\n", rows);
	name_sites();
	if (thread_count == 1)
		run_rounds(NULL);
	else
		err = run_threads();
	for (int i = 0; i < SLOTS; i++) {
		if (slots[i].block)
			empty_slot(&slots[i]);
	}
	print_books();
	return err || fflush(stdout) ? 1 : 0;
}
