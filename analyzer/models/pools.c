/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/models/pools.h"

static struct page_site *page_site(struct pools *p, struct stack_id stack)
{
	uint64_t index;

	if (map_get(&p->pages_of, stack.v, &index))
		return &p->pages[index];
	if (p->pages_len == p->pages_cap) {
		size_t cap = p->pages_cap ? 2 * p->pages_cap : 32;
		struct page_site *pages = realloc(p->pages, cap * sizeof(*pages));

		if (!pages)
			return NULL;
		p->pages = pages;
		p->pages_cap = cap;
	}
	if (map_put(&p->pages_of, stack.v, p->pages_len))
		return NULL;
	p->pages[p->pages_len] = (struct page_site){ .stack = stack };
	return &p->pages[p->pages_len++];
}

static void on_pages_map(void *self, const struct pass_event *e)
{
	struct pools *p = self;
	struct page_site *site = page_site(p, recording_stack(p->rec, e->ev->alloc.stack));
	uint64_t size = e->ev->alloc.size;

	p->maps++;
	p->mapped_bytes += size;
	if (p->mapped_bytes > p->unmapped_bytes && p->mapped_bytes - p->unmapped_bytes > p->peak_mapped_bytes)
		p->peak_mapped_bytes = p->mapped_bytes - p->unmapped_bytes;
	if (!site) {
		p->failed = true;
		return;
	}
	site->maps++;
	site->mapped_bytes += size;
}

static void on_pages_unmap(void *self, const struct pass_event *e)
{
	struct pools *p = self;

	p->unmaps++;
	p->unmapped_bytes += e->ev->pages.size;
}

static char *pool_name(struct pools *p, uint32_t name)
{
	struct buf text = { 0 };

	recording_string(p->rec, name, &text);
	buf_add_string(&text, "");
	return text.data;
}

static struct pool *pool_at(struct pools *p, uint64_t address, uint32_t name)
{
	struct pool *pool;

	for (size_t i = 0; i < p->pools_len; i++)
		if (p->pools[i].address == address || i + 1 == POOLS_MAX)
			return &p->pools[i];
	if (p->pools_len == p->pools_cap) {
		size_t cap = p->pools_cap ? 2 * p->pools_cap : 8;
		struct pool *pools = realloc(p->pools, cap * sizeof(*pools));

		if (!pools)
			return NULL;
		p->pools = pools;
		p->pools_cap = cap;
	}
	pool = &p->pools[p->pools_len];
	if (heap_init(&pool->heap, p->rec))
		return NULL;
	pool->heap.sample_mean = 0;
	pool->address = address;
	pool->name = pool_name(p, name);
	p->pools_len++;
	return pool;
}

static void on_pool_alloc(void *self, const struct pass_event *e)
{
	struct pools *p = self;
	const struct rec_pool *rec = &e->ev->pool;
	struct pool *pool = pool_at(p, rec->pool, rec->name);

	if (pool)
		heap_alloc(&pool->heap, e, rec->addr, rec->size, recording_stack(p->rec, rec->stack), false);
	else
		p->failed = true;
}

static void on_pool_free(void *self, const struct pass_event *e)
{
	struct pools *p = self;

	for (size_t i = 0; i < p->pools_len; i++)
		if (p->pools[i].address == e->ev->pool.pool || i + 1 == POOLS_MAX) {
			heap_free(&p->pools[i].heap, e, e->ev->pool.addr);
			return;
		}
}

int pools_init(struct pools *p, struct recording *rec)
{
	*p = (struct pools){ .rec = rec };
	map_init(&p->pages_of);
	return 0;
}

void pools_release(struct pools *p)
{
	for (size_t i = 0; i < p->pools_len; i++) {
		heap_release(&p->pools[i].heap);
		free(p->pools[i].name);
	}
	free(p->pools);
	free(p->pages);
	map_release(&p->pages_of);
	*p = (struct pools){ 0 };
}

struct pass_sink pools_sink(struct pools *p)
{
	return (struct pass_sink){ .self = p,
				   .on = { [EV_PAGES_MAP] = on_pages_map,
					   [EV_PAGES_UNMAP] = on_pages_unmap,
					   [EV_POOL_ALLOC] = on_pool_alloc,
					   [EV_POOL_FREE] = on_pool_free } };
}

static int by_mapped(const void *a, const void *b)
{
	const struct page_site *x = a, *y = b;

	if (x->mapped_bytes != y->mapped_bytes)
		return x->mapped_bytes > y->mapped_bytes ? -1 : 1;
	return x->stack.v < y->stack.v ? -1 : x->stack.v > y->stack.v;
}

void pools_finish(struct pools *p)
{
	for (size_t i = 0; i < p->pools_len; i++)
		heap_finish(&p->pools[i].heap);
	if (p->pages_len)
		qsort(p->pages, p->pages_len, sizeof(*p->pages), by_mapped);
}
