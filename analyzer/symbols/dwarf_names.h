/* SPDX-License-Identifier: MIT */
/*
 * dwarf_names.h - what DWARF calls a function, made once for each.
 *
 * Copies of a function (inlined, cloned) refer to one DIE that has its name; the address of that DIE's bytes is the
 * function's identity here.
 */
#ifndef RINGSIDE_DWARF_NAMES_H
#define RINGSIDE_DWARF_NAMES_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/util/map.h"

#define DWARF_SCOPE_DEPTH_MAX 64 /* namespaces and classes inside each other */

/* A function as DWARF names it, the same object for all its copies. Strings live as long as the index. */
struct dwarf_function {
	const char *name;		  /* as written, qualified if it has no linkage name; NULL: unnamed */
	const char *linkage;		  /* mangled; NULL: none */
	const char *decl_file, *decl_dir; /* file may be relative to dir; both may be NULL */
	uint32_t decl_line;
	const char *interned, *interned_file; /* for the caller: what it made of name and file; NULL at first */
};

struct dwarf_scope;

/* Ready when zeroed. */
struct dwarf_names {
	struct map functions; /* address of the DIE's bytes -> struct dwarf_function * */
	/* Scopes of declarations without linkage name: found for a whole unit at once, see dwarf_names.c. */
	struct dwarf_scope *scopes;
	size_t scopes_len, scopes_cap;
	struct map scope_of;	 /* address of the declaration's bytes -> scope */
	struct map scoped_units; /* address of the unit's bytes -> 1 when read */
};

void dwarf_names_release(struct dwarf_names *n);

/* dwarf_names_function - the function of a subprogram or an inlined subroutine; NULL without memory. */
struct dwarf_function *dwarf_names_function(struct dwarf_names *n, Dwarf_Die *die);

/* dwarf_is_scope - whether functions may stand in DIEs with this tag: namespaces and types. */
bool dwarf_is_scope(int tag);

/* dwarf_unit_dir - where the compiler ran, NULL if it is not told. */
const char *dwarf_unit_dir(Dwarf_Die *unit);

/* dwarf_file_name - an entry of the unit's file table, NULL if there is none. */
const char *dwarf_file_name(Dwarf_Die *unit, Dwarf_Word index);

#endif
