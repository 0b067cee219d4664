/* SPDX-License-Identifier: MIT */
/* imported_view.h - the file of another tool at a glance: what it is, its totals, the first functions of each number.
 */
#ifndef RINGSIDE_IMPORTED_VIEW_H
#define RINGSIDE_IMPORTED_VIEW_H

#include "analyzer/imports/import.h"
#include "analyzer/show/render.h"

struct imported_view {
	const struct import *import;
	const char *path;
	size_t top; /* functions of each number; SIZE_MAX: all */
	struct render_style style;
};

/* imported_json has the schema ringside.import/1. Both return 0, -EIO or -ENOMEM. */
int imported_text(const struct imported_view *v, FILE *out);
int imported_json(const struct imported_view *v, FILE *out);

#endif
