/* SPDX-License-Identifier: MIT */
/*
 * dwarf_index.h - fast ways into one file's DWARF: address -> unit -> function -> inlined calls and line.
 *
 * libdw's own way to a unit needs .debug_aranges, which clang does not write, and its way to a function walks the
 * whole unit each time. Here the ranges of all units are sorted once, and those of a unit's functions when it is
 * first asked for.
 */
#ifndef RINGSIDE_DWARF_INDEX_H
#define RINGSIDE_DWARF_INDEX_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/symbols/dwarf_names.h"

/* More inlined calls around one address are not shown; compilers make some tens. */
#define DWARF_CHAIN_MAX 128

/* One function at an address, innermost first in a list. */
struct dwarf_frame {
	struct dwarf_function *function; /* NULL: only the line is known */
	const char *file;		 /* may be relative to dir */
	const char *dir;		 /* where the compiler ran; may be NULL */
	uint32_t line;
	bool inlined;
	uint64_t start; /* of the code, for the outermost frame */
};

struct dwarf_index;

/* dwarf_index_new - NULL without memory. The Dwarf must outlive it. */
struct dwarf_index *dwarf_index_new(Dwarf *dwarf);
void dwarf_index_free(struct dwarf_index *x);

/*
 * dwarf_index_lookup - the functions around `address` (a DWARF address).
 *
 * Returns:  how many frames were written, 0 when no unit covers the address.
 */
size_t dwarf_index_lookup(struct dwarf_index *x, uint64_t address, struct dwarf_frame frames[DWARF_CHAIN_MAX]);

#endif
