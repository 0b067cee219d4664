/* SPDX-License-Identifier: MIT */
/* list.h - room in an array that grows. */
#ifndef RINGSIDE_UTIL_LIST_H
#define RINGSIDE_UTIL_LIST_H

#include <stddef.h>

/*
 * list_grow - make room for one more element of `size` bytes behind the `len` used ones; doubles when full.
 *
 * list:     the array, moved when it grows; new elements are not cleared. The caller frees it.
 * Returns:  0, or -ENOMEM with the array as it was.
 */
int list_grow(void **list, size_t *cap, size_t len, size_t size);

/*
 * list_reach - element `index` of an array whose elements are 0 until they are first used.
 *
 * cap:      elements there are; all of them are valid.
 * Returns:  its address, good until the next call; NULL without memory.
 */
void *list_reach(void **list, size_t *cap, size_t index, size_t size);

#endif
