/* SPDX-License-Identifier: MIT */
/*
 * source.h - find and read the lines of source files named by debug information.
 */
#ifndef RINGSIDE_SOURCE_H
#define RINGSIDE_SOURCE_H

#include <stddef.h>

struct source_options {
	const char *source_path; /* directories split by ':' to look in; NULL: none */
	const char *trim_path;	 /* prefixes split by ':' to cut from recorded paths first; NULL: none */
};

struct source_file {
	char *path; /* where it was found */
	char *text;
	char **lines; /* lines[0] is line 1; without newline, NUL terminated, unsafe text */
	size_t len;
};

/* Larger files are refused with -EFBIG: nobody wrote them. */
#define SOURCE_SIZE_MAX (16u << 20)

/*
 * source_open - read the file that was compiled as `recorded`. Tried in this order: the recorded path; for each
 * directory of source_path the path without its trim_path prefix, then with leading directories taken away one by
 * one down to the base name. Only regular files are read.
 *
 * Returns:  0 (release with source_release), -ENOENT, -EFBIG, -ENOMEM or what open or read said.
 */
int source_open(struct source_file *f, const char *recorded, const struct source_options *options);
void source_release(struct source_file *f);

/* source_shown - `recorded` without its trim_path prefix: what views print. Points into `recorded`. */
const char *source_shown(const char *recorded, const struct source_options *options);

#endif
