/* SPDX-License-Identifier: MIT */
/*
 * live.h - the table of blocks that are allocated right now: address to size, site and birth.
 *
 * Open addressing with linear probing, load at most 3/4, 32 bytes an entry. Removal shifts the following entries
 * back. It is a table of its own because it is asked twice for every pair of malloc and free.
 */
#ifndef RINGSIDE_LIVE_H
#define RINGSIDE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block {
	uint64_t addr; /* 0: the entry is empty */
	uint64_t size;
	uint64_t tick;
	uint32_t site;
	uint32_t thread : 31;
	uint32_t is_sampled : 1;
};

struct live {
	struct block *blocks;
	size_t len, cap; /* cap: 0 or a power of two */
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

#endif
