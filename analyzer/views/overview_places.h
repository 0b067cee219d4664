/* SPDX-License-Identifier: MIT */
/* overview_places.h - the heap by place: all stacks with one innermost function of the program's own. */
#ifndef RINGSIDE_OVERVIEW_PLACES_H
#define RINGSIDE_OVERVIEW_PLACES_H

#include "analyzer/models/heap.h"
#include "analyzer/symbols/stacks.h"

struct overview_place {
	char *name;	      /* as place_name says it, safe for a terminal */
	struct heap_site sum; /* its counts; no stack */
};

/*
 * overview_heap_places - largest share of the peak first.
 *
 * Returns:  how many, or -ENOMEM. The caller frees *places with overview_places_free in either case.
 */
long overview_heap_places(const struct heap *h, struct stacks *stacks, struct overview_place **places);
void overview_places_free(struct overview_place *places, long len);

#endif
