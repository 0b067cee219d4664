/* SPDX-License-Identifier: MIT */
/*
 * elfcheck.h - can this program be recorded? Asked before it is run, so that nobody waits for an empty recording.
 */
#ifndef RINGSIDE_ELFCHECK_H
#define RINGSIDE_ELFCHECK_H

#include <stdbool.h>

#include "analyzer/util/buf.h"

enum elf_verdict {
	ELF_FINE,
	ELF_PARTLY,	    /* will be recorded, but not all of it: `reason` says what is missing */
	ELF_REFUSED,	    /* the preloaded library would never be loaded, or would not work */
	ELF_NOT_EXECUTABLE, /* exit 126 */
	ELF_NOT_FOUND,	    /* exit 127 */
};

/*
 * elf_find - the file that execvp(3) would run for `program`: itself when it has a slash, else along PATH.
 *
 * Returns:  ELF_FINE with the path appended to *path, or what is wrong with a sentence in *reason.
 */
enum elf_verdict elf_find(const char *program, struct buf *path, struct buf *reason);

/*
 * elf_check - look at an executable file, or at the interpreter of a #! script (up to 4 levels).
 *
 * reason:   one or two lines: why, and what to use instead. The headers are untrusted: every offset is checked.
 */
enum elf_verdict elf_check(const char *path, struct buf *reason);

#endif
