/* SPDX-License-Identifier: MIT */
/*
 * heap.h - what the allocation wrappers record.
 *
 * Order (so that a reused address never appears before it was freed): a free is stamped before the real call,
 * an allocation after it. A realloc is both, its halves adjacent in the thread's stream.
 */
#ifndef RINGSIDE_PRELOAD_HEAP_H
#define RINGSIDE_PRELOAD_HEAP_H

#include "preload/thread.h"

/* enum rsd_heap_mode in force; OFF until recording begins. Read by every wrapper. */
extern uint32_t heap_mode HIDDEN;

/* True while every call is counted in the thread's slot, usable sizes too: for heaptrace and inittrace. */
extern bool heap_is_counted HIDDEN;

/* A block was handed out before the originals were known: every free must be looked at. */
extern bool heap_has_boot_blocks;

/* heap_alloc - `block` of `size` requested bytes was just handed out to `from`. errno is kept. */
void heap_alloc(const struct regs *from, enum rsd_api api, void *block, size_t size);

/* heap_free - `block` is about to be given back (tick 0: now), or was, by a call from `from` that began at `tick`. */
void heap_free(const struct regs *from, enum rsd_api api, void *block, uint64_t tick);

/* heap_realloc - `old` (not NULL) became `block` at its old or a new place; `before`: tick before the real call. */
void heap_realloc(const struct regs *from, enum rsd_api api, uint64_t before, void *old, void *block, size_t size);

/* HEAP_WATCHED: and the thread's CPU clock was read before, so that a wait can be told. */
enum heap_timing { HEAP_UNTIMED = 0, HEAP_TIMED, HEAP_WATCHED };

/*
 * heap_begin_timed - is the call that begins now one of those to be timed? t may be NULL.
 * heap_timed - then: how long it took, between two readings of the clock; size: 0 for a free.
 */
enum heap_timing heap_begin_timed(struct thread *t);
void heap_timed(const struct regs *from, enum heap_timing timing, enum rsd_api api, size_t size, uint64_t before,
		uint64_t after);

/* heap_update - life->state has changed. */
void heap_update(void);

/* heap_begin - after the configuration is known. heap_begin_thread - for each thread after that. */
void heap_begin(void);
void heap_begin_thread(struct thread *t);

/*
 * heap_degrade - from exact to sampled for the rest of the recording; once. `why` begins the sentence that the
 * reports end with. Blocks allocated before keep counting as live when they are freed later.
 */
void heap_degrade(const char *why);

#endif
