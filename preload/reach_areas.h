/* SPDX-License-Identifier: MIT */
/*
 * reach_areas.h - what memory the process has and what is in it, as its copy sees it: from /proc/self/maps, the
 * loader's answers, the threads' places and the recorder's own list. No lock, no allocation but raw_map.
 */
#ifndef RINGSIDE_PRELOAD_REACH_AREAS_H
#define RINGSIDE_PRELOAD_REACH_AREAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/modules.h"
#include "preload/reach_plan.h"

#define REACH_AREAS_MOST 131072u /* twice the usual limit on mappings */
#define REACH_MODULES_MOST 4096u

struct reach_range {
	uintptr_t from, to;
	uint16_t kind; /* enum rsd_reach_kind: DATA, STACK, AREA; 0: of no interest */
	uint16_t flags;
};

/* Sorted, none overlaps another. */
struct reach_list {
	struct reach_range *at;
	size_t len, cap;
};

struct reach_areas {
	struct reach_list all;	   /* what to scan */
	struct reach_list targets; /* where pointers of interest point: what is an AREA, joined where they touch */
	struct reach_list images;  /* of modules, for pointers to virtual tables */
	struct module *modules;
	size_t modules_len;
	uint32_t threads_running;
	uint64_t lost; /* mappings and threads that found no room in tables: what they point to may seem lost */
};

/* reach_areas_find - false without memory or /proc. */
bool reach_areas_find(struct reach_areas *a, const struct reach_plan *plan);

/* reach_list_find - is `address` in one of the ranges? *hint: where it was the last time. */
static inline bool reach_list_find(const struct reach_list *l, uintptr_t address, size_t *hint)
{
	const struct reach_range *last = &l->at[*hint];
	size_t low = 0, high = l->len;

	if (address - last->from < last->to - last->from)
		return true;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->at[mid].to <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == l->len || address < l->at[low].from)
		return false;
	*hint = low;
	return true;
}

#endif
