/* SPDX-License-Identifier: MIT */
#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/dwarf_index.h"

#define RANGES_MAX 100000u /* ranges of one DIE; a loop in a broken list ends here */

struct range {
	uint64_t start, end;
	uint64_t what; /* index of the unit, or of the function's DIE */
};

struct range_list {
	struct range *list;
	size_t len, cap;
	uint64_t widest;
};

struct unit {
	Dwarf_Die die; /* the one with the code: of a skeleton unit its .dwo part */
	Dwarf_Die line_die;
	const char *dir;
	bool is_read, is_deep;
	struct range_list functions;
	Dwarf_Die *dies; /* range.what indexes these */
	size_t dies_len, dies_cap;
};

struct dwarf_index {
	Dwarf *dwarf;
	struct unit *units;
	size_t units_len, units_cap;
	struct range_list ranges;
	struct dwarf_names names;
};

/* ---- sorted ranges ---- */

static int range_add(struct range_list *l, uint64_t start, uint64_t end, uint64_t what)
{
	if (start >= end)
		return 0;
	if (l->len == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct range *list = realloc(l->list, cap * sizeof(*list));

		if (!list)
			return -ENOMEM;
		l->list = list;
		l->cap = cap;
	}
	l->list[l->len++] = (struct range){ start, end, what };
	if (end - start > l->widest)
		l->widest = end - start;
	return 0;
}

static int compare_ranges(const void *pa, const void *pb)
{
	const struct range *a = pa, *b = pb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->end > b->end ? -1 : a->end < b->end;
}

static void ranges_sort(struct range_list *l)
{
	if (l->len)
		qsort(l->list, l->len, sizeof(*l->list), compare_ranges);
}

/* The range that starts nearest before `address` and reaches it; ranges of broken input may overlap, so the search is
 * bounded. */
static const struct range *range_find(const struct range_list *l, uint64_t address)
{
	size_t low = 0, high = l->len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->list[mid].start <= address)
			low = mid + 1;
		else
			high = mid;
	}
	for (size_t i = low; i-- > 0 && low - i < 64 && address - l->list[i].start < l->widest;)
		if (address < l->list[i].end)
			return &l->list[i];
	return NULL;
}

/* All ranges of a DIE. True if it has any. */
static bool add_die_ranges(struct range_list *l, Dwarf_Die *die, uint64_t what)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;
	bool any = false;

	for (unsigned i = 0; i < RANGES_MAX && (at = dwarf_ranges(die, at, &base, &start, &end)) > 0; i++) {
		/* Code the linker removed is left at address 0. */
		if (!start || start >= end)
			continue;
		if (range_add(l, start, end, what))
			break;
		any = true;
	}
	return any;
}

/* ---- units ---- */

static int unit_add(struct dwarf_index *x, Dwarf_Die *die, Dwarf_Die *split)
{
	struct unit *unit;

	if (x->units_len == x->units_cap) {
		size_t cap = x->units_cap ? x->units_cap * 2 : 32;
		struct unit *units = realloc(x->units, cap * sizeof(*units));

		if (!units)
			return -ENOMEM;
		x->units = units;
		x->units_cap = cap;
	}
	if (!add_die_ranges(&x->ranges, die, x->units_len))
		return 0;
	unit = &x->units[x->units_len++];
	memset(unit, 0, sizeof(*unit));
	unit->line_die = *die;
	unit->die = split->addr ? *split : *die;
	unit->dir = dwarf_unit_dir(die);
	return 0;
}

struct dwarf_index *dwarf_index_new(Dwarf *dwarf)
{
	struct dwarf_index *x = calloc(1, sizeof(*x));
	Dwarf_CU *cu = NULL;
	Dwarf_Die die, split;
	Dwarf_Half version;
	uint8_t type;

	if (!x)
		return NULL;
	x->dwarf = dwarf;
	memset(&split, 0, sizeof(split));
	while (!dwarf_get_units(dwarf, cu, &cu, &version, &type, &die, &split)) {
		if (type != DW_UT_type && type != DW_UT_partial && die.addr && unit_add(x, &die, &split))
			break;
		memset(&split, 0, sizeof(split));
	}
	ranges_sort(&x->ranges);
	return x;
}

void dwarf_index_free(struct dwarf_index *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->units_len; i++) {
		free(x->units[i].functions.list);
		free(x->units[i].dies);
	}
	dwarf_names_release(&x->names);
	free(x->units);
	free(x->ranges.list);
	free(x);
}

/* ---- functions of a unit ---- */

