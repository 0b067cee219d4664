/* SPDX-License-Identifier: MIT */
#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/symbols/dwarf_data.h"
#include "analyzer/util/map.h"

#define SCOPE_DEPTH_MAX 32
#define MEMBER_DEPTH_MAX 32
#define TYPE_LINKS_MAX 16   /* typedefs and qualifiers in a row */
#define VISITS_MAX 4000000u /* DIEs looked at: files with more give the variables met so far */

struct dwarf_data {
	Dwarf *dwarf;
	bool is_read;
	unsigned visits;
	struct map by_address; /* of the variable -> its index in dies */
	Dwarf_Die *dies;
	size_t len, cap;
};

struct dwarf_data *dwarf_data_new(Dwarf *dwarf)
{
	struct dwarf_data *d = calloc(1, sizeof(*d));

	if (d)
		d->dwarf = dwarf;
	return d;
}

void dwarf_data_free(struct dwarf_data *d)
{
	if (!d)
		return;
	map_release(&d->by_address);
	free(d->dies);
	free(d);
}

/* ---- variables ---- */

/* The fixed address of a variable; false for one on a stack or in a register. */
static bool variable_address(Dwarf_Die *die, Dwarf_Addr *address)
{
	Dwarf_Attribute attr, operand;
	Dwarf_Op *ops;
	size_t len;

	if (!dwarf_attr(die, DW_AT_location, &attr) || dwarf_getlocation(&attr, &ops, &len) || len != 1)
		return false;
	if (ops[0].atom == DW_OP_addr) {
		*address = ops[0].number;
		return true;
	}
	return (ops[0].atom == DW_OP_addrx || ops[0].atom == DW_OP_GNU_addr_index) &&
	       !dwarf_getlocation_attr(&attr, ops, &operand) && !dwarf_formaddr(&operand, address);
}

static void take_variable(struct dwarf_data *d, Dwarf_Die *die)
{
	Dwarf_Addr address;

	if (!variable_address(die, &address))
		return;
	if (d->len == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 64;
		Dwarf_Die *dies = realloc(d->dies, cap * sizeof(*dies));

		if (!dies)
			return;
		d->dies = dies;
		d->cap = cap;
	}
	if (!map_put(&d->by_address, address, d->len))
		d->dies[d->len++] = *die;
}

static void read_variables(struct dwarf_data *d, Dwarf_Die *scope, unsigned depth)
{
	Dwarf_Die die;

	if (depth > SCOPE_DEPTH_MAX || dwarf_child(scope, &die))
		return;
	do {
		if (++d->visits > VISITS_MAX)
			return;
		switch (dwarf_tag(&die)) {
		case DW_TAG_variable:
			take_variable(d, &die);
			break;
		case DW_TAG_namespace:
		case DW_TAG_subprogram:
		case DW_TAG_lexical_block:
			read_variables(d, &die, depth + 1);
			break;
		}
	} while (!dwarf_siblingof(&die, &die));
}

static void read_all(struct dwarf_data *d)
{
	Dwarf_Die die, split;
	Dwarf_CU *cu = NULL;
	uint8_t type;

	d->is_read = true;
	memset(&split, 0, sizeof(split));
	while (!dwarf_get_units(d->dwarf, cu, &cu, NULL, &type, &die, &split)) {
		if (type == DW_UT_skeleton && split.addr)
			read_variables(d, &split, 0);
		else if (type == DW_UT_compile && die.addr)
			read_variables(d, &die, 0);
		memset(&split, 0, sizeof(split));
	}
}

/* ---- members ---- */

/* Types that are a lock to their user, whatever is inside. */
static bool is_lock_type(const char *name)
{
	static const char *const names[] = { "pthread_mutex_t",
					     "pthread_rwlock_t",
					     "pthread_spinlock_t",
					     "pthread_cond_t",
					     "pthread_barrier_t",
					     "pthread_once_t",
					     "sem_t",
					     "mtx_t",
					     "cnd_t",
					     "once_flag",
					     "mutex",
					     "recursive_mutex",
					     "timed_mutex",
					     "shared_mutex",
					     "recursive_timed_mutex",
					     "shared_timed_mutex",
					     "condition_variable" };

	for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* The type of a variable, member or element without typedefs and qualifiers; *is_lock if one of them is a lock's. */
static bool type_of(Dwarf_Die *die, Dwarf_Die *type, bool *is_lock)
{
	Dwarf_Die at = *die, next;
	Dwarf_Attribute attr;

	*is_lock = false;
	for (unsigned i = 0; i < TYPE_LINKS_MAX; i++) {
		if (!dwarf_attr_integrate(&at, DW_AT_type, &attr) || !dwarf_formref_die(&attr, &next))
			return false;
		*is_lock |= is_lock_type(dwarf_diename(&next));
		switch (dwarf_tag(&next)) {
		case DW_TAG_typedef:
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_atomic_type:
			at = next;
			continue;
		}
		*type = next;
		return true;
	}
	return false;
}

static bool member_place(Dwarf_Die *member, uint64_t *offset, uint64_t *size)
{
	Dwarf_Attribute attr;
	Dwarf_Word value = 0;
	Dwarf_Die type;
	bool is_lock;

	if (dwarf_attr(member, DW_AT_data_member_location, &attr) && dwarf_formudata(&attr, &value))
		return false;
	*offset = value;
	if (!type_of(member, &type, &is_lock) || dwarf_aggregate_size(&type, &value))
		return false;
	*size = value;
	return true;
}

/* The member (or base class) of a structure around *offset, which becomes the offset inside it. */
static bool find_member(Dwarf_Die *type, uint64_t *offset, Dwarf_Die *member)
{
	uint64_t start, size;

	if (dwarf_child(type, member))
		return false;
	do {
		int tag = dwarf_tag(member);

		if (tag != DW_TAG_member && tag != DW_TAG_inheritance)
			continue;
		if (member_place(member, &start, &size) && *offset >= start && *offset - start < size) {
			*offset -= start;
			return true;
		}
	} while (!dwarf_siblingof(member, member));
	return false;
}

/* Go one step into the type around *offset. False when there is nothing to go into. */
static bool step(Dwarf_Die *type, uint64_t *offset, bool *is_lock, struct buf *out)
{
	Dwarf_Die inner;
	Dwarf_Word size;
	const char *name;

	switch (dwarf_tag(type)) {
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		if (!find_member(type, offset, &inner))
			return false;
		name = dwarf_tag(&inner) == DW_TAG_member ? dwarf_diename(&inner) : NULL;
		if (name)
			buf_printf(out, ".%s", name);
		return type_of(&inner, type, is_lock);
	case DW_TAG_array_type:
		inner = *type;
		if (!type_of(&inner, type, is_lock) || dwarf_aggregate_size(type, &size) || !size)
			return false;
		buf_printf(out, "[%llu]", (unsigned long long)(*offset / size));
		*offset %= size;
		return true;
	default:
		return false;
	}
}

int dwarf_data_member(struct dwarf_data *d, uint64_t variable, uint64_t offset, struct buf *out)
{
	size_t before = out->len;
	Dwarf_Die type;
	uint64_t at;
	bool is_lock;

	if (!d->is_read)
		read_all(d);
	if (!map_get(&d->by_address, variable, &at) || !type_of(&d->dies[at], &type, &is_lock))
		return -ENOENT;
	for (unsigned i = 0; i < MEMBER_DEPTH_MAX && !is_lock && step(&type, &offset, &is_lock, out); i++)
		;
	if (!offset && !out->failed)
		return 0;
	out->len = before;
	if (out->data)
		out->data[before] = '\0';
	return -ENOENT;
}
