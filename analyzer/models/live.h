/* SPDX-License-Identifier: MIT */
/*
 * live.h - the table of blocks that are allocated right now: address to size and site.
 *
 * Open addressing with linear probing, at most half full, 24 bytes an entry. Removal shifts the following entries back.
 * It is a table of its own because it is asked for every malloc and every free, and what such a question costs is the
 * way to memory: see live_prefetch.
 */
#ifndef RINGSIDE_LIVE_H
#define RINGSIDE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block {
	uint64_t addr; /* 0: the entry is empty */
	uint64_t size;
	uint32_t site;
	uint32_t thread : 31;
	uint32_t is_sampled : 1;
};

/* Ready when zeroed. */
struct live {
	struct block *blocks;
	size_t len, cap; /* cap: 0 or a power of two */
	uint64_t factor; /* of the hash: addresses lie in even distances, which multiplying spreads evenly */
	unsigned shift;
};

void live_release(struct live *l);

/*
 * live_add - a new block. addr 0 is not kept.
 *
 * old:      when the address is taken already, what was there (it is replaced) and true in *had_old.
 * Returns:  0 or -ENOMEM, then nothing changed.
 */
int live_add(struct live *l, const struct block *block, struct block *old, bool *had_old);

/* live_remove - true and the block in *old if `addr` is there. */
bool live_remove(struct live *l, uint64_t addr, struct block *old);

/* live_find - the block that begins at `addr`, or NULL; good until the next change. */
const struct block *live_find(const struct live *l, uint64_t addr);

/*
 * live_containing - the block that holds `addr`, or NULL. Only blocks that begin less than 64 KiB below are
 * found: it asks for every possible beginning, 8 bytes apart.
 */
const struct block *live_containing(const struct live *l, uint64_t addr);

/* Where to look for an address first; needs cap. */
static inline size_t live_home(const struct live *l, uint64_t addr)
{
	return (size_t)(addr * l->factor >> l->shift);
}

/* live_prefetch - `addr` will be asked for soon. */
static inline void live_prefetch(const struct live *l, uint64_t addr)
{
	if (l->cap)
		__builtin_prefetch(&l->blocks[live_home(l, addr)], 1);
}

#endif
