/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/demangle.h"
#include "analyzer/symbols/dwarf_data.h"
#include "analyzer/symbols/elf_text.h"
#include "analyzer/symbols/modules.h"
#include "analyzer/symbols/namer.h"
#include "analyzer/symbols/strings.h"

struct namer {
	char *path;
	struct elf_object *elf;
	struct dwarf_index *dwarf; /* NULL: no debug information, and so is data */
	struct dwarf_data *data;
	uint64_t dwarf_bias;
	struct strings strings;
};

struct namer *namer_new(const struct elf_want *want, struct buf *note)
{
	struct namer *n = calloc(1, sizeof(*n));
	Dwarf *dwarf;

	if (!n)
		return NULL;
	n->path = strdup(want->path);
	if (!n->path || elf_object_open(&n->elf, want, note)) {
		namer_free(n);
		return NULL;
	}
	dwarf = elf_object_dwarf(n->elf, &n->dwarf_bias);
	if (dwarf) {
		n->dwarf = dwarf_index_new(dwarf);
		n->data = dwarf_data_new(dwarf);
	} else {
		elf_object_read_symbols(n->elf);
	}
	return n;
}

void namer_free(struct namer *n)
{
	if (!n)
		return;
	dwarf_index_free(n->dwarf);
	dwarf_data_free(n->data);
	elf_object_free(n->elf);
	strings_release(&n->strings);
	free(n->path);
	free(n);
}

/* ---- strings --------------------------------------------------------------------------------------------------- */

static const char *intern(struct namer *n, const char *text)
{
	return strings_intern(&n->strings, text, strlen(text));
}

static const char *readable(struct namer *n, const char *linkage)
{
	char *name = demangle(linkage);
	const char *kept = intern(n, name ? name : linkage);

	free(name);
	return kept;
}

/*
 * The part of a linkage name that names the function: without the symbol version of "fopen@@GLIBC_2.2.5" and the
 * ".cold" of unlikely parts that the compiler moved away.
 */
static size_t essential_length(const char *linkage)
{
	const char *version = strchr(linkage, '@'), *cold = strstr(linkage, ".cold");

	if (version && version > linkage)
		return (size_t)(version - linkage);
	if (cold && cold > linkage && strspn(cold + 5, ".0123456789") == strlen(cold + 5))
		return (size_t)(cold - linkage);
	return strlen(linkage);
}

static const char *essential_name(struct namer *n, const char *linkage)
{
	return strings_intern(&n->strings, linkage, essential_length(linkage));
}

/* "/a/./b//c" -> "/a/b/c"; relative names get the directory the compiler ran in. */
static const char *absolute(struct namer *n, const char *file, const char *dir)
{
	struct buf path = { 0 };
	const char *kept;
	size_t at = 0;

	if (file[0] != '/' && dir && dir[0] == '/')
		buf_printf(&path, "%s/", dir);
	buf_add_string(&path, file);
	if (path.failed) {
		buf_release(&path);
		return NULL;
	}
	for (size_t i = 0; i <= path.len; i++) {
		while (path.data[i] == '/' && (path.data[i + 1] == '/' || !strncmp(path.data + i, "/./", 3)))
			i += path.data[i + 1] == '/' ? 1 : 2;
		path.data[at++] = path.data[i];
	}
	kept = intern(n, path.data);
	buf_release(&path);
	return kept;
}

/* ---- one address ----------------------------------------------------------------------------------------------- */

void namer_offset(struct buf *out, const char *path, uint64_t address)
{
	buf_printf(out, "%s+0x%llx", path_base(path), (unsigned long long)address);
}

static void name_from_symbol(struct namer *n, struct frame *frame)
{
	struct elf_symbol symbol;
	struct buf text = { 0 };
	const char *plt = NULL;
	uint64_t start = 0;

	if (elf_object_function(n->elf, frame->address, &symbol)) {
		frame->linkage = essential_name(n, symbol.name);
		frame->function = frame->linkage ? readable(n, frame->linkage) : NULL;
		frame->start = symbol.start;
		frame->source = FRAME_SYMBOL;
	} else if ((plt = elf_object_plt(n->elf, frame->address, &start))) {
		char *name = demangle(plt);

		buf_printf(&text, "%s@plt", name ? name : plt);
		free(name);
		frame->source = FRAME_PLT;
		frame->start = start;
	} else {
		frame->start = elf_object_unwind_start(n->elf, frame->address);
		namer_offset(&text, n->path, frame->start ? frame->start : frame->address);
		frame->source = FRAME_OFFSET;
	}
	if (text.len)
		frame->function = intern(n, text.data);
	buf_release(&text);
}

