/* SPDX-License-Identifier: MIT */
/*
 * overview.h - one analysis as one screen of text, or as the JSON that scripts rely on.
 */
#ifndef RINGSIDE_OVERVIEW_H
#define RINGSIDE_OVERVIEW_H

#include "analyzer/models/findings.h"
#include "analyzer/commands/session.h"

/* What the sections have in common. */
struct overview {
	const struct session *session;
	const struct analysis *a;
	struct findings findings;
	size_t top;	  /* rows per list, SIZE_MAX: all */
	bool has_title;	  /* overview_text_title was printed already */
	bool is_for_html; /* see struct json */
};

/* overview_text_title - the first line of the text: the command line. It needs no analysis, so it can come before. */
void overview_text_title(const struct recording *rec, FILE *out);

/*
 * overview_text - findings first, then the top of heap, CPU and blocking, what was lost and what recording cost.
 * overview_json - schema ringside.report/1. With top SIZE_MAX the sites sum up to the totals.
 *
 * Both return 0, -EIO or -ENOMEM.
 */
int overview_text(const struct overview *r, FILE *out);
int overview_json(const struct overview *r, FILE *out);

/* overview_json_block - the keys of the "block" object, for `block --json` too. 0 or -ENOMEM. */
int overview_json_block(struct json *j, const struct analysis *a, size_t top);

/*
 * The sites in order of importance, at most `top`: a list the caller frees, NULL without memory.
 * Heap by share of the peak, then by bytes allocated; CPU and waits by time. *len is how many.
 */
const struct heap_site **overview_heap_sites(const struct heap *h, size_t top, size_t *len);
const struct cpu_site **overview_cpu_sites(const struct cpu *c, size_t top, size_t *len);
const struct wait_site **overview_wait_sites(const struct waits *w, size_t top, size_t *len);

/* overview_end - "exit:0", "signal:9", "exec", "running", "unknown" into out[32]; returns it. */
const char *overview_end(const struct recording *rec, char *out);

#endif
