/* SPDX-License-Identifier: MIT */
/* reports.h - some of the reports of reports.def as they are, for the page's view of that name. */
#ifndef RINGSIDE_WEB_REPORTS_H
#define RINGSIDE_WEB_REPORTS_H

#include <stdio.h>

#include "analyzer/reports/report.h"

/* web_reports - a pass for each. 0, -EIO, -ENOMEM; a report that has nothing to say is left out. */
int web_reports(const struct report_run *r, FILE *out);

#endif
