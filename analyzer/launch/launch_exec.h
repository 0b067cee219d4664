/* SPDX-License-Identifier: MIT */
/* launch_exec.h - which dumps of a recording ended because their process executed another program. */
#ifndef RINGSIDE_LAUNCH_EXEC_H
#define RINGSIDE_LAUNCH_EXEC_H

/*
 * launch_mark_execs - an exec leaves the pid and begins a new dump: every dump without an end that has a successor of
 * the same pid gets the end "exec" at the moment the successor began.
 *
 * file:      the recording's FILE; directory: its FILE.d. What can't be read or written is left as it is.
 */
void launch_mark_execs(const char *file, const char *directory);

#endif
