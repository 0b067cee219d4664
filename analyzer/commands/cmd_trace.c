/* SPDX-License-Identifier: MIT */
/* cmd_trace.c - the reports about time; without a word the overview, with --timeline or --at the one they stand for. */
#include "analyzer/commands/run_report.h"

int cmd_trace(struct options *o)
{
	const struct report *report = report_asked("trace", o);
	const char *name = o->report.has_at				  ? "moment"
			   : o->report.wants_timeline || o->report.around ? "timeline"
									  : "threads";

	return run_report(report ? report : report_find("trace", name), o);
}
