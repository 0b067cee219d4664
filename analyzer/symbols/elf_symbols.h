/* SPDX-License-Identifier: MIT */
/*
 * elf_symbols.h - the symbol tables of one ELF file, sorted for search by address.
 *
 * libdwfl merges .symtab, .dynsym and the compressed .gnu_debugdata, but searches them from end to end each time.
 */
#ifndef RINGSIDE_ELF_SYMBOLS_H
#define RINGSIDE_ELF_SYMBOLS_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_symbol {
	const char *name; /* as the linker knows it, perhaps with "@@VERSION"; lives as long as the module */
	uint64_t start;
	uint64_t size; /* 0: not known, it reaches to the next symbol */
	bool is_local;
};

/* By start, one symbol for each: of several the one people write. */
struct elf_symbol_list {
	struct elf_symbol *list;
	size_t len, cap;
	uint64_t widest; /* largest size */
};

/* Ready when zeroed. */
struct elf_symbols {
	struct elf_symbol_list functions, data;
	bool has_main;
};

/*
 * elf_symbols_read - take all functions and data objects of the module. A stripped program gets "_start" and "main"
 * from its entry point. Without memory some are missing.
 */
void elf_symbols_read(struct elf_symbols *s, Dwfl_Module *module);
void elf_symbols_release(struct elf_symbols *s);

/* elf_symbols_find - the innermost symbol around `address`; one without size only if no other covers it. */
bool elf_symbols_find(const struct elf_symbol_list *l, uint64_t address, struct elf_symbol *out);

#endif
