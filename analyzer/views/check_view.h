/* SPDX-License-Identifier: MIT */
/* check_view.h - which rules were kept, and every breach with its place, as text and JSON. */
#ifndef RINGSIDE_CHECK_VIEW_H
#define RINGSIDE_CHECK_VIEW_H

#include "analyzer/models/contract.h"
#include "analyzer/show/page.h"

struct check_view {
	const struct contracts *rules;
	struct stacks *stacks;
	const char *path;
	const struct recording *rec;
	struct page notes; /* whose notes stand below */
};

struct check_count {
	size_t kept, broken, undecided;
};
struct check_count check_count(const struct contracts *rules);

/* Both return 0, -EIO or -ENOMEM. */
int check_view_text(const struct check_view *v, FILE *out);
int check_view_json(const struct check_view *v, FILE *out);

#endif
