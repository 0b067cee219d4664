/* SPDX-License-Identifier: MIT */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/dwarf_names.h"
#include "analyzer/util/buf.h"

#define ORIGIN_DEPTH_MAX 16 /* abstract_origin and specification links in a row */

struct dwarf_scope {
	const char *name;
	uint32_t outer; /* 0: the unit */
};

void dwarf_names_release(struct dwarf_names *n)
{
	struct map_iter it = { 0 };

	while (map_next(&n->functions, &it)) {
		struct dwarf_function *function = (struct dwarf_function *)(uintptr_t)it.value;

		free((char *)(uintptr_t)function->name);
		free(function);
	}
	map_release(&n->functions);
	map_release(&n->scope_of);
	map_release(&n->scoped_units);
	free(n->scopes);
}

bool dwarf_is_scope(int tag)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		return true;
	default:
		return false;
	}
}

const char *dwarf_unit_dir(Dwarf_Die *die)
{
	Dwarf_Attribute attr;

	return dwarf_attr(die, DW_AT_comp_dir, &attr) ? dwarf_formstring(&attr) : NULL;
}

/* Follow abstract_origin and specification to the DIE that has a name: copies of a function share it. */
static Dwarf_Die naming_die(Dwarf_Die *die)
{
	Dwarf_Die at = *die, next;
	Dwarf_Attribute attr;

	for (unsigned i = 0; i < ORIGIN_DEPTH_MAX; i++) {
		if (dwarf_hasattr(&at, DW_AT_linkage_name) || dwarf_hasattr(&at, DW_AT_name))
			break;
		if (!dwarf_attr(&at, DW_AT_abstract_origin, &attr) && !dwarf_attr(&at, DW_AT_specification, &attr))
			break;
		if (!dwarf_formref_die(&attr, &next) || next.addr == at.addr)
			break;
		at = next;
	}
	return at;
}

static const char *string_attr(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attr;

	return dwarf_attr_integrate(die, name, &attr) ? dwarf_formstring(&attr) : NULL;
}

static const char *linkage_name(Dwarf_Die *die)
{
	const char *name = string_attr(die, DW_AT_linkage_name);

	return name ? name : string_attr(die, DW_AT_MIPS_linkage_name);
}

static bool has_scoped_names(Dwarf_Die *die)
{
	Dwarf_Die unit;

	if (!dwarf_diecu(die, &unit, NULL, NULL))
		return false;
	switch (dwarf_srclang(&unit)) {
	case DW_LANG_C:
	case DW_LANG_C89:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case -1:
		return false;
	default:
		return true;
	}
}

/* A new scope inside `outer`; without memory its functions seem to be in `outer`. */
static uint32_t scope_add(struct dwarf_names *n, Dwarf_Die *die, uint32_t outer)
{
	const char *name = dwarf_diename(die);

	if (!name && dwarf_tag(die) == DW_TAG_namespace)
		name = "(anonymous namespace)";
	if (!name)
		return outer;
	if (n->scopes_len == n->scopes_cap) {
		size_t cap = n->scopes_cap ? n->scopes_cap * 2 : 64;
		struct dwarf_scope *scopes = cap < UINT32_MAX ? realloc(n->scopes, cap * sizeof(*scopes)) : NULL;

		if (!scopes)
			return outer;
		n->scopes = scopes;
		n->scopes_cap = cap;
	}
	n->scopes[n->scopes_len] = (struct dwarf_scope){ name, outer };
	return (uint32_t)++n->scopes_len;
}

/* libdw finds the scopes of one DIE by walking its whole unit; so they are noted for all functions of it at once. */
static void read_scopes(struct dwarf_names *n, Dwarf_Die *in, uint32_t scope, unsigned depth)
{
	Dwarf_Die die;

	if (depth > DWARF_SCOPE_DEPTH_MAX || dwarf_child(in, &die))
		return;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram && scope && !dwarf_hasattr(&die, DW_AT_linkage_name))
			map_put(&n->scope_of, (uintptr_t)die.addr, scope);
		else if (dwarf_is_scope(tag) && dwarf_haschildren(&die) > 0)
			read_scopes(n, &die, scope_add(n, &die, scope), depth + 1);
	} while (!dwarf_siblingof(&die, &die));
}

static uint32_t scope_of(struct dwarf_names *n, Dwarf_Die *declaration)
{
	uint64_t scope = 0;
	Dwarf_Die unit;
	bool is_new;

	if (!dwarf_diecu(declaration, &unit, NULL, NULL))
		return 0;
	if (map_at(&n->scoped_units, (uintptr_t)unit.addr, &is_new) && is_new)
		read_scopes(n, &unit, 0, 0);
	map_get(&n->scope_of, (uintptr_t)declaration->addr, &scope);
	return (uint32_t)scope;
}

/* "ns::Class::name" from the scopes around the declaration; only for what has no linkage name. */
static char *qualified_name(struct dwarf_names *n, Dwarf_Die *declaration, const char *name)
{
	const char *names[DWARF_SCOPE_DEPTH_MAX];
	uint32_t scope = has_scoped_names(declaration) ? scope_of(n, declaration) : 0;
	struct buf text = { 0 };
	unsigned len = 0;

	for (; scope && len < DWARF_SCOPE_DEPTH_MAX; scope = n->scopes[scope - 1].outer)
		names[len++] = n->scopes[scope - 1].name;
	while (len--)
		buf_printf(&text, "%s::", names[len]);
	buf_add_string(&text, name);
	if (text.failed)
		buf_release(&text);
	return text.data;
}

const char *dwarf_file_name(Dwarf_Die *unit, Dwarf_Word index)
{
	Dwarf_Files *files;
	size_t count;

	if (dwarf_getsrcfiles(unit, &files, &count) || index >= count)
		return NULL;
	return dwarf_filesrc(files, index, NULL, NULL);
}

/* dwarf_decl_file() would do, but it aborts on units whose file table is missing (a .dwo part alone). */
static const char *decl_file(Dwarf_Attribute *attr, const char **dir)
{
	Dwarf_Word index;
	Dwarf_Die unit;

	if (dwarf_formudata(attr, &index) || dwarf_cu_info(attr->cu, NULL, NULL, &unit, NULL, NULL, NULL, NULL))
		return NULL;
	*dir = dwarf_unit_dir(&unit);
	return dwarf_file_name(&unit, index);
}

/* Made once for each DIE that names a function; its bytes are its identity. */
struct dwarf_function *dwarf_names_function(struct dwarf_names *n, Dwarf_Die *die)
{
	Dwarf_Die named = naming_die(die);
	uint64_t key = (uintptr_t)named.addr, known;
	struct dwarf_function *function;
	const char *name;
	Dwarf_Attribute attr;
	Dwarf_Word line;

	if (map_get(&n->functions, key, &known))
		return (struct dwarf_function *)(uintptr_t)known;
	function = calloc(1, sizeof(*function));
	if (!function || map_put(&n->functions, key, (uintptr_t)function)) {
		free(function);
		return NULL;
	}
	function->linkage = linkage_name(&named);
	name = string_attr(&named, DW_AT_name);
	if (name)
		function->name = function->linkage ? strdup(name) : qualified_name(n, &named, name);
	if (dwarf_attr_integrate(die, DW_AT_decl_file, &attr))
		function->decl_file = decl_file(&attr, &function->decl_dir);
	if (dwarf_attr_integrate(die, DW_AT_decl_line, &attr) && !dwarf_formudata(&attr, &line) && line <= UINT32_MAX)
		function->decl_line = (uint32_t)line;
	return function;
}
