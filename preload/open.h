/* SPDX-License-Identifier: MIT */
/* open.h - file_open and file_finish: the two calls of file.c that only life.c makes. */
#ifndef RINGSIDE_PRELOAD_OPEN_H
#define RINGSIDE_PRELOAD_OPEN_H

#include <stdbool.h>

#include "format/record.h"

/*
 * file_open - create this process's dump and map it; file_header is set.
 * parent:   header of the process that forked us, or NULL; only its pid and random are read.
 * argv:     the program's arguments, or NULL.
 * Returns:  0 or -errno. Uses a descriptor for a moment. Not async-signal-safe against itself.
 */
int file_open(bool is_child, const struct rsd_header *parent, char **argv);

/*
 * file_tell_missing - after file_open failed in a descendant that is a program of its own: count it in the dump of the
 * recording's first process, where that can be written.
 */
void file_tell_missing(void);

/* file_finish_mute - file_finish where no system call may be made: how the process ended, and about when. */
void file_finish_mute(int end_kind, int end_code);

/* file_finish - last numbers into the header, then the file is cut to what was used. */
void file_finish(int end_kind, int end_code);

#endif
