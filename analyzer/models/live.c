/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "analyzer/models/live.h"
#include "analyzer/util/map.h"
#include "analyzer/util/pages.h"

#define CONTAINING_REACH 65536u
#define ALIGNMENT 8u
#define CAP_MIN 1024u

void live_release(struct live *l)
{
	pages_free(l->blocks, l->cap * sizeof(*l->blocks));
	*l = (struct live){ 0 };
}

/* Where `addr` is, or the empty entry where it would go. */
static size_t find(const struct live *l, uint64_t addr)
{
	size_t at = live_home(l, addr);

	while (l->blocks[at].addr && l->blocks[at].addr != addr)
		at = (at + 1) & (l->cap - 1);
	return at;
}

/* The upper bits of the hash say where, so entries keep their order and the new table is filled from begin to end. */
static int grow(struct live *l)
{
	struct live bigger = { .cap = l->cap ? 2 * l->cap : CAP_MIN,
			       .len = l->len,
			       .factor = l->cap ? l->factor : hash_factor() };

	bigger.shift = 64 - (unsigned)__builtin_ctzll(bigger.cap);
	bigger.blocks = pages_alloc(bigger.cap * sizeof(*bigger.blocks));
	if (!bigger.blocks)
		return -ENOMEM;
	for (size_t i = 0; i < l->cap; i++)
		if (l->blocks[i].addr)
			bigger.blocks[find(&bigger, l->blocks[i].addr)] = l->blocks[i];
	live_release(l);
	*l = bigger;
	return 0;
}

int live_add(struct live *l, const struct block *block, struct block *old, bool *had_old)
{
	size_t at;

	*had_old = false;
	if (!block->addr)
		return 0;
	if ((l->len + 1) * 2 > l->cap) {
		int err = grow(l);

		if (err)
			return err;
	}
	at = find(l, block->addr);
	if (l->blocks[at].addr) {
		*old = l->blocks[at];
		*had_old = true;
	} else {
		l->len++;
	}
	l->blocks[at] = *block;
	return 0;
}

bool live_remove(struct live *l, uint64_t addr, struct block *old)
{
	size_t mask = l->cap - 1, hole, next;

	if (!addr || !l->len)
		return false;
	hole = find(l, addr);
	if (!l->blocks[hole].addr)
		return false;
	*old = l->blocks[hole];
	/* An entry may move back into the hole unless its home lies behind the hole. */
	for (next = (hole + 1) & mask; l->blocks[next].addr; next = (next + 1) & mask) {
		size_t from_home = (next - live_home(l, l->blocks[next].addr)) & mask;

		if (from_home >= ((next - hole) & mask)) {
			l->blocks[hole] = l->blocks[next];
			hole = next;
		}
	}
	l->blocks[hole].addr = 0;
	l->len--;
	return true;
}

const struct block *live_find(const struct live *l, uint64_t addr)
{
	size_t at;

	if (!addr || !l->len)
		return NULL;
	at = find(l, addr);
	return l->blocks[at].addr ? &l->blocks[at] : NULL;
}

const struct block *live_containing(const struct live *l, uint64_t addr)
{
	uint64_t begin = addr & ~(uint64_t)(ALIGNMENT - 1);

	for (unsigned back = 0; back < CONTAINING_REACH && begin > back; back += ALIGNMENT) {
		const struct block *b = live_find(l, begin - back);

		if (b)
			return addr - b->addr < b->size ? b : NULL;
	}
	return NULL;
}
