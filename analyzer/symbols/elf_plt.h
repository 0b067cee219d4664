/* SPDX-License-Identifier: MIT */
/* elf_plt.h - which function a procedure linkage stub jumps to: "malloc@plt". x86-64. */
#ifndef RINGSIDE_ELF_PLT_H
#define RINGSIDE_ELF_PLT_H

#include <libelf.h>
#include <stdint.h>

#include "analyzer/util/map.h"

#define ELF_PLT_SECTIONS 4

/* One executable section of stubs of equal size. */
struct elf_plt_section {
	uint64_t start, end, step;
	const unsigned char *code;
};

/* Ready when zeroed (then nothing is found). Points into the Elf. */
struct elf_plt {
	struct map names; /* address of a GOT slot -> const char * */
	struct elf_plt_section sections[ELF_PLT_SECTIONS];
	unsigned len;
};

/* elf_plt_read - collect stub sections and the relocations of the slots they jump through. */
void elf_plt_read(struct elf_plt *plt, Elf *elf);
void elf_plt_release(struct elf_plt *plt);

/* elf_plt_find - the name behind the stub that holds `address` and where the stub starts; NULL if it is none. */
const char *elf_plt_find(const struct elf_plt *plt, uint64_t address, uint64_t *start);

#endif
