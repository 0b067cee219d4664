/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/util/list.h"

#define LIST_FIRST 16u

int list_grow(void **list, size_t *cap, size_t len, size_t size)
{
	size_t new_cap = *cap ? 2 * *cap : LIST_FIRST;
	void *p;

	if (len < *cap)
		return 0;
	p = realloc(*list, new_cap * size);
	if (!p)
		return -ENOMEM;
	*list = p;
	*cap = new_cap;
	return 0;
}
