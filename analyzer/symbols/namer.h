/* SPDX-License-Identifier: MIT */
/*
 * namer.h - the names of one ELF file's addresses: everything that reads ELF and DWARF and everything that demangles,
 * behind two questions.
 *
 * What it reads is hostile and the libraries it reads with have had their bugs, so it runs in a process of its own
 * (names.h). It depends on nothing but the file and the address.
 */
#ifndef RINGSIDE_NAMER_H
#define RINGSIDE_NAMER_H

#include <stddef.h>
#include <stdint.h>

#include "analyzer/symbols/dwarf_index.h"
#include "analyzer/symbols/elf_object.h"
#include "analyzer/symbols/symbols.h"

struct namer;

/*
 * namer_new - open the file with its debug information.
 *
 * note:     gets a sentence when there is something to know.
 * Returns:  NULL when it gives no names.
 */
struct namer *namer_new(const struct elf_want *want, struct buf *note);
void namer_free(struct namer *n);

/*
 * namer_lookup - the frames at `address`, innermost first; module and module_path stay NULL. Strings live as long as
 * the namer.
 *
 * Returns:  how many, at least one.
 */
size_t namer_lookup(struct namer *n, uint64_t address, struct frame frames[DWARF_CHAIN_MAX]);

/* namer_data - append the name of the variable around `address`; nothing when none is there. See symbols_data_name. */
void namer_data(struct namer *n, uint64_t address, struct buf *out);

/* namer_class - append the class whose virtual table is at `address`; nothing when none is. See symbols_class_name. */
void namer_class(struct namer *n, uint64_t address, struct buf *out);

/* namer_text - see elf_returned_text. */
int namer_text(struct namer *n, const char *function, struct buf *out);

/* namer_offset - "libfoo.so+0x12ab", what code is called whose name is not known. */
void namer_offset(struct buf *out, const char *path, uint64_t address);

#endif
