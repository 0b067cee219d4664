/* SPDX-License-Identifier: MIT */
/*
 * books.h - a program's own books: what a right profile of it must say.
 *
 * The workloads call malloc, lock and compute through these macros. Each use is a site with the name of its
 * function and counters of its own; books_print writes them as JSON. The macros call the real function right
 * where they stand (no wrapper function, so no frame of ours is in the recorded stacks) and count afterwards.
 *
 * Counting: each call that yields a block is one allocation of the requested size, a realloc that succeeds on a
 * live block is one free and one allocation, a free of NULL is nothing. Bytes are requested bytes. What libc
 * allocates for itself (stdio buffers, the vectors of a new thread) is not in here: compare only stacks whose
 * innermost frame is in the program.
 *
 * Safety:  MT-Safe. Not AS-Safe. A site costs one to three relaxed atomic additions.
 */
#ifndef DEMOS_COMMON_BOOKS_H
#define DEMOS_COMMON_BOOKS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"

enum book_kind { BOOK_HEAP, BOOK_LEAK, BOOK_CPU, BOOK_WAIT, BOOK_KINDS };

/* One place in the program. Aligned, so that two busy sites never share a cache line. */
struct book {
	enum book_kind kind;
	const char *name;   /* function; CPU: the measured function */
	const char *word;   /* WAIT: what is waited for, as reports say it; else NULL */
	const char *holder; /* WAIT: the function that ends the wait: releases the lock, signals, writes; or NULL */
	const char *does;   /* WAIT: what the holder calls meanwhile, or NULL */
	uint64_t count;	    /* allocations, leaked blocks, calls */
	uint64_t amount;    /* bytes or ns */
	uint64_t longs;	    /* WAIT: calls of BOOK_LONG_NS or more */
	uint64_t long_ns;
	uint64_t max_ns;
	struct book *next;
	int is_listed;
} __attribute__((aligned(64)));

#define BOOK_LONG_NS 1000000ull /* waits from here on are also counted apart */

#define BOOK_SITE(kind_, name_)                                                                                        \
	({                                                                                                             \
		static struct book site_ = { .kind = (kind_), .name = (name_) };                                       \
		&site_;                                                                                                \
	})

/* Counts a block that a call just yielded; NULL counts nothing. Returns the block. */
void *book_gained(struct book *site, void *block, size_t size);
/* Counts what realloc did to a block of old_size bytes, if there was one; NULL changed nothing. Returns the block. */
void *book_moved(struct book *site, int had_old, size_t old_size, void *block, size_t size);
/* Counts a block of `size` bytes that is about to be freed. */
void book_lost(const void *block, size_t size);
void book_add(struct book *site, uint64_t count, uint64_t amount);
void book_waited(struct book *site, uint64_t dur_ns);

#define book_malloc(size)                                                                                              \
	({                                                                                                             \
		size_t size_ = (size);                                                                                 \
		book_gained(BOOK_SITE(BOOK_HEAP, __func__), malloc(size_), size_);                                     \
	})
#define book_calloc(count, size)                                                                                       \
	({                                                                                                             \
		size_t count_ = (count), size_ = (size);                                                               \
		book_gained(BOOK_SITE(BOOK_HEAP, __func__), calloc(count_, size_), count_ *size_);                     \
	})
/* Both sizes above 0. */
#define book_realloc(block, old_size, size)                                                                            \
	({                                                                                                             \
		size_t old_size_ = (old_size), size_ = (size);                                                         \
		void *old_ = (block);                                                                                  \
		int had_ = old_ != NULL;                                                                               \
		book_moved(BOOK_SITE(BOOK_HEAP, __func__), had_, old_size_, realloc(old_, size_), size_);              \
	})
/* `size` is what was requested for the block. */
#define book_free(block, size)                                                                                         \
	do {                                                                                                           \
		void *block_ = (block);                                                                                \
		book_lost(block_, (size));                                                                             \
		free(block_);                                                                                          \
	} while (0)

/* Declares that a live block is dropped on purpose: the planted leak that a report must find in `function`. */
#define book_leak(function, size) book_add(BOOK_SITE(BOOK_LEAK, (function)), 1, (size))

/* Runs a statement and books the thread's CPU time in it under `function`. Adds about 0.4 us. */
#define book_cpu(function, statement)                                                                                  \
	do {                                                                                                           \
		uint64_t cpu_start_ = clock_thread_cpu_ns();                                                           \
		statement;                                                                                             \
		book_add(BOOK_SITE(BOOK_CPU, (function)), 1, clock_thread_cpu_ns() - cpu_start_);                      \
	} while (0)

/* Evaluates a call that may block and books how long it took, under the function it stands in. */
#define book_wait(word, holder, call) book_wait_while(word, holder, NULL, call)
/* The same, when it is known what the holder is busy with. */
#define book_wait_while(word_, holder_, does_, call)                                                                   \
	({                                                                                                             \
		static struct book wait_site_ = {                                                                      \
			.kind = BOOK_WAIT, .name = __func__, .word = (word_), .holder = (holder_), .does = (does_)     \
		};                                                                                                     \
		uint64_t wait_start_ = clock_now_ns();                                                                 \
		__auto_type wait_ret_ = (call);                                                                        \
		book_waited(&wait_site_, clock_now_ns() - wait_start_);                                                \
		wait_ret_;                                                                                             \
	})

/* pthread_create that counts and names the thread, "name" or with a number above 0 "name-1". Returns 0 or an error
 * number. */
int book_thread(pthread_t *thread, const char *name, unsigned int number, void *(*run)(void *), void *arg);

/* Counts a thread that was made in another way. */
void book_other_thread(void);

struct books_totals {
	uint64_t allocations, frees;			  /* blocks */
	uint64_t allocated_bytes, live_bytes, peak_bytes; /* requested bytes; the peak is exact with one thread */
	uint64_t threads;				  /* ever, the first one included */
};
struct books_totals books_totals(void);

/*
 * Writes the members of the truth, without braces: "allocations":1,... up to the last one, no comma after it.
 * "waits" and "cpu" are sums per name; CPU time of a function includes what it calls.
 * Call it once, when the other threads are gone.
 */
void books_print(FILE *out);

/* Gives stdout a buffer that is not on the heap. First thing in main. */
void books_stdout(void);

#endif
