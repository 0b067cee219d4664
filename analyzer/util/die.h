/* SPDX-License-Identifier: MIT */
/* die.h - messages of the command on stderr. Only main.c and the cmd_*.c files call these. */
#ifndef RINGSIDE_UTIL_DIE_H
#define RINGSIDE_UTIL_DIE_H

/* The command's exit codes. Those of a recorded program pass through `record` unchanged. */
enum exit_code {
	EXIT_FINE = 0,
	EXIT_FINDING = 1, /* a threshold was crossed, a check failed */
	EXIT_USAGE = 2,
	EXIT_UNREADABLE = 3, /* the dump could not be read */
	EXIT_OWN_FAILURE = 125,
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
	EXIT_SIGNAL_BASE = 128,
};

/* warn - "ringside: " and the message as one line, safe for a terminal whatever the arguments hold. */
__attribute__((format(printf, 1, 2))) void warn(const char *format, ...);

#endif
