/* SPDX-License-Identifier: MIT */
/*
 * pools.h - memory beside the heap: pages from the kernel, and pools that programs name with ringside.h.
 *
 * They are booked apart because they lie under or inside the heap: adding them up would count bytes twice.
 */
#ifndef RINGSIDE_POOLS_H
#define RINGSIDE_POOLS_H

#include "analyzer/models/heap.h"
#include "analyzer/read/pass.h"

/* More pools than this are counted together in the last one. */
#define POOLS_MAX 256u

struct pool {
	uint64_t address; /* identifies it in the process */
	char *name;
	struct heap heap;
};

struct page_site {
	struct stack_id stack;
	uint64_t maps, mapped_bytes;
};

struct pools {
	struct recording *rec;
	struct pool *pools;
	size_t pools_len, pools_cap;
	struct page_site *pages;
	size_t pages_len, pages_cap;
	struct map pages_of;
	uint64_t maps, unmaps, mapped_bytes, unmapped_bytes;
	uint64_t peak_mapped_bytes; /* highest mapped - unmapped since the start of the recording */
	bool failed;
};

int pools_init(struct pools *p, struct recording *rec);
void pools_release(struct pools *p);
struct pass_sink pools_sink(struct pools *p);
void pools_finish(struct pools *p);

#endif
