/* SPDX-License-Identifier: MIT */
/*
 * heap_sites.h - the heap by distinct stacks of frames, with lifetimes and the moment it was largest: what the formats
 * of heap profilers tell. One pass over the recording.
 */
#ifndef RINGSIDE_HEAP_SITES_H
#define RINGSIDE_HEAP_SITES_H

#include "analyzer/exports/curve.h"
#include "analyzer/exports/export.h"
#include "analyzer/exports/frame_tree.h"
#include "analyzer/models/crest.h"
#include "analyzer/models/lives.h"

/* Counts are in WEIGHT_ONEths. */
struct export_site {
	uint64_t blocks, bytes;
	uint64_t lifetimes_ns;		/* summed over blocks; of those alive at the end, until then */
	uint64_t top_blocks, top_bytes; /* when this site had most */
	struct crest_mark mark;		/* now, and when the whole was largest */
};

struct heap_sites {
	struct frame_tree tree;
	struct export_site *sites; /* by node of the tree; 0: blocks without a stack */
	size_t len;		   /* of sites */
	struct crest all;
	struct curve curve;
	/* Private. */
	struct export_run *r;
	struct lives lives;
	size_t cap;
};

/* heap_sites_run - other events of the same pass go to `also`, or NULL. 0 or -errno. Release in any case. */
int heap_sites_run(struct heap_sites *h, struct export_run *r, const struct pass_sink *also);
void heap_sites_release(struct heap_sites *h);

/* export_place - " (file.c:12)", " (libfoo.so)" or nothing: where a frame is, safe. Appended. */
void export_place(struct buf *out, const struct frame *frame);

#endif
