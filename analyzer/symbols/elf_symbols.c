/* SPDX-License-Identifier: MIT */
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/elf_symbols.h"

#define ENTRY_BYTES 64	/* of _start's code that are searched for main */
#define OVERLAP_MAX 64u /* symbols inside each other */

void elf_symbols_release(struct elf_symbols *s)
{
	free(s->functions.list);
	free(s->data.list);
	memset(s, 0, sizeof(*s));
}

static void list_add(struct elf_symbol_list *l, const struct elf_symbol *symbol)
{
	if (l->len == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 256;
		struct elf_symbol *list = realloc(l->list, cap * sizeof(*list));

		if (!list)
			return; /* fewer names are better than none */
		l->list = list;
		l->cap = cap;
	}
	l->list[l->len++] = *symbol;
	if (symbol->size > l->widest)
		l->widest = symbol->size;
}

/* ---- order ---- */

static size_t underscores(const char *name)
{
	return strspn(name, "_");
}

/* Order by place; at one place the better name stands first: sized, global, plain, short. */
static int compare_symbols(const void *pa, const void *pb)
{
	const struct elf_symbol *a = pa, *b = pb;
	size_t a_len, b_len;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (!a->size != !b->size)
		return a->size ? -1 : 1;
	if (a->is_local != b->is_local)
		return a->is_local ? 1 : -1;
	if (underscores(a->name) != underscores(b->name))
		return underscores(a->name) < underscores(b->name) ? -1 : 1;
	a_len = strlen(a->name);
	b_len = strlen(b->name);
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Keep the best name of each start. */
static void list_sort(struct elf_symbol_list *l)
{
	size_t kept = 0;

	if (l->len)
		qsort(l->list, l->len, sizeof(*l->list), compare_symbols);
	for (size_t i = 0; i < l->len; i++) {
		if (!kept || l->list[kept - 1].start != l->list[i].start)
			l->list[kept++] = l->list[i];
		else if (l->list[kept - 1].size < l->list[i].size)
			l->list[kept - 1].size = l->list[i].size;
	}
	l->len = kept;
}

/* ---- reading ---- */

/* Labels of assembler code without a type; $x, .L and the like only mark places. */
static bool is_code_label(Elf *elf, GElf_Word section, const char *name)
{
	Elf_Scn *scn = elf ? elf_getscn(elf, section) : NULL;
	GElf_Shdr memory, *shdr = scn ? gelf_getshdr(scn, &memory) : NULL;

	return shdr && shdr->sh_flags & SHF_EXECINSTR && name[0] != '$' && name[0] != '.';
}

static void take_symbol(struct elf_symbols *s, Dwfl_Module *module, int index)
{
	GElf_Addr address;
	GElf_Word section = 0;
	GElf_Sym sym;
	Elf *elf = NULL;
	const char *name = dwfl_module_getsym_info(module, index, &sym, &address, &section, &elf, NULL);
	struct elf_symbol symbol = { .name = name, .start = address };
	int type;

	if (!name || !name[0] || section == SHN_UNDEF || sym.st_size > UINT64_MAX - address)
		return;
	type = GELF_ST_TYPE(sym.st_info);
	symbol.size = sym.st_size;
	symbol.is_local = GELF_ST_BIND(sym.st_info) == STB_LOCAL;
	s->has_main |= !strcmp(name, "main");
	if (type == STT_FUNC || type == STT_GNU_IFUNC || (type == STT_NOTYPE && is_code_label(elf, section, name)))
		list_add(&s->functions, &symbol);
	else if ((type == STT_OBJECT || type == STT_COMMON) && sym.st_size)
		list_add(&s->data, &symbol);
}

/* Up to `size` bytes of the file's code at an address; NULL also in what has no interpreter: a shared library. */
static Elf_Data *program_code(Elf *elf, uint64_t address, size_t size)
{
	bool has_interpreter = false;
	Elf_Data *data = NULL;
	GElf_Phdr phdr;
	size_t count;

	if (elf_getphdrnum(elf, &count))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		uint64_t left;

		if (!gelf_getphdr(elf, (int)i, &phdr))
			continue;
		has_interpreter |= phdr.p_type == PT_INTERP;
		if (phdr.p_type != PT_LOAD || address < phdr.p_vaddr || address - phdr.p_vaddr >= phdr.p_filesz)
			continue;
		left = phdr.p_filesz - (address - phdr.p_vaddr);
		data = elf_getdata_rawchunk(elf, (int64_t)(phdr.p_offset + (address - phdr.p_vaddr)),
					    left < size ? left : size, ELF_T_BYTE);
	}
	return has_interpreter ? data : NULL;
}

/*
 * Stripped programs keep no "main", but their entry point does: it loads main's address for __libc_start_main,
 * by `lea main(%rip), %rdi` or `mov $main, %rdi`. The size stays unknown; unwind tables bound it.
 */
static void add_entry(struct elf_symbols *s, Elf *elf)
{
	struct elf_symbol symbol = { .name = "_start", .is_local = true };
	GElf_Ehdr ehdr;
	Elf_Data *data;
	int32_t operand;

	if (!elf || !gelf_getehdr(elf, &ehdr) || ehdr.e_machine != EM_X86_64 || !ehdr.e_entry)
		return;
	data = program_code(elf, ehdr.e_entry, ENTRY_BYTES);
	if (!data)
		return;
	symbol.start = ehdr.e_entry;
	list_add(&s->functions, &symbol);
	for (size_t i = 0; i + 7 <= data->d_size; i++) {
		const unsigned char *code = (const unsigned char *)data->d_buf + i;
		bool is_relative = !memcmp(code, "\x48\x8d\x3d", 3);

		if (!is_relative && memcmp(code, "\x48\xc7\xc7", 3))
			continue;
		memcpy(&operand, code + 3, 4);
		symbol.name = "main";
		symbol.start = (uint64_t)(int64_t)operand + (is_relative ? ehdr.e_entry + i + 7 : 0);
		list_add(&s->functions, &symbol);
		return;
	}
}

void elf_symbols_read(struct elf_symbols *s, Dwfl_Module *module)
{
	int count = dwfl_module_getsymtab(module);
	GElf_Addr bias;

	for (int i = 1; i < count; i++)
		take_symbol(s, module, i);
	if (!s->has_main)
		add_entry(s, dwfl_module_getelf(module, &bias));
	list_sort(&s->functions);
	list_sort(&s->data);
}

bool elf_symbols_find(const struct elf_symbol_list *l, uint64_t address, struct elf_symbol *out)
{
	size_t low = 0, high = l->len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->list[mid].start <= address)
			low = mid + 1;
		else
			high = mid;
	}
	for (size_t i = low; i-- > 0 && low - i <= OVERLAP_MAX && address - l->list[i].start < l->widest;) {
		*out = l->list[i];
		if (address - out->start < out->size)
			return true;
	}
	if (!low || l->list[low - 1].size)
		return false;
	*out = l->list[low - 1];
	return true;
}
