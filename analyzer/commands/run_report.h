/* SPDX-License-Identifier: MIT */
/* run_report.h - one report of reports.def over the recording that the command line names. */
#ifndef RINGSIDE_RUN_REPORT_H
#define RINGSIDE_RUN_REPORT_H

#include "analyzer/commands/options.h"

/*
 * report_asked - the report that the first word names, which is taken off the words; NULL: it is a FILE. A file of a
 * report's name is reached as ./NAME.
 */
const struct report *report_asked(const char *subject, struct options *o);

/* run_report - an exit code. */
int run_report(const struct report *report, struct options *o);

#endif
