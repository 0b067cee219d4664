/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "analyzer/models/heap.h"
#include "analyzer/web/base.h"

static int align_heap(struct align *align, enum align_side side, const struct heap *h)
{
	struct profile p;
	int err, weight;

	profile_init(&p, "heap");
	err = heap_profile(h, &p);
	weight = err ? -1 : profile_value_index(&p, "alloc_objects");
	for (size_t i = 0; i < p.rows_len && !err; i++)
		err = align_stack(align, side, p.rows[i].stack, weight >= 0 ? (uint64_t)p.rows[i].values[weight] : 0,
				  false);
	profile_release(&p);
	return err;
}

int web_base_align(struct align *align, enum align_side side, const struct analysis *a)
{
	int err = align_recording(align, side, &a->rec);

	err = err ? err : align_heap(align, side, &a->heap);
	for (size_t i = 0; i < a->cpu.sites_len && !err; i++)
		err = align_stack(align, side, a->cpu.sites[i].stack, 0, true);
	for (size_t i = 0; i < a->waits.sites_len && !err; i++)
		err = align_stack(align, side, a->waits.sites[i].stack, 0, false);
	for (size_t i = 0; i < a->locks.holders_len && !err; i++)
		err = align_stack(align, side, a->locks.holders[i].stack, 0, false);
	return err;
}
