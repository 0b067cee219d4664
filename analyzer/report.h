/* SPDX-License-Identifier: MIT */
/*
 * report.h - one analysis as one screen of text, or as the JSON that scripts rely on.
 */
#ifndef RINGSIDE_REPORT_H
#define RINGSIDE_REPORT_H

#include "analyzer/findings.h"
#include "analyzer/session.h"

/* What the sections have in common. */
struct report {
	const struct session *session;
	const struct analysis *a;
	struct findings findings;
	size_t top;	/* rows per list, SIZE_MAX: all */
	bool has_title; /* report_text_title was printed already */
};

/* report_text_title - the first line of the text: the command line. It needs no analysis, so it can come before. */
void report_text_title(const struct recording *rec, FILE *out);

/*
 * report_text - findings first, then the top of heap, CPU and blocking, what was lost and what recording cost.
 * report_json - schema ringside.report/1. With top SIZE_MAX the sites sum up to the totals.
 *
 * Both return 0, -EIO or -ENOMEM.
 */
int report_text(const struct report *r, FILE *out);
int report_json(const struct report *r, FILE *out);

/* report_json_block - the keys of the "block" object, for `block --json` too. 0 or -ENOMEM. */
int report_json_block(struct json *j, const struct analysis *a, size_t top);

/*
 * The sites in order of importance, at most `top`: a list the caller frees, NULL without memory.
 * Heap by share of the peak, then by bytes allocated; CPU and waits by time. *len is how many.
 */
const struct heap_site **report_heap_sites(const struct heap *h, size_t top, size_t *len);
const struct cpu_site **report_cpu_sites(const struct cpu *c, size_t top, size_t *len);
const struct wait_site **report_wait_sites(const struct waits *w, size_t top, size_t *len);

/* report_end - "exit:0", "signal:9", "exec", "running", "unknown" into out[32]; returns it. */
const char *report_end(const struct recording *rec, char *out);

#endif
