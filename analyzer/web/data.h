/* SPDX-License-Identifier: MIT */
/* data.h - the blocks of JSON in a page; what their members mean stands above each function in data.c and data_lanes.c.
 */
#ifndef RINGSIDE_WEB_DATA_H
#define RINGSIDE_WEB_DATA_H

#include "analyzer/web/base.h"
#include "analyzer/web/lanes.h"
#include "analyzer/web/strips.h"
#include "analyzer/web/tree.h"

/* All return 0 or -EIO. */
/* base: what is compared with, or NULL. */
int web_data_tree(const struct web_tree *t, const struct web_base *base, FILE *out);
int web_data_strips(struct web_strips *s, const struct page *heap, FILE *out);
int web_data_lanes(struct web_lanes *l, struct web_latency *latency, const struct web_strips *s, FILE *out);

#endif
