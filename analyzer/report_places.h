/* SPDX-License-Identifier: MIT */
/* report_places.h - the heap by place: all stacks with one innermost function of the program's own. */
#ifndef RINGSIDE_ANALYZER_REPORT_PLACES_H
#define RINGSIDE_ANALYZER_REPORT_PLACES_H

#include "analyzer/heap.h"
#include "analyzer/stacks.h"

struct report_place {
	char *name;	      /* as site_name says it, safe for a terminal */
	struct heap_site sum; /* its counts; no stack */
};

/*
 * report_heap_places - largest share of the peak first.
 *
 * Returns:  how many, or -ENOMEM. The caller frees *places with report_places_free in either case.
 */
long report_heap_places(const struct heap *h, struct stacks *stacks, struct report_place **places);
void report_places_free(struct report_place *places, long len);

#endif
