/* SPDX-License-Identifier: MIT */
#include <sys/mman.h>

#include "analyzer/util/pages.h"

void *pages_alloc(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		return NULL;
	/* Both are only faster: a kernel that can't does it page by page. */
	madvise(pages, size, MADV_HUGEPAGE);
	madvise(pages, size, MADV_POPULATE_WRITE);
	return pages;
}

void pages_free(void *pages, size_t size)
{
	if (pages)
		munmap(pages, size);
}
