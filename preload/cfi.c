// SPDX-License-Identifier: MIT
/*
 * cfi.c - reading .eh_frame_hdr and .eh_frame, see cfi.h.
 *
 * Every read goes through a cursor that ends at the module's end: damaged tables give RULE_NO_INFO.
 */
#include "preload/cfi.h"

#include <errno.h>

#define FDES_MAX 100000 /* looked at in an object without a search table */

/* DWARF exception header encodings. */
enum {
	PE_ABSPTR = 0x00,
	PE_ULEB128 = 0x01,
	PE_UDATA2 = 0x02,
	PE_UDATA4 = 0x03,
	PE_UDATA8 = 0x04,
	PE_SLEB128 = 0x09,
	PE_SDATA2 = 0x0a,
	PE_SDATA4 = 0x0b,
	PE_SDATA8 = 0x0c,
	PE_PCREL = 0x10,
	PE_DATAREL = 0x30,
	PE_OMIT = 0xff,
};

/* ---- bytes ------------------------------------------------------------------------------------------------ */

static void spoil(struct cfi_cursor *c)
{
	c->p = c->end = NULL;
}

static const uint8_t *take(struct cfi_cursor *c, size_t size)
{
	const uint8_t *p = c->p;

	if (size > (size_t)(c->end - c->p)) {
		spoil(c);
		return NULL;
	}
	c->p += size;
	return p;
}

static uint64_t read_fixed(struct cfi_cursor *c, unsigned size)
{
	const uint8_t *p = take(c, size);
	uint64_t value = 0;

	for (unsigned i = 0; p && i < size; i++)
		value |= (uint64_t)p[i] << 8 * i;
	return value;
}

static int64_t read_signed(struct cfi_cursor *c, unsigned size)
{
	return (int64_t)(read_fixed(c, size) << (64 - 8 * size)) >> (64 - 8 * size);
}

