/* SPDX-License-Identifier: MIT */
/*
 * map.h - a hash map from u64 to u64, open addressing with linear probing, load at most 3/4.
 *
 * Every u64 is a possible key. Removal shifts the following entries back, so there are no tombstones. The hash
 * is seeded per process: keys from a hostile dump can't be chosen to collide.
 *
 *     struct map live = MAP_INIT;
 *     struct map_iter it = { 0 };
 *
 *     while (map_next(&live, &it))
 *             use(it.key, it.value);
 */
#ifndef RINGSIDE_UTIL_MAP_H
#define RINGSIDE_UTIL_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_entry;

struct map {
	struct map_entry *entries;
	uint8_t *used;	 /* one byte per entry: 1 when taken */
	size_t len, cap; /* cap: 0 or a power of two */
};
#define MAP_INIT                                                                                                       \
	{                                                                                                              \
		NULL, NULL, 0, 0                                                                                       \
	}

struct map_iter {
	size_t at;
	uint64_t key, value;
};

/* map_init - an empty map; takes no memory until the first put. */
void map_init(struct map *m);
void map_release(struct map *m);
/* map_clear - forget all entries, keep the memory. */
void map_clear(struct map *m);

/* map_get - true and *value (when not NULL) if `key` is there. */
bool map_get(const struct map *m, uint64_t key, uint64_t *value);

/* map_put - set or replace. Returns 0 or -ENOMEM (then the map is as before). */
int map_put(struct map *m, uint64_t key, uint64_t value);

/*
 * map_at - the value of `key`, made as 0 if it was not there (*is_new tells, may be NULL).
 *
 * Returns:  NULL without memory. The pointer is good until the next put, at or remove.
 */
uint64_t *map_at(struct map *m, uint64_t key, bool *is_new);

/* map_remove - true and the old value in *value (when not NULL) if it was there. */
bool map_remove(struct map *m, uint64_t key, uint64_t *value);

/* map_next - step to the next entry, in no order. False at the end. No put or remove while iterating. */
bool map_next(const struct map *m, struct map_iter *it);

/* hash_u64, hash_bytes - the seeded hashes behind the maps, for tables of other shapes. */
uint64_t hash_u64(uint64_t x);
uint64_t hash_bytes(const void *data, size_t len);

/*
 * hash_factor - an odd number to multiply keys with; the upper bits of the product are the hash. Its own upper bits are
 * those of the golden ratio, which spreads keys in even distances evenly, the lower ones are secret.
 */
uint64_t hash_factor(void);

#endif
