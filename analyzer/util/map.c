/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "analyzer/util/map.h"

#define MAP_CAP_MIN 16

struct map_entry {
	uint64_t key, value;
};

static uint64_t seed;

static uint64_t get_seed(void)
{
	if (!seed && getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = (uint64_t)time(NULL) ^ (uintptr_t)&seed;
	seed |= 1; /* never 0 again */
	return seed;
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 32;
}

uint64_t hash_u64(uint64_t x)
{
	return mix(x ^ get_seed());
}

uint64_t hash_bytes(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h = get_seed() ^ len, word;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		h = mix(h ^ word);
	}
	word = 0;
	memcpy(&word, p, len);
	return mix(h ^ word);
}

uint64_t hash_factor(void)
{
	return UINT64_C(0x9e3779b97f4a7c15) ^ (get_seed() >> 24 & ~UINT64_C(1));
}

void map_init(struct map *m)
{
	*m = (struct map)MAP_INIT;
}

void map_release(struct map *m)
{
	free(m->entries);
	free(m->used);
	map_init(m);
}

void map_clear(struct map *m)
{
	if (m->cap)
		memset(m->used, 0, m->cap);
	m->len = 0;
}

/* Where `key` is, or the free entry where it would go. The map has a free entry. */
static size_t find(const struct map *m, uint64_t key)
{
	size_t at = hash_u64(key) & (m->cap - 1);

	while (m->used[at] && m->entries[at].key != key)
		at = (at + 1) & (m->cap - 1);
	return at;
}

static int grow(struct map *m)
{
	struct map bigger = { .cap = m->cap ? m->cap * 2 : MAP_CAP_MIN };

	bigger.entries = malloc(bigger.cap * sizeof(*bigger.entries));
	bigger.used = calloc(bigger.cap, 1);
	if (!bigger.entries || !bigger.used) {
		map_release(&bigger);
		return -ENOMEM;
	}
	for (size_t i = 0; i < m->cap; i++) {
		size_t at;

		if (!m->used[i])
			continue;
		at = find(&bigger, m->entries[i].key);
		bigger.used[at] = 1;
		bigger.entries[at] = m->entries[i];
	}
	bigger.len = m->len;
	map_release(m);
	*m = bigger;
	return 0;
}

bool map_get(const struct map *m, uint64_t key, uint64_t *value)
{
	size_t at;

	if (!m->len)
		return false;
	at = find(m, key);
	if (m->used[at] && value)
		*value = m->entries[at].value;
	return m->used[at];
}

uint64_t *map_at(struct map *m, uint64_t key, bool *is_new)
{
	size_t at;

	if (m->len >= m->cap / 4 * 3 && grow(m))
		return NULL;
	at = find(m, key);
	if (is_new)
		*is_new = !m->used[at];
	if (!m->used[at]) {
		m->used[at] = 1;
		m->entries[at] = (struct map_entry){ .key = key };
		m->len++;
	}
	return &m->entries[at].value;
}

int map_put(struct map *m, uint64_t key, uint64_t value)
{
	uint64_t *slot = map_at(m, key, NULL);

	if (!slot)
		return -ENOMEM;
	*slot = value;
	return 0;
}

bool map_remove(struct map *m, uint64_t key, uint64_t *value)
{
	size_t hole, at, mask = m->cap - 1;

	if (!m->len)
		return false;
	hole = find(m, key);
	if (!m->used[hole])
		return false;
	if (value)
		*value = m->entries[hole].value;
	/* Pull back every following entry whose own place is not between the hole and itself. */
	for (at = (hole + 1) & mask; m->used[at]; at = (at + 1) & mask) {
		size_t home = hash_u64(m->entries[at].key) & mask;

		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		m->entries[hole] = m->entries[at];
		hole = at;
	}
	m->used[hole] = 0;
	m->len--;
	return true;
}

bool map_next(const struct map *m, struct map_iter *it)
{
	while (it->at < m->cap && !m->used[it->at])
		it->at++;
	if (it->at >= m->cap)
		return false;
	it->key = m->entries[it->at].key;
	it->value = m->entries[it->at].value;
	it->at++;
	return true;
}
