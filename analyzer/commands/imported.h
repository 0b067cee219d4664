/* SPDX-License-Identifier: MIT */
/* imported.h - what the commands do with the file of another tool. */
#ifndef RINGSIDE_IMPORTED_H
#define RINGSIDE_IMPORTED_H

#include "analyzer/commands/session.h"

/*
 * imported_profile - take the profile out of s->import for the views of `command` ("heap"), if it is of that kind.
 *
 * p:        overwritten; it is empty after a failure.
 * Returns:  0, or an exit code after a message that names the command that shows it.
 */
int imported_profile(struct session *s, const char *command, struct profile *p);

/* imported_report - `ringside report` of such a file. An exit code. */
int imported_report(struct session *s, const struct options *o);

#endif
