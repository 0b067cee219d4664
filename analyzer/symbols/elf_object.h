/* SPDX-License-Identifier: MIT */
/*
 * elf_object.h - one ELF file opened for its names: symbol tables, PLT stubs, function starts, DWARF.
 *
 * Addresses are ELF addresses. The file is untrusted; elfutils does the parsing, every index taken from it is
 * checked here.
 */
#ifndef RINGSIDE_ELF_OBJECT_H
#define RINGSIDE_ELF_OBJECT_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/symbols/elf_symbols.h"
#include "analyzer/util/buf.h"

struct elf_object;

struct elf_want {
	const char *path; /* as recorded; " (deleted)" at its end is ignored */
	const uint8_t *build_id;
	size_t build_id_len;		 /* 0: unknown, the file is taken as it is */
	const char *debug_dir, *sysroot; /* may be NULL */
	const char *binaries;		 /* other directories to look in, separated by colons; may be NULL */
};

/*
 * elf_object_open - open the file, or its separate debug file alone when the file is gone or another one.
 *
 * note:     gets a sentence when there is something to know, also with a result of 0.
 * Returns:  0, -ENOENT (no file), -ESTALE (only files with another build-id), -ENOEXEC (no ELF file), -ENOMEM.
 */
int elf_object_open(struct elf_object **out, const struct elf_want *want, struct buf *note);
void elf_object_free(struct elf_object *o);

/*
 * elf_object_function, elf_object_data - the symbol that covers `address`. Of several at one place the one people
 * write wins: global, fewest leading underscores, shortest.
 */
bool elf_object_function(struct elf_object *o, uint64_t address, struct elf_symbol *out);
bool elf_object_data(struct elf_object *o, uint64_t address, struct elf_symbol *out);
/* elf_object_function_named - the function of that linkage name. A search from end to end. */
bool elf_object_function_named(struct elf_object *o, const char *name, struct elf_symbol *out);
/* elf_object_bytes - up to `size` bytes that the file loads at `address`; how many there are. */
size_t elf_object_bytes(struct elf_object *o, uint64_t address, void *out, size_t size);
/* elf_object_machine - EM_X86_64 or another; 0 when only debug information is there. */
unsigned elf_object_machine(struct elf_object *o);
/* elf_object_read_symbols - do now what the first question would take most of its time for. */
void elf_object_read_symbols(struct elf_object *o);

/* elf_object_plt - the function that the PLT stub at `address` jumps to; NULL if it is none. x86-64 only. */
const char *elf_object_plt(struct elf_object *o, uint64_t address, uint64_t *start);

/* elf_object_unwind_start - the start of the function around `address` by .eh_frame_hdr, 0 when that does not say. */
uint64_t elf_object_unwind_start(struct elf_object *o, uint64_t address);

/*
 * elf_object_dwarf - its debug information, from wherever it is kept, or NULL. Looked for once.
 *
 * bias:     DWARF address + bias is the ELF address.
 */
Dwarf *elf_object_dwarf(struct elf_object *o, uint64_t *bias);

#endif
