/* SPDX-License-Identifier: MIT */
/* diff_view.h - what two recordings differ in, as text, JSON and CSV. */
#ifndef RINGSIDE_DIFF_VIEW_H
#define RINGSIDE_DIFF_VIEW_H

#include "analyzer/commands/thresholds.h"
#include "analyzer/show/page.h"

struct diff_view {
	const struct diff *d;
	const struct thresholds *thresholds;
	const struct diff_value *sample; /* only this number's places; NULL: of all main numbers */
	const char *path[ALIGN_SIDES];
	size_t top;	   /* rows by place; 0: all */
	struct page notes; /* whose notes stand below */
};

/* All return 0, -EIO or -ENOMEM. */
int diff_view_text(const struct diff_view *v, FILE *out);
int diff_view_json(const struct diff_view *v, FILE *out);
/* The totals, or the places of the sample. */
int diff_view_csv(const struct diff_view *v, FILE *out);

#endif
