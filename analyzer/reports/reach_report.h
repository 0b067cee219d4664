/* SPDX-License-Identifier: MIT */
/* reach_report.h - what the reports about a snapshot of reach= begin and end with. */
#ifndef RINGSIDE_REACH_REPORT_H
#define RINGSIDE_REACH_REPORT_H

#include "analyzer/models/reach.h"
#include "analyzer/reports/leak_rules.h"
#include "analyzer/reports/report.h"

struct reach_report {
	struct report_run *r;
	struct reach reach;
	struct groups groups;
	struct leak_rules rules;
};

/* reach_report_open - the snapshot with every block's state. Release in any case. As report_lives. */
int reach_report_open(struct reach_report *x, struct report_run *r);
void reach_report_release(struct reach_report *x);

/* reach_report_group - the row of a block, or GROUP_NONE when the user's filter leaves it out. */
uint32_t reach_report_group(struct reach_report *x, const struct reach_block *block);

/* reach_report_facts - which snapshot it is. reach_report_notes: what limits it. */
void reach_report_facts(const struct reach_report *x, struct page *page);
void reach_report_notes(const struct reach_report *x, struct page *page);

#endif