/*
 * A C library calls its malloc "__libc_malloc" inside: the name that programs link to is in the symbol table, at
 * the same address, global and with no more underscores.
 */
static void prefer_public_name(struct namer *n, struct frame *frame)
{
	struct elf_symbol symbol;

	if (frame->function[0] != '_' || frame->inlined || !frame->start ||
	    !elf_object_function(n->elf, frame->start, &symbol) || symbol.start != frame->start || symbol.is_local ||
	    strspn(symbol.name, "_") > strspn(frame->function, "_"))
		return;
	frame->linkage = essential_name(n, symbol.name);
	if (frame->linkage)
		frame->function = frame->linkage;
}

static void name_from_dwarf(struct namer *n, struct dwarf_function *function, struct frame *frame)
{
	if (!function->interned) {
		const char *name = function->linkage ? function->linkage : function->name;

		function->interned = name ? readable(n, name) : "[unnamed]";
		if (function->decl_file)
			function->interned_file = absolute(n, function->decl_file, function->decl_dir);
	}
	frame->function = function->interned;
	frame->decl_file = function->interned_file;
	frame->decl_line = function->decl_line;
	frame->source = FRAME_DWARF;
	if (function->linkage && !frame->inlined)
		frame->linkage = intern(n, function->linkage);
}

static size_t frames_of(struct namer *n, uint64_t address, struct dwarf_frame *found)
{
	size_t len = n->dwarf ? dwarf_index_lookup(n->dwarf, address - n->dwarf_bias, found) : 0;

	if (!len) {
		memset(found, 0, sizeof(*found));
		len = 1;
	}
	return len;
}

size_t namer_lookup(struct namer *n, uint64_t address, struct frame frames[DWARF_CHAIN_MAX])
{
	struct dwarf_frame found[DWARF_CHAIN_MAX];
	size_t len = frames_of(n, address, found);

	for (size_t i = 0; i < len; i++) {
		struct frame *frame = &frames[i];

		*frame = (struct frame){ .address = address, .inlined = found[i].inlined, .line = found[i].line };
		frame->file = found[i].file ? absolute(n, found[i].file, found[i].dir) : NULL;
		frame->start = found[i].start ? found[i].start + n->dwarf_bias : 0;
		if (found[i].function)
			name_from_dwarf(n, found[i].function, frame);
		else
			name_from_symbol(n, frame);
		if (!frame->function)
			frame->function = "[unknown]";
		if (found[i].function)
			prefer_public_name(n, frame);
	}
	return len;
}

/* "queue.2" is the second static called queue in its file: people know it as "queue". */
static size_t without_number(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (strchr(name, '@'))
		return strcspn(name, "@");
	if (dot && dot != name && dot[1] && strspn(dot + 1, "0123456789") == strlen(dot + 1))
		return (size_t)(dot - name);
	return strlen(name);
}

void namer_data(struct namer *n, uint64_t address, struct buf *out)
{
	struct elf_symbol symbol;
	char *name;

	if (!elf_object_data(n->elf, address, &symbol))
		return;
	name = demangle(symbol.name);
	buf_add(out, name ? name : symbol.name, name ? strlen(name) : without_number(symbol.name));
	free(name);
	if ((!n->data || dwarf_data_member(n->data, symbol.start - n->dwarf_bias, address - symbol.start, out)) &&
	    address != symbol.start)
		buf_printf(out, "+0x%llx", (unsigned long long)(address - symbol.start));
}

void namer_class(struct namer *n, uint64_t address, struct buf *out)
{
	static const char prefix[] = "vtable for ";
	struct elf_symbol symbol;
	const char *linkage;
	char *name;

	if (!elf_object_data(n->elf, address, &symbol) || strncmp(symbol.name, "_ZTV", 4) ||
	    address - symbol.start >= symbol.size)
		return;
	linkage = essential_name(n, symbol.name);
	name = linkage ? demangle(linkage) : NULL;
	if (name && !strncmp(name, prefix, sizeof(prefix) - 1))
		buf_add_string(out, name + sizeof(prefix) - 1);
	free(name);
}

int namer_text(struct namer *n, const char *function, struct buf *out)
{
	return elf_returned_text(n->elf, function, out);
}
