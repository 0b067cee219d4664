/* SPDX-License-Identifier: MIT */
/*
 * pages.h - zeroed memory for a large table that is read and written all over: in large pages where the system has
 * them, and there at once instead of page by page, which costs a fault and, with threads, an interrupt of them each.
 */
#ifndef RINGSIDE_UTIL_PAGES_H
#define RINGSIDE_UTIL_PAGES_H

#include <stddef.h>

/* pages_alloc - NULL without memory. */
void *pages_alloc(size_t size);
/* pages_free - size: as given to pages_alloc. NULL is fine. */
void pages_free(void *pages, size_t size);

#endif
