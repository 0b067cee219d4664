/* SPDX-License-Identifier: MIT */
#include "analyzer/models/early.h"

void early_init(struct early *e, const struct clock *clock, bool is_whole)
{
	*e = (struct early){ .window = is_whole ? clock_tick(clock, EARLY_NS) - clock->start_tick : 0 };
}

bool early_is_whole(const struct recording *rec)
{
	const struct rsd_header *h = &rec->reader.header;

	return h->heap_mode == RSD_HEAP_EXACT && !h->ring_bytes && !h->limit_bytes;
}

static void drop_old(struct early *e, uint64_t tick)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < e->len; i++)
		if (e->list[i].tick + e->window >= tick)
			e->list[kept++] = e->list[i];
	e->given_up += e->len - kept;
	e->len = kept;
}

void early_add(struct early *e, const struct pass_event *free)
{
	drop_old(e, free->tick);
	if (e->window && e->len < EARLY_MAX)
		e->list[e->len++] = *free;
	else
		e->given_up++;
}

bool early_find(struct early *e, const struct pass_event *alloc, struct pass_event *free)
{
	drop_old(e, alloc->tick);
	for (unsigned i = 0; i < e->len; i++) {
		if (e->list[i].addr != alloc->addr)
			continue;
		*free = e->list[i];
		free->tick = alloc->tick;
		e->list[i] = e->list[--e->len];
		return true;
	}
	return false;
}
