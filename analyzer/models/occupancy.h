/* SPDX-License-Identifier: MIT */
/*
 * occupancy.h - how full the pages are that blocks lie on, and which groups of blocks keep nearly empty pages.
 *
 *     struct occupancy o = { 0 };
 *
 *     occupancy_add(&o, addr, size, group);     every live block of one moment
 *     occupancy_count(&o);
 *
 * A page is sparse when less than OCCUPANCY_SPARSE of its bytes are in blocks. What is empty on it is charged to the
 * groups that have blocks there, in proportion to their bytes: so the charges of all groups add up to what is empty on
 * sparse pages. Blocks count with the bytes that were asked for; one of 0 bytes holds its page with one.
 *
 * Memory: 24 bytes a live block, and a row for each group.
 */
#ifndef RINGSIDE_OCCUPANCY_H
#define RINGSIDE_OCCUPANCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OCCUPANCY_PAGE 4096u
#define OCCUPANCY_SPARSE 1024u /* bytes of a page */
#define OCCUPANCY_BINS 10u     /* of a histogram: tenths of a page */

struct spot {
	uint64_t addr, size;
	uint32_t group;
};

struct group_pages {
	uint64_t blocks, bytes;
	uint64_t pages;	 /* that it has blocks on */
	uint64_t alone;	 /* of these: nobody else has */
	uint64_t sparse; /* of the pages: sparse ones */
	double empty;	 /* bytes charged, see above */
};

struct page_part; /* of the page at hand: one group's bytes */

struct occupancy {
	struct spot *spots;
	size_t spots_len, spots_cap;
	struct group_pages *groups; /* by group */
	size_t groups_len;
	uint64_t pages, sparse;
	double bytes; /* in blocks, no more than a page has */
	double empty; /* on sparse pages */
	uint64_t bins[OCCUPANCY_BINS];
	bool failed;
	/* Private: the page at hand. */
	struct page_part *parts;
	size_t parts_len, parts_cap;
	uint64_t page;
};

void occupancy_release(struct occupancy *o);
void occupancy_add(struct occupancy *o, uint64_t addr, uint64_t size, uint32_t group);
/* occupancy_count - once, after all blocks: afterwards spots are ordered by address. */
void occupancy_count(struct occupancy *o);

/* One step of taking groups of blocks off the upper end of a range of memory. */
struct top_step {
	uint32_t group;
	uint64_t blocks, bytes; /* that were in the way since the last step, of the groups taken off so far */
	uint64_t freed;		/* how far the end of the last block moves down, all steps together */
};

/*
 * occupancy_top - which groups hold the upper end of [from, to): the group of the last block, then that of the last one
 * of those left, ...
 *
 * Returns:  steps that were put into steps[max]; *end is where the last block ends, 0: there is none.
 */
size_t occupancy_top(const struct occupancy *o, uint64_t from, uint64_t to, struct top_step *steps, size_t max,
		     uint64_t *end);

#endif