static uint64_t read_uleb(struct cfi_cursor *c)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint64_t byte;

	do {
		byte = read_fixed(c, 1);
		if (shift < 64)
			value |= (byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return value;
}

static int64_t read_sleb(struct cfi_cursor *c)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint64_t byte;

	do {
		byte = read_fixed(c, 1);
		if (shift < 64)
			value |= (byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (shift < 64 && byte & 0x40)
		value |= ~UINT64_C(0) << shift;
	return (int64_t)value;
}

static uint64_t read_format(struct cfi_cursor *c, uint8_t encoding)
{
	switch (encoding & 0x0f) {
	case PE_ABSPTR:
	case PE_UDATA8:
	case PE_SDATA8:
		return read_fixed(c, 8);
	case PE_ULEB128:
		return read_uleb(c);
	case PE_SLEB128:
		return (uint64_t)read_sleb(c);
	case PE_UDATA2:
		return read_fixed(c, 2);
	case PE_SDATA2:
		return (uint64_t)read_signed(c, 2);
	case PE_UDATA4:
		return read_fixed(c, 4);
	case PE_SDATA4:
		return (uint64_t)read_signed(c, 4);
	}
	spoil(c);
	return 0;
}

/* An address as .eh_frame writes it. datarel: what DW_EH_PE_datarel counts from. */
static uintptr_t read_pointer(struct cfi_cursor *c, uint8_t encoding, const uint8_t *datarel)
{
	const uint8_t *here = c->p;
	uintptr_t value = (uintptr_t)read_format(c, encoding);

	switch (encoding & 0xf0) {
	case 0:
		return value;
	case PE_PCREL:
		return value + (uintptr_t)here;
	case PE_DATAREL:
		return value + (uintptr_t)datarel;
	}
	spoil(c);
	return 0;
}

static struct cfi_cursor cursor_at(const struct module *m, uintptr_t at)
{
	if (at < m->start || at >= m->end)
		return (struct cfi_cursor){ NULL, NULL };
	return (struct cfi_cursor){ .p = (const uint8_t *)at, .end = (const uint8_t *)m->end };
}

/* ---- from an address to its FDE --------------------------------------------------------------------------- */

/* The length field: *c is cut to the entry. false at the terminator and on damage. */
static bool enter_entry(struct cfi_cursor *c)
{
	uint64_t length = read_fixed(c, 4);

	if (length == 0xffffffff)
		length = read_fixed(c, 8);
	if (!c->p || length == 0 || length > (uint64_t)(c->end - c->p))
		return false;
	c->end = c->p + length;
	return true;
}

static bool read_augmentation(struct cfi_cursor *c, const char *text, struct cfi_fde *fde)
{
	struct cfi_cursor data;
	uint64_t size;

	if (*text == '\0')
		return true;
	if (*text++ != 'z')
		return false;
	fde->has_augmentation_size = true;
	size = read_uleb(c);
	data.p = take(c, size);
	data.end = c->p;
	if (!data.p)
		return false;
	for (; *text; text++) {
		if (*text == 'R')
			fde->pointer_encoding = (uint8_t)read_fixed(&data, 1);
		else if (*text == 'L')
			read_fixed(&data, 1);
		else if (*text == 'P')
			read_format(&data, (uint8_t)read_fixed(&data, 1));
		else if (*text == 'S')
			fde->is_signal_frame = true;
		else
			break; /* what follows is unknown, but its size is not */
	}
	return data.p != NULL;
}

static bool read_cie(struct cfi_cursor c, struct cfi_fde *fde)
{
	const char *text;
	uint64_t version;

	if (!enter_entry(&c) || read_fixed(&c, 4) != 0)
		return false;
	version = read_fixed(&c, 1);
	if (version != 1 && version != 3)
		return false;
	text = (const char *)c.p;
	while (read_fixed(&c, 1))
		;
	fde->code_align = read_uleb(&c);
	fde->data_align = read_sleb(&c);
	fde->ra_register = version == 1 ? read_fixed(&c, 1) : read_uleb(&c);
	if (!c.p || !read_augmentation(&c, text, fde))
		return false;
	fde->initial = c;
	return true;
}

static bool read_fde(const struct module *m, struct cfi_cursor c, struct cfi_fde *fde)
{
	const uint8_t *id_at;
	uint64_t id;

	*fde = (struct cfi_fde){ 0 };
	if (!enter_entry(&c))
		return false;
	id_at = c.p;
	id = read_fixed(&c, 4);
	if (id == 0 || !read_cie(cursor_at(m, (uintptr_t)id_at - id), fde))
		return false;
	fde->begin = read_pointer(&c, fde->pointer_encoding, NULL);
	fde->size = (uintptr_t)read_format(&c, fde->pointer_encoding);
	if (fde->has_augmentation_size)
		take(&c, read_uleb(&c));
	fde->code = c;
	return c.p != NULL;
}

/* The search table of .eh_frame_hdr: pairs (code, FDE) of 32-bit offsets from its start, sorted. */
static uintptr_t search_table(const struct module *m, const struct cfi_cursor *table, uint64_t count, uintptr_t pc)
{
	const int32_t(*pair)[2] = (const void *)table->p;
	int64_t want = (int64_t)(pc - (uintptr_t)m->eh_frame_hdr);
	uint64_t low = 0, high = count;

	if (count > (size_t)(table->end - table->p) / sizeof(pair[0]))
		return 0;
	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (pair[mid][0] <= want)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? (uintptr_t)m->eh_frame_hdr + (uintptr_t)(intptr_t)pair[low - 1][1] : 0;
}

static bool covers(const struct cfi_fde *fde, uintptr_t pc)
{
	return pc - fde->begin < fde->size;
}

static bool scan(const struct module *m, struct cfi_cursor c, uintptr_t pc, struct cfi_fde *fde)
{
	for (unsigned i = 0; i < FDES_MAX; i++) {
		struct cfi_cursor entry = c;

		if (!enter_entry(&entry))
			return false;
		if (read_fde(m, c, fde) && covers(fde, pc))
			return true;
		c.p = entry.end;
	}
	return false;
}

static __attribute__((noinline)) bool find_fde(const struct module *m, uintptr_t pc, struct cfi_fde *fde)
{
	struct cfi_cursor c = cursor_at(m, (uintptr_t)m->eh_frame_hdr);
	const uint8_t *head = take(&c, 4);
	uintptr_t eh_frame;
	uint64_t count = 0;

	if (!head || head[0] != 1)
		return false;
	eh_frame = read_pointer(&c, head[1], head);
	if (head[2] != PE_OMIT)
		count = read_format(&c, head[2]);
	if (!c.p)
		return false;
	if (count && head[3] == (PE_DATAREL | PE_SDATA4))
		return read_fde(m, cursor_at(m, search_table(m, &c, count, pc)), fde) && covers(fde, pc);
	return scan(m, cursor_at(m, eh_frame), pc, fde);
}

/* ---- expressions ------------------------------------------------------------------------------------------ */

static const struct cfi_value unknown = { .base = CFI_UNKNOWN };

static struct cfi_value value_of(enum cfi_base base, int64_t offset)
{
	if (offset != (int32_t)offset)
		return unknown;
	return (struct cfi_value){ .base = (uint8_t)base, .offset = (int32_t)offset };
}

static struct cfi_value value_of_register(uint64_t reg, int64_t offset)
{
	struct cfi_value v = value_of(reg < ARCH_REGISTERS ? CFI_REG : CFI_UNKNOWN, offset);

	v.reg = (uint8_t)reg;
	return v;
}

static struct cfi_value deref(struct cfi_value v)
{
	if (v.base != CFI_REG || v.offset != (int16_t)v.offset)
		return unknown;
	return (struct cfi_value){ .base = CFI_AT_REG, .reg = v.reg, .inner = (int16_t)v.offset };
}

static struct cfi_value add(struct cfi_value a, struct cfi_value b)
{
	if (b.base != CFI_CONST) {
		struct cfi_value t = a;

		a = b;
		b = t;
	}
	if (b.base != CFI_CONST || a.base == CFI_UNKNOWN || a.base >= CFI_IN_REG)
		return unknown;
	if ((int64_t)a.offset + b.offset != (int32_t)((int64_t)a.offset + b.offset))
		return unknown;
	a.offset += b.offset;
	return a;
}

static void push(struct cfi_work *w, struct cfi_value v)
{
	/* Too deep: what is lost makes the result unknown, see evaluate(). */
	if (w->stack_len < CFI_STACK_MAX)
		w->stack[w->stack_len] = v;
	w->stack_len++;
}

static struct cfi_value pop(struct cfi_work *w)
{
	if (w->stack_len == 0 || w->stack_len > CFI_STACK_MAX)
		return unknown;
	return w->stack[--w->stack_len];
}

/* Addresses don't fit a value's 32 bits: the only use we know of an ip is its low bits (PLT stubs). */
static int64_t low_bits(uintptr_t pc)
{
	return (int64_t)(pc & 0xfff);
}

static struct cfi_value binary(uint8_t op, struct cfi_value a, struct cfi_value b)
{
	int64_t x = a.offset, y = b.offset;

	if (op == 0x22 /* plus */)
		return add(a, b);
	if (b.base != CFI_CONST)
		return unknown;
	if (op == 0x1c /* minus */)
		return y == INT32_MIN ? unknown : add(a, value_of(CFI_CONST, -y));
	if (a.base != CFI_CONST)
		return unknown;
	switch (op) {
	case 0x1a: /* and */
		return value_of(CFI_CONST, x & y);
	case 0x21: /* or */
		return value_of(CFI_CONST, x | y);
	case 0x1e: /* mul */
		return value_of(CFI_CONST, x * y);
	case 0x24: /* shl */
		return y < 0 || y > 31 ? unknown : value_of(CFI_CONST, (int64_t)((uint64_t)x << y));
	case 0x25: /* shr */
		return y < 0 || y > 31 || x < 0 ? unknown : value_of(CFI_CONST, x >> y);
	case 0x29: /* eq */
		return value_of(CFI_CONST, x == y);
	case 0x2a: /* ge */
		return value_of(CFI_CONST, x >= y);
	case 0x2b: /* gt */
		return value_of(CFI_CONST, x > y);
	case 0x2c: /* le */
		return value_of(CFI_CONST, x <= y);
	case 0x2d: /* lt */
		return value_of(CFI_CONST, x < y);
	case 0x2e: /* ne */
		return value_of(CFI_CONST, x != y);
	}
	return unknown;
}

static void push_constant(struct cfi_work *w, struct cfi_cursor *c, uint8_t op)
{
	static const uint8_t sizes[] = { 1, 1, 2, 2, 4, 4, 8, 8 };

	if (op == 0x10)
		push(w, value_of(CFI_CONST, (int64_t)read_uleb(c)));
	else if (op == 0x11)
		push(w, value_of(CFI_CONST, read_sleb(c)));
	else if (op & 1)
		push(w, value_of(CFI_CONST, read_signed(c, sizes[op - 8])));
	else
		push(w, value_of(CFI_CONST, (int64_t)read_fixed(c, sizes[op - 8])));
}

static void push_register(struct cfi_work *w, uint64_t reg, int64_t offset, uintptr_t pc)
{
	if (reg == ARCH_DWARF_RA)
		push(w, value_of(CFI_CONST, low_bits(pc) + offset));
	else
		push(w, value_of_register(reg, offset));
}

/* One operation. false: one that we don't know. */
static bool evaluate_one(struct cfi_work *w, struct cfi_cursor *c, uint8_t op, uintptr_t pc)
{
	struct cfi_value a, b;

	if (op >= 0x30 && op <= 0x4f) { /* lit0.. */
		push(w, value_of(CFI_CONST, op - 0x30));
	} else if (op >= 0x70 && op <= 0x8f) { /* breg0.. */
		push_register(w, op - 0x70u, read_sleb(c), pc);
	} else if (op >= 0x08 && op <= 0x11) {
		push_constant(w, c, op);
	} else if (op == 0x06) { /* deref */
		push(w, deref(pop(w)));
	} else if (op == 0x12) { /* dup */
		a = pop(w);
		push(w, a);
		push(w, a);
	} else if (op == 0x13) { /* drop */
		pop(w);
	} else if (op == 0x16) { /* swap */
		b = pop(w);
		a = pop(w);
		push(w, b);
		push(w, a);
	} else if (op == 0x23) { /* plus_uconst */
		a = pop(w);
		push(w, add(a, value_of(CFI_CONST, (int64_t)read_uleb(c))));
	} else if (op == 0x96) { /* nop */
	} else if (op >= 0x1a && op <= 0x2e) {
		b = pop(w);
		a = pop(w);
		push(w, binary(op, a, b));
	} else {
		return false;
	}
	return true;
}

/* A block of DW_OP_*: the value on top in the end. from: what is on the stack at the start, or NULL. */
static struct cfi_value evaluate(struct cfi_work *w, struct cfi_cursor *c, const struct cfi_value *from, uintptr_t pc)
{
	size_t size = read_uleb(c);
	struct cfi_cursor block = *c;

	if (!take(c, size))
		return unknown;
	block.end = c->p;
	w->stack_len = 0;
	if (from)
		push(w, *from);
	while (block.p < block.end)
		if (!evaluate_one(w, &block, (uint8_t)read_fixed(&block, 1), pc))
			return unknown;
	return block.p ? pop(w) : unknown;
}

/* ---- rows ------------------------------------------------------------------------------------------------- */

/* Where the rule of a register is kept, NULL for those that we don't follow. */
static struct cfi_value *followed(struct cfi_row *row, const struct cfi_fde *fde, uint64_t reg)
{
	if (reg == fde->ra_register)
		return &row->saved[ARCH_RA];
	for (unsigned i = 0; i < ARCH_FOLLOWED; i++)
		if (arch_followed[i] == reg)
			return &row->saved[i];
	return NULL;
}

static void set(struct cfi_work *w, const struct cfi_fde *fde, uint64_t reg, struct cfi_value v)
{
	struct cfi_value *at = followed(&w->row, fde, reg);

	if (at)
		*at = v;
}

static void restore(struct cfi_work *w, const struct cfi_fde *fde, uint64_t reg)
{
	struct cfi_value *from = followed(&w->initial, fde, reg);

	if (from)
		set(w, fde, reg, *from);
}

static void remember(struct cfi_work *w)
{
	if (w->remembered_len < CFI_REMEMBER_MAX)
		w->remembered[w->remembered_len] = w->row;
	w->remembered_len++;
}

static bool recall(struct cfi_work *w)
{
	if (w->remembered_len == 0 || w->remembered_len > CFI_REMEMBER_MAX)
		return false;
	w->row = w->remembered[--w->remembered_len];
	return true;
}

/* The instructions with an opcode byte of their own, but for advances. false: unknown. */
static bool run_extended(struct cfi_work *w, struct cfi_cursor *c, const struct cfi_fde *fde, uint8_t op, uintptr_t pc)
{
	static const struct cfi_value cfa = { .base = CFI_CFA };
	struct cfi_value moved = { .base = CFI_IN_REG };
	uint64_t reg;

	switch (op) {
	case 0x00: /* nop */
		return true;
	case 0x05: /* offset_extended */
		reg = read_uleb(c);
		set(w, fde, reg, value_of(CFI_CFA, (int64_t)read_uleb(c) * fde->data_align));
		return true;
	case 0x06: /* restore_extended */
		restore(w, fde, read_uleb(c));
		return true;
	case 0x07: /* undefined */
		set(w, fde, read_uleb(c), value_of(CFI_UNDEFINED, 0));
		return true;
	case 0x08: /* same_value */
		set(w, fde, read_uleb(c), value_of(CFI_SAME, 0));
		return true;
	case 0x09: /* register */
		reg = read_uleb(c);
		moved.reg = (uint8_t)read_uleb(c);
		set(w, fde, reg, moved);
		return true;
	case 0x0a: /* remember_state */
		remember(w);
		return true;
	case 0x0b: /* restore_state */
		return recall(w);
	case 0x0c: /* def_cfa */
		reg = read_uleb(c);
		w->row.cfa = value_of_register(reg, (int64_t)read_uleb(c));
		return true;
	case 0x0d: /* def_cfa_register */
		w->row.cfa = value_of_register(read_uleb(c), w->row.cfa.offset);
		return true;
	case 0x0e: /* def_cfa_offset */
		w->row.cfa.offset = (int32_t)read_uleb(c);
		return true;
	case 0x0f: /* def_cfa_expression */
		w->row.cfa = evaluate(w, c, NULL, pc);
		return true;
	case 0x10: /* expression: the register was saved at its value */
		reg = read_uleb(c);
		set(w, fde, reg, evaluate(w, c, &cfa, pc));
		return true;
	case 0x11: /* offset_extended_sf */
		reg = read_uleb(c);
		set(w, fde, reg, value_of(CFI_CFA, read_sleb(c) * fde->data_align));
		return true;
	case 0x12: /* def_cfa_sf */
		reg = read_uleb(c);
		w->row.cfa = value_of_register(reg, read_sleb(c) * fde->data_align);
		return true;
	case 0x13: /* def_cfa_offset_sf */
		w->row.cfa.offset = (int32_t)(read_sleb(c) * fde->data_align);
		return true;
	case 0x14: /* val_offset */
	case 0x15: /* val_offset_sf */
		reg = read_uleb(c);
		read_uleb(c);
		set(w, fde, reg, unknown);
		return true;
	case 0x16: /* val_expression */
		reg = read_uleb(c);
		take(c, read_uleb(c));
		set(w, fde, reg, unknown);
		return true;
	case 0x2e: /* GNU_args_size */
		read_uleb(c);
		return true;
	case 0x2f: /* GNU_negative_offset_extended */
		reg = read_uleb(c);
		set(w, fde, reg, value_of(CFI_CFA, -(int64_t)read_uleb(c) * fde->data_align));
		return true;
	}
	return false;
}

/* How far the location moves, or -1 when the instruction is no advance. */
static int64_t advance(struct cfi_cursor *c, uint8_t op, const struct cfi_fde *fde, uintptr_t location)
{
	if (op >> 6 == 1)
		return (int64_t)((op & 0x3fu) * fde->code_align);
	switch (op) {
	case 0x01: /* set_loc */
		return (int64_t)(read_pointer(c, fde->pointer_encoding, NULL) - location);
	case 0x02:
		return (int64_t)(read_fixed(c, 1) * fde->code_align);
	case 0x03:
		return (int64_t)(read_fixed(c, 2) * fde->code_align);
	case 0x04:
		return (int64_t)(read_fixed(c, 4) * fde->code_align);
	}
	return -1;
}

/* Run instructions until the row for pc is complete. */
static bool run(struct cfi_work *w, struct cfi_cursor *c, uintptr_t pc)
{
	const struct cfi_fde *fde = &w->fde;
	uintptr_t location = fde->begin;

	while (c->p < c->end) {
		uint8_t op = (uint8_t)read_fixed(c, 1);
		int64_t moved = advance(c, op, fde, location);

		if (moved >= 0) {
			location += (uintptr_t)moved;
			if (location > pc)
				return c->p != NULL;
		} else if (op >> 6 == 2) { /* offset */
			set(w, fde, op & 0x3f, value_of(CFI_CFA, (int64_t)read_uleb(c) * fde->data_align));
		} else if (op >> 6 == 3) { /* restore */
			restore(w, fde, op & 0x3f);
		} else if (!run_extended(w, c, fde, op, pc)) {
			return false;
		}
	}
	return c->p != NULL;
}

int cfi_row(const struct module *module, uintptr_t pc, struct cfi_work *w)
{
	if (!module->eh_frame_hdr || !find_fde(module, pc, &w->fde))
		return -ENOENT;
	w->row.cfa = unknown;
	for (unsigned i = 0; i < ARCH_FOLLOWED; i++)
		w->row.saved[i] = value_of(CFI_SAME, 0);
	w->remembered_len = 0;
	/* The CIE's instructions hold for the whole function: no location ends them. */
	if (!run(w, &w->fde.initial, UINTPTR_MAX))
		return -ENOTSUP;
	w->initial = w->row;
	return run(w, &w->fde.code, pc) ? 0 : -ENOTSUP;
}

/* The kind of rule that finds a CFA; RULE_COMPLEX when it takes more than sp and bp. */
static enum rule_kind kind_of_cfa(struct cfi_value cfa)
{
	bool is_sp = cfa.reg == ARCH_DWARF_SP;

	if ((cfa.base != CFI_REG && cfa.base != CFI_AT_REG) || (!is_sp && cfa.reg != ARCH_DWARF_BP))
		return RULE_COMPLEX;
	if (cfa.base == CFI_REG)
		return is_sp ? RULE_SP : RULE_BP;
	return is_sp ? RULE_AT_SP : RULE_AT_BP;
}

static enum rule_bp kind_of_bp(struct cfi_value bp)
{
	if (bp.base == CFI_SAME || bp.base == CFI_UNDEFINED)
		return RULE_BP_SAME;
	if (bp.base == CFI_CFA)
		return RULE_BP_AT_CFA;
	return bp.base == CFI_REG && bp.reg == ARCH_DWARF_BP ? RULE_BP_AT_BP : RULE_BP_LOST;
}

static struct rule rule_of_row(const struct cfi_row *row)
{
	struct cfi_value ra = row->saved[ARCH_RA], bp = row->saved[ARCH_BP];
	enum rule_kind kind = kind_of_cfa(row->cfa);
	enum rule_bp bp_kind = kind_of_bp(bp);

	if (ra.base == CFI_UNDEFINED)
		return (struct rule){ RULE_END };
	if (kind == RULE_COMPLEX || row->saved[ARCH_SP].base != CFI_SAME || ra.base != CFI_CFA ||
	    ra.offset != ARCH_RA_OFFSET)
		return (struct rule){ RULE_COMPLEX };
	return rule_make(kind, row->cfa.offset, row->cfa.inner, bp_kind,
			 bp_kind == RULE_BP_AT_CFA || bp_kind == RULE_BP_AT_BP ? bp.offset : 0);
}

struct rule cfi_rule(const struct module *module, uintptr_t pc, struct cfi_work *w)
{
	int ret = cfi_row(module, pc, w);

	if (ret == -ENOENT)
		return (struct rule){ RULE_NO_INFO };
	if (w->fde.is_signal_frame)
		return (struct rule){ RULE_SIGNAL };
	return ret ? (struct rule){ RULE_COMPLEX } : rule_of_row(&w->row);
}
