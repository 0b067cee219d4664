/* SPDX-License-Identifier: MIT */
/*
 * path.h - where the dump goes: the out pattern, the first process's FILE, descendants' FILE.d/.
 *
 * Files are created 0600 with O_EXCL|O_NOFOLLOW, directories 0700; an existing file is taken only when it is
 * empty, regular, ours and has no other name: that is how `ringside record` hands one over.
 */
#ifndef RINGSIDE_PRELOAD_PATH_H
#define RINGSIDE_PRELOAD_PATH_H

#include <stdbool.h>

#define PATH_CAP 4096

/* Absolute path of this process's dump and of the recording's first file ("" when not known). */
extern char path_dump[PATH_CAP], path_root[PATH_CAP];

/* The running program: /proc/self/exe, and its base name without " (deleted)". */
extern char path_exe[PATH_CAP];

/*
 * path_open - create or claim the dump file for this process.
 * is_child:  forked from a recorded process: always FILE.d/.
 * Returns:   a descriptor open for reading and writing, or -errno: -ECHILD for a descendant that the toggle
 *            `children` leaves out. path_dump is set.
 */
int path_open(bool is_child);

/* path_abandon - the file just opened can't be used: remove it, unless the launcher made it. */
void path_abandon(int fd);

/* path_is_descendant - the last path_open was for FILE.d/: another process is the first of this recording. */
bool path_is_descendant(void);

/* path_reopen - the dump again, for the truncation at exit; -errno when it is not the same file any more. */
int path_reopen(void);

/* path_open_root - the dump of the recording's first process, if it is a file of ours: a descriptor, or -errno. */
int path_open_root(void);

#endif
