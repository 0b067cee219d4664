/* SPDX-License-Identifier: MIT */
/* base.h - an older recording in the tree of a newer one, for a page that shows the difference. */
#ifndef RINGSIDE_WEB_BASE_H
#define RINGSIDE_WEB_BASE_H

#include "analyzer/models/align.h"
#include "analyzer/models/analysis.h"

/* What is compared with. */
struct web_base {
	const char *path;
	struct analysis *a; /* its models ran, and its stacks are those of the session shown */
};

/* web_base_align - all stacks of one side that a tree will get. Before align_finish. 0 or -ENOMEM. */
int web_base_align(struct align *align, enum align_side side, const struct analysis *a);

#endif
