/* SPDX-License-Identifier: MIT */
/*
 * align_sites.h - which call sites of a function are the same in two builds of it.
 *
 * Both lists are in the order of their lines and are aligned as diff aligns texts: a pair costs more the less its line,
 * its callees and its weight agree, and a site that is left alone costs as much as two things that do not. Where
 * nothing fits, but the function as a whole has the weight it had, it is one site: compilers differ in what line of a
 * long expression a call is on.
 */
#ifndef RINGSIDE_ALIGN_SITES_H
#define RINGSIDE_ALIGN_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line of a function; several frames may have it. */
struct align_site {
	uint32_t function, module, side; /* the caller's */
	int64_t line;			 /* relative to the function's first; 0 for all of a build without lines */
	uint64_t callees;		 /* a hash of the set of them */
	uint64_t weight;		 /* what is equal if nothing changed; 0: not known */
	uint32_t number;		 /* the result: equal for equal sites */
};

/*
 * align_sites - number the sites of one function.
 *
 * is_rebuilt:  else equal lines are equal sites.
 * next:        the last number given, counted up.
 * Returns:     0 or -ENOMEM.
 */
int align_sites(struct align_site *old, size_t old_len, struct align_site *new, size_t new_len, bool is_rebuilt,
		uint32_t *next);

#endif
