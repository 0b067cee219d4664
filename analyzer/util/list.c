/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

void *list_reach(void **list, size_t *cap, size_t index, size_t size)
{
	size_t old = *cap, new_cap = old ? 2 * old : LIST_FIRST;
	void *p;

	if (index < old)
		return (char *)*list + index * size;
	while (new_cap <= index)
		new_cap *= 2;
	p = realloc(*list, new_cap * size);
	if (!p)
		return NULL;
	memset((char *)p + old * size, 0, (new_cap - old) * size);
	*list = p;
	*cap = new_cap;
	return (char *)p + index * size;
}
