/* SPDX-License-Identifier: MIT */
/*
 * output.h - where -o says: what is written appears under its name when it is whole. A device, a pipe or a link is
 * written to: a file renamed onto /dev/null would take the place of the device, for everybody.
 */
#ifndef RINGSIDE_OUTPUT_H
#define RINGSIDE_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct output {
	FILE *file;
	char *part;   /* its name until it is whole; NULL: written to as it is */
	bool is_ours; /* to close, without a part */
};

/* output_open - NULL and "-" are stdout. 0 or -errno; close in any case. */
int output_open(struct output *out, const char *path);

/*
 * output_close - the file gets its name, or goes away when `status` or writing is no success.
 *
 * Returns:  an exit code, after a message when it could not be written.
 */
int output_close(struct output *out, const char *path, int status);

#endif
