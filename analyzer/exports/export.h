/* SPDX-License-Identifier: MIT */
/*
 * export.h - a recording in the formats of others, for the viewers people already have.
 *
 * A format is one row of exports.def and one function in a file of its own. Each tells numbers, names and times exactly
 * as the reports do; what a format has no place for is left out, never invented.
 */
#ifndef RINGSIDE_EXPORT_H
#define RINGSIDE_EXPORT_H

#include <stdio.h>

#include "analyzer/models/analysis.h"
#include "analyzer/models/profile.h"

enum export_needs { NEEDS_PROFILE, NEEDS_ANALYSIS, NEEDS_EVENTS };

struct export_run {
	struct analysis *a; /* finished; with NEEDS_EVENTS opened only */
	struct stacks *stacks;
	const struct profile *profile; /* with NEEDS_PROFILE */
	size_t value;		       /* of the profile: what formats of one number tell */
	FILE *out;
	struct buf *error; /* a sentence when -EINVAL is returned */
	struct buf *notes; /* what the format had no room for, a sentence a line; NULL: nobody asks */
};

struct export_format {
	const char *name, *words, *viewer;
	enum export_needs needs;
	/* 0, -EINVAL, -EIO, -ENOMEM. */
	int (*run)(struct export_run *r);
};
extern const struct export_format export_formats[];
extern const size_t export_formats_len;

/* export_find - NULL when there is none. */
const struct export_format *export_find(const char *name);

/* export_frame_name - what a viewer calls a frame: the function, or "libfoo.so+0x12". Unsafe text as recorded. */
const char *export_frame_name(const struct frame *frame);

/* export_utf8 - append text as UTF-8: bytes that are none become U+FFFD, NULs are left out. */
void export_utf8(struct buf *out, const char *text);

#define EXPORT(name, needs, words, viewer) int export_##name(struct export_run *r);
#include "analyzer/exports/exports.def"

#endif
