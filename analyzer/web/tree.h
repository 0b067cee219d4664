/* SPDX-License-Identifier: MIT */
/*
 * tree.h - all stacks of a recording as one call tree of functions, with every number that a page can show at the node
 * where it was spent.
 *
 * A node is a function called by its parent. What is too small to be shown is put into one node "(smaller)" of the
 * nearest caller that is kept, so each node's sum stays what it was.
 */
#ifndef RINGSIDE_WEB_TREE_H
#define RINGSIDE_WEB_TREE_H

#include <regex.h>

#include "analyzer/models/align.h"
#include "analyzer/symbols/stacks.h"
#include "analyzer/util/map.h"

enum web_metric {
#define WEB_METRIC(id, group, name, unit, words) WEB_##id,
#include "analyzer/web/metrics.def"
	WEB_METRICS
};
/* Each number, and each once more of the recording that is compared with. */
#define WEB_VALUES (2 * WEB_METRICS)

/* web_metric_name - "alloc_space", ... */
const char *web_metric_name(enum web_metric metric);

struct web_frame {
	const char *function, *module, *file; /* of the symbols; module and file may be NULL */
};

struct web_node {
	uint32_t parent, frame;
	uint32_t line;	/* of the first call seen; 0: unknown */
	bool has_lines; /* others were seen too */
	int64_t self[WEB_VALUES];
	uint32_t shown; /* after web_tree_prune: the number it has on the page */
};

struct web_tree {
	struct stacks *stacks;
	struct web_frame *frames;
	size_t frames_len, frames_cap;
	struct web_node *nodes; /* parents come first; node 0 is the root */
	size_t nodes_len, nodes_cap;
	struct map frame_of, child_of, node_of; /* hash of a frame; parent and frame; stack */
	struct frames scratch;
	int64_t total[WEB_VALUES];
	/* Set by the caller after web_tree_init: what says which functions of two builds are the same; NULL: names do.
	 */
	const struct align *align;
	bool is_base; /* what is added belongs to the recording that is compared with */
	/* After web_tree_prune: what is on the page, in its order. */
	struct web_node *shown;
	size_t shown_len;
	double least_share; /* what has less of every metric was merged; 0: nothing */
	bool failed;
};

/* 0 or -ENOMEM. */
int web_tree_init(struct web_tree *t, struct stacks *stacks);
void web_tree_release(struct web_tree *t);

/* web_tree_at - the node of a stack; 0 without memory. */
uint32_t web_tree_at(struct web_tree *t, struct stack_id stack);

/* web_tree_above - the nearest caller of a node whose function does not match, the node itself when all do. */
uint32_t web_tree_above(const struct web_tree *t, uint32_t node, const regex_t *only_passes);

/* web_tree_add - a number that was spent at a node. */
void web_tree_add(struct web_tree *t, uint32_t node, enum web_metric metric, int64_t value);

/* web_tree_prune - choose at most about `limit` nodes to be shown; may be called again with another limit. 0, -ENOMEM.
 */
int web_tree_prune(struct web_tree *t, size_t limit);

#endif
