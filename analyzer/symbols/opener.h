/* SPDX-License-Identifier: MIT */
/*
 * opener.h - ELF files opened with their debug information, by a thread while the caller still reads events.
 *
 * Opening takes longer than all that is asked afterwards: debug information is often compressed, and tables are sorted.
 * elfutils allows it as long as each file is in one thread's hands at a time: the opener's until opener_take, then the
 * caller's.
 */
#ifndef RINGSIDE_OPENER_H
#define RINGSIDE_OPENER_H

#include "analyzer/symbols/dwarf_data.h"
#include "analyzer/symbols/dwarf_index.h"
#include "analyzer/symbols/elf_object.h"

/* A file with what was read of it; all NULL when it could not be opened. Zeroed: closed. */
struct opened {
	struct elf_object *elf;
	struct dwarf_index *dwarf;
	struct dwarf_data *data;
	uint64_t dwarf_bias;
	struct buf note; /* a sentence when there is something to know */
};

void opened_make(struct opened *o, const struct elf_want *want);
void opened_release(struct opened *o);

struct opener;
struct opening; /* one file that was asked for */

/* opener_new - NULL without memory or a thread; then nothing is opened ahead. */
struct opener *opener_new(void);
/* opener_free - what was not taken is closed. */
void opener_free(struct opener *o);

/* opener_add - open this when there is time. The strings of `want` must stay. NULL without memory. */
struct opening *opener_add(struct opener *o, const struct elf_want *want);

/* opener_take - the opened file, now the caller's; waits for it, or opens it here when that has not begun. */
void opener_take(struct opener *o, struct opening *opening, struct opened *out);

#endif
