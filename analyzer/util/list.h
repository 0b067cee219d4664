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

#endif
