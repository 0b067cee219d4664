/* SPDX-License-Identifier: MIT */
/*
 * strips.h - the time of a recording in columns: what each thread did in each, and which stacks ran or waited in it.
 *
 * Columns are as fine as the limits allow. Stacks have columns of their own, of which there are fewer when many stacks
 * are at work: each two become one until there is room.
 */
#ifndef RINGSIDE_WEB_STRIPS_H
#define RINGSIDE_WEB_STRIPS_H

#include "analyzer/reports/report.h"
#include "analyzer/web/tree.h"

/* Rows of threads on a page. */
#define WEB_THREADS_MOST 600u

struct web_cell {
	uint32_t column, node; /* of the tree before it is pruned */
	uint64_t samples, blocked_ns, busy_ns;
};

struct web_strips {
	struct report_run *r;
	struct web_tree *tree;
	struct report_window asked;  /* by --time */
	struct report_window window; /* the part of it that was recorded */
	unsigned columns;
	uint64_t (*did)[DOINGS]; /* by thread index and column */
	bool *in_pool;
	int32_t *row; /* by thread index: the number it has on the page, -1: it is not shown */
	size_t rows, rows_left_out;
	/* Stacks. */
	unsigned cell_columns;
	struct web_cell *cells;
	size_t cells_len, cells_cap;
	struct map cell_of; /* column and node -> index */
	bool failed;
};

/* web_strips_make - one pass. Release in any case. 0 or -errno. */
int web_strips_make(struct web_strips *s, struct report_run *r, struct web_tree *tree);
void web_strips_release(struct web_strips *s);

/* web_strips_order - cells by column, and in it by the number their nodes have on the page. */
void web_strips_order(struct web_strips *s);

/* web_strips_sum - what a thread did in all. */
void web_strips_sum(const struct web_strips *s, uint32_t thread, uint64_t sum[DOINGS]);

#endif
