/* SPDX-License-Identifier: MIT */
/*
 * leak_rules.h - which blocks the reports about leaks leave out, as the user and the program ask: lines of
 * --suppressions and of the program's __lsan_default_suppressions, and how much that was.
 */
#ifndef RINGSIDE_LEAK_RULES_H
#define RINGSIDE_LEAK_RULES_H

#include "analyzer/models/suppressions.h"
#include "analyzer/reports/report.h"

struct leak_rules {
	struct suppressions list;
	struct buf program;   /* the program's own lines */
	bool is_unreadable;   /* the program computes them: they are not known */
	struct buf complaint; /* about the program's own lines */
	struct stacks *stacks;
};

/* leak_rules_init - reads both. 0, -EINVAL with r->error set, -ENOMEM. Release in any case. */
int leak_rules_init(struct leak_rules *rules, const struct report_run *r);
void leak_rules_release(struct leak_rules *rules);

/* leak_rules_find - the rule that leaves a block of this stack out, or NULL. */
static inline struct suppression *leak_rules_find(struct leak_rules *rules, struct stack_id stack)
{
	return suppressions_find(&rules->list, rules->stacks, stack);
}

/* leak_rules_print - a table of what was left out by each rule, and what could not be read. */
void leak_rules_print(const struct leak_rules *rules, struct page *page);

/* leak_groups - the rows of a report that counts what rules leave out itself. As report_groups. */
int leak_groups(const struct report_run *r, struct groups *g);

#endif
