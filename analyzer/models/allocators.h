/* SPDX-License-Identifier: MIT */
/*
 * allocators.h - how many bytes a block of a requested size has in four allocators, by their rules of rounding.
 *
 * glibc     chunks are multiples of 16 with 8 bytes of head, at least 32; large ones are mapped, in whole pages
 * jemalloc  8, then multiples of 16 to 128, then four sizes per power of two (5.x)
 * tcmalloc  gperftools 2.x: sizes chosen so that neither a size nor a span of 8 KiB pages wastes more than an eighth;
 *           from 256 KiB on whole pages
 * mimalloc  as jemalloc to 128 KiB, then steps of 64 KiB, from 512 KiB on 512 KiB, from 8 MiB on 1 MiB, from 32 MiB on
 *           4 MiB (2.x)
 *
 * All for 64 bits. Alignment beyond the usual is not seen: a block of memalign may have more.
 */
#ifndef RINGSIDE_ALLOCATORS_H
#define RINGSIDE_ALLOCATORS_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/symbols/modules.h"

enum allocator { ALLOCATOR_GLIBC, ALLOCATOR_JEMALLOC, ALLOCATOR_TCMALLOC, ALLOCATOR_MIMALLOC, ALLOCATORS };

#define ALLOCATOR_TABLE 1025u /* sizes that are looked up, not computed */

/* The rules, worked out. */
struct allocators {
	uint16_t small[ALLOCATORS][ALLOCATOR_TABLE];
	uint32_t tcmalloc[2049]; /* by (size + 127) / 128 up to 256 KiB */
};

void allocators_init(struct allocators *a);

/*
 * allocators_usable - what malloc_usable_size would say of a block of `size` bytes. glibc may give 16 more, when the
 * rest of the chunk it found is too small to be one.
 *
 * is_mapped: of glibc only: a mapping of its own, see allocators_is_mapped.
 * Returns:   at least `size`, and UINT64_MAX where it can't be told.
 */
uint64_t allocators_usable(const struct allocators *a, enum allocator which, uint64_t size, bool is_mapped);

/* allocators_head - bytes of each block beside the usable ones. */
static inline uint64_t allocators_head(enum allocator which, bool is_mapped)
{
	return which == ALLOCATOR_GLIBC ? 8 + 8 * is_mapped : 0;
}

/*
 * allocators_is_mapped - whether glibc has made a mapping for this block. Its threshold moves as blocks are freed, but
 * such a block begins 16 bytes into a page, which one in 256 others does.
 *
 * addr:     0: not known, or of another allocator; then the first threshold decides.
 */
static inline bool allocators_is_mapped(uint64_t size, uint64_t addr)
{
	return size > (128u << 10) - 24 && (!addr || (addr & 4095) == 16);
}

/* allocators_of - which one a process uses, by the libraries it has loaded. */
enum allocator allocators_of(const struct modules *m);
const char *allocator_name(enum allocator which);

#endif
