/* SPDX-License-Identifier: MIT */
/*
 * A stub is 8 or 16 bytes and jumps through a slot of the GOT: `jmp *offset(%rip)`, perhaps after endbr64 or with a
 * bnd prefix. The slot's relocation names the function. Reading the jump instead of counting entries makes .plt,
 * .plt.sec and .plt.got of every linker one case.
 */
#include <gelf.h>
#include <string.h>

#include "analyzer/symbols/elf_plt.h"

void elf_plt_release(struct elf_plt *plt)
{
	map_release(&plt->names);
	plt->len = 0;
}

static void take_relocations(struct elf_plt *plt, Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Scn *symbols = elf_getscn(elf, shdr->sh_link);
	Elf_Data *data = elf_getdata(scn, NULL), *symbol_data = symbols ? elf_getdata(symbols, NULL) : NULL;
	GElf_Shdr symbol_shdr;
	size_t count = shdr->sh_entsize ? shdr->sh_size / shdr->sh_entsize : 0;

	if (!data || !symbol_data || !gelf_getshdr(symbols, &symbol_shdr))
		return;
	for (size_t i = 0; i < count; i++) {
		GElf_Rela rela;
		GElf_Sym sym;
		const char *name;

		if (!gelf_getrela(data, (int)i, &rela))
			return;
		if (GELF_R_TYPE(rela.r_info) != R_X86_64_JUMP_SLOT && GELF_R_TYPE(rela.r_info) != R_X86_64_GLOB_DAT)
			continue;
		if (!gelf_getsym(symbol_data, (int)GELF_R_SYM(rela.r_info), &sym))
			continue;
		name = elf_strptr(elf, symbol_shdr.sh_link, sym.st_name);
		if (name && name[0])
			map_put(&plt->names, rela.r_offset, (uintptr_t)name);
	}
}

static void take_section(struct elf_plt *plt, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(scn, NULL);

	if (!data || !data->d_buf || data->d_size != shdr->sh_size || plt->len == ELF_PLT_SECTIONS)
		return;
	plt->sections[plt->len++] = (struct elf_plt_section){
		.start = shdr->sh_addr,
		.end = shdr->sh_addr + shdr->sh_size,
		.step = shdr->sh_entsize == 8 ? 8 : 16,
		.code = data->d_buf,
	};
}

void elf_plt_read(struct elf_plt *plt, Elf *elf)
{
	GElf_Ehdr ehdr;
	GElf_Shdr shdr;
	Elf_Scn *scn = NULL;
	size_t names;

	if (!gelf_getehdr(elf, &ehdr) || ehdr.e_machine != EM_X86_64 || elf_getshdrstrndx(elf, &names))
		return;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;

		if (!gelf_getshdr(scn, &shdr))
			continue;
		name = elf_strptr(elf, names, shdr.sh_name);
		if (shdr.sh_type == SHT_RELA)
			take_relocations(plt, elf, scn, &shdr);
		else if (shdr.sh_type == SHT_PROGBITS && name && !strncmp(name, ".plt", 4))
			take_section(plt, scn, &shdr);
	}
}

/* The address of the GOT slot that the stub at `code`, `address` jumps through; 0 if it holds no such jump. */
static uint64_t stub_slot(const unsigned char *code, uint64_t address, uint64_t step)
{
	int32_t offset;

	for (uint64_t i = 0; i + 6 <= step; i++) {
		if (code[i] != 0xff || code[i + 1] != 0x25)
			continue;
		memcpy(&offset, code + i + 2, 4);
		return address + i + 6 + (uint64_t)(int64_t)offset;
	}
	return 0;
}

const char *elf_plt_find(const struct elf_plt *plt, uint64_t address, uint64_t *start)
{
	for (unsigned i = 0; i < plt->len; i++) {
		const struct elf_plt_section *s = &plt->sections[i];
		uint64_t at, name;

		if (address < s->start || address >= s->end)
			continue;
		at = (address - s->start) / s->step * s->step;
		if (at + s->step > s->end - s->start)
			return NULL;
		if (!map_get(&plt->names, stub_slot(s->code + at, s->start + at, s->step), &name))
			return NULL;
		*start = s->start + at;
		return (const char *)(uintptr_t)name;
	}
	return NULL;
}
