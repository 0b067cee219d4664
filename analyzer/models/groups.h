/* SPDX-License-Identifier: MIT */
/*
 * groups.h - which stacks a report puts into one row, and which it leaves out.
 *
 * A group is a small number, given in the order the stacks are met, so a report keeps what it counts in arrays. Asking
 * for the group of a stack costs two loads once it was asked for.
 */
#ifndef RINGSIDE_GROUPS_H
#define RINGSIDE_GROUPS_H

#include "analyzer/models/suppressions.h"
#include "analyzer/symbols/place.h"
#include "analyzer/symbols/stack_index.h"
#include "analyzer/show/table.h"
#include "analyzer/util/buf.h"
#include "analyzer/util/map.h"

enum group_by {
	BY_PLACE,    /* the innermost line of the program's own, see place.h */
	BY_STACK,    /* the whole stack */
	BY_MODULE,   /* the library or executable of that line */
	BY_FUNCTION, /* the function of that line */
};

/* Extended regular expressions for functions, files and modules; NULL: none. See views.h. */
struct group_filter {
	const char *focus, *ignore, *hide;
};

struct group {
	struct stack_id stack; /* the first one met */
	struct place place;
};

struct groups {
	struct stacks *stacks;
	enum group_by by;
	struct stack_index index; /* group + 1 */
	struct group *list;
	size_t len, cap;
	struct map by_key;
	struct view_pattern *focus, *ignore, *hide;
	struct suppressions *suppressions; /* stacks to leave out; NULL: none. Set by the caller, not owned */
	bool failed;			   /* memory ran out: what has no group is in 0 */
};

#define GROUP_NONE (UINT32_MAX - 1) /* left out by the filter */

/* groups_init - 0, -EINVAL with *error for a pattern that is none, -ENOMEM. Release in any case. */
int groups_init(struct groups *g, struct stacks *stacks, enum group_by by, const struct group_filter *filter,
		struct buf *error);
void groups_release(struct groups *g);

uint32_t groups_new(struct groups *g, struct stack_id stack);

/* groups_of - a number below g->len, or GROUP_NONE. */
static inline uint32_t groups_of(struct groups *g, struct stack_id stack)
{
	uint32_t number = stack_index_get(&g->index, stack);

	return number ? number - 1 : groups_new(g, stack);
}

/* groups_name - appended, safe. */
void groups_name(const struct groups *g, uint32_t group, struct buf *out);

/* groups_column - the column that groups_cell fills. */
void groups_column(const struct groups *g, struct table *t, const char *title, const char *key);
/* groups_column_as - the same for a second one, whose column of modules has another title and key too. */
void groups_column_as(const struct groups *g, struct table *t, const char *title, const char *key,
		      const char *module_title, const char *module_key);
void groups_cell(const struct groups *g, struct table *t, uint32_t group);

#endif
