/* SPDX-License-Identifier: MIT */
/* diff_base.h - --diff-base of the profile views: another recording's profile is subtracted before anything is shown.
 */
#ifndef RINGSIDE_DIFF_BASE_H
#define RINGSIDE_DIFF_BASE_H

#include "analyzer/commands/session.h"

/* Ready when zeroed. */
struct diff_base {
	struct session session;
	struct align *align;
	struct profile profile; /* what was subtracted */
	bool is_open;
};

/*
 * diff_base_subtract - nothing without o->diff_base. Rows of *p with the same functions and call sites become one.
 *
 * s:        where *p comes from; closed after the base is released.
 * make:     fills a profile as *p was filled.
 * Returns:  0 with o->view made ready for a difference, or an exit code after a message.
 */
int diff_base_subtract(struct diff_base *b, const struct session *s, struct options *o, struct profile *p,
		       int (*make)(const struct analysis *a, const struct options *o, struct profile *p));
/* diff_base_open - only open o->diff_base and run its models. 0 or an exit code after a message. */
int diff_base_open(struct diff_base *b, const struct session *s, const struct options *o);
void diff_base_release(struct diff_base *b);

#endif