static void take_function(struct unit *unit, Dwarf_Die *die)
{
	if (unit->dies_len == unit->dies_cap) {
		size_t cap = unit->dies_cap ? unit->dies_cap * 2 : 64;
		Dwarf_Die *dies = realloc(unit->dies, cap * sizeof(*dies));

		if (!dies)
			return;
		unit->dies = dies;
		unit->dies_cap = cap;
	}
	if (add_die_ranges(&unit->functions, die, unit->dies_len))
		unit->dies[unit->dies_len++] = *die;
}

/*
 * Most functions stand in the unit itself, in namespaces, or (Rust) in types. Lambdas and the methods of local
 * classes stand inside other functions, where looking is dear: is_deep looks only there.
 */
static void take_scope(struct unit *unit, Dwarf_Die *scope, bool is_deep, bool is_local, unsigned depth)
{
	Dwarf_Die die;

	if (depth > DWARF_SCOPE_DEPTH_MAX || dwarf_child(scope, &die))
		return;
	do {
		int tag = dwarf_tag(&die);
		bool is_function = tag == DW_TAG_subprogram;

		if (is_function && is_deep == is_local)
			take_function(unit, &die);
		if (dwarf_is_scope(tag) || (is_deep && (is_function || tag == DW_TAG_lexical_block)))
			take_scope(unit, &die, is_deep, is_local || is_function, depth + 1);
	} while (!dwarf_siblingof(&die, &die));
}

static void unit_read(struct unit *unit, bool is_deep)
{
	take_scope(unit, &unit->die, is_deep, false, 0);
	ranges_sort(&unit->functions);
}

static const struct range *find_function(struct unit *unit, uint64_t address)
{
	const struct range *range;

	if (!unit->is_read)
		unit_read(unit, false);
	unit->is_read = true;
	range = range_find(&unit->functions, address);
	if (range || unit->is_deep)
		return range;
	unit->is_deep = true;
	unit_read(unit, true);
	return range_find(&unit->functions, address);
}

/* ---- lookup ---- */

/* The child of `scope` that has code at `address`: a block or an inlined call. */
static bool enclosing_child(Dwarf_Die *scope, uint64_t address, Dwarf_Die *child)
{
	if (dwarf_child(scope, child))
		return false;
	do {
		switch (dwarf_tag(child)) {
		case DW_TAG_inlined_subroutine:
		case DW_TAG_lexical_block:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
			if (dwarf_haspc(child, address) > 0)
				return true;
		}
	} while (!dwarf_siblingof(child, child));
	return false;
}

static uint32_t number_attr(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attr) || dwarf_formudata(&attr, &value) || value > UINT32_MAX)
		return 0;
	return (uint32_t)value;
}

static void fill_line(struct unit *unit, uint64_t address, struct dwarf_frame *frame)
{
	Dwarf_Line *line = dwarf_getsrc_die(&unit->line_die, address);
	int number;

	if (!line)
		return;
	frame->file = dwarf_linesrc(line, NULL, NULL);
	if (!dwarf_lineno(line, &number) && number > 0)
		frame->line = (uint32_t)number;
}

/* From the function inwards; dies[0] is the function, the others are inlined calls. */
static size_t collect(Dwarf_Die *function, uint64_t address, Dwarf_Die dies[DWARF_CHAIN_MAX])
{
	Dwarf_Die at = *function, child;
	size_t len = 1;

	dies[0] = *function;
	for (unsigned depth = 0; depth < DWARF_CHAIN_MAX * 4 && enclosing_child(&at, address, &child); depth++) {
		if (dwarf_tag(&child) == DW_TAG_inlined_subroutine && len < DWARF_CHAIN_MAX)
			dies[len++] = child;
		at = child;
	}
	return len;
}

size_t dwarf_index_lookup(struct dwarf_index *x, uint64_t address, struct dwarf_frame frames[DWARF_CHAIN_MAX])
{
	const struct range *range = range_find(&x->ranges, address), *function;
	Dwarf_Die dies[DWARF_CHAIN_MAX];
	struct unit *unit;
	size_t len;

	if (!range)
		return 0;
	unit = &x->units[range->what];
	function = find_function(unit, address);
	memset(&frames[0], 0, sizeof(frames[0]));
	frames[0].dir = unit->dir;
	fill_line(unit, address, &frames[0]);
	if (!function)
		return 1;
	len = collect(&unit->dies[function->what], address, dies);
	for (size_t i = 0; i < len; i++) {
		Dwarf_Die *die = &dies[len - 1 - i];

		frames[i].function = dwarf_names_function(&x->names, die);
		frames[i].inlined = i + 1 < len;
		frames[i].start = 0;
		if (!frames[i].inlined)
			break;
		frames[i + 1] = (struct dwarf_frame){ .dir = unit->dir };
		frames[i + 1].file = dwarf_file_name(&unit->line_die, number_attr(die, DW_AT_call_file));
		frames[i + 1].line = number_attr(die, DW_AT_call_line);
	}
	frames[len - 1].start = function->start;
	return len;
}
