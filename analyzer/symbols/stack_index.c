/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/stack_index.h"

#define MORE_PAGES 16u

void stack_index_release(struct stack_index *x)
{
	for (uint32_t i = 0; i < x->pages_len; i++)
		free(x->pages[i]);
	free(x->pages);
	*x = (struct stack_index){ 0 };
}

static int reach(struct stack_index *x, uint32_t page)
{
	uint32_t len = page + MORE_PAGES;
	uint32_t **pages;

	if (page < x->pages_len)
		return 0;
	pages = realloc(x->pages, len * sizeof(*pages));
	if (!pages)
		return -ENOMEM;
	memset(pages + x->pages_len, 0, (len - x->pages_len) * sizeof(*pages));
	x->pages = pages;
	x->pages_len = len;
	return 0;
}

int stack_index_put(struct stack_index *x, struct stack_id stack, uint32_t number)
{
	uint32_t page = stack.v / STACK_INDEX_PAGE;

	if (reach(x, page))
		return -ENOMEM;
	if (!x->pages[page])
		x->pages[page] = calloc(STACK_INDEX_PAGE, sizeof(uint32_t));
	if (!x->pages[page])
		return -ENOMEM;
	x->pages[page][stack.v % STACK_INDEX_PAGE] = number;
	return 0;
}
