// SPDX-License-Identifier: MIT
/* replay.c - see replay.h. */
#include "preload/replay.h"

#include "preload/unwind.h"

#define STEPS_MAX (RSD_DEPTH_MAX + 64) /* own frames come first */

static bool is_known(const struct replay *r, unsigned reg)
{
	return reg < ARCH_REGISTERS && r->known >> reg & 1;
}

static bool load_context(struct unwind *u, struct replay *r, uintptr_t context)
{
	for (unsigned i = 0; i < ARCH_REGISTERS; i++)
		if (!unwind_peek(u, context + arch_uc_offset[i], &r->reg[i]))
			return false;
	r->known = (1u << ARCH_REGISTERS) - 1;
	return true;
}

/* Where CFI says that a register was saved; 0 when it wasn't or that can't be known. */
static uintptr_t place_of(const struct replay *r, struct cfi_value v, uintptr_t cfa)
{
	if (v.base == CFI_CFA)
		return cfa + (uintptr_t)(intptr_t)v.offset;
	if (v.base == CFI_REG && is_known(r, v.reg))
		return r->reg[v.reg] + (uintptr_t)(intptr_t)v.offset;
	return 0;
}

static bool find_cfa(struct unwind *u, const struct replay *r, struct cfi_value v, uintptr_t *cfa)
{
	if (!is_known(r, v.reg))
		return false;
	*cfa = r->reg[v.reg];
	if (v.base == CFI_AT_REG && !unwind_peek(u, *cfa + (uintptr_t)(intptr_t)v.inner, cfa))
		return false;
	*cfa += (uintptr_t)(intptr_t)v.offset;
	return v.base == CFI_REG || v.base == CFI_AT_REG;
}

/* Undo one frame by its row. What a callee need not keep is lost. */
static bool apply_row(struct unwind *u, struct replay *r, const struct cfi_row *row)
{
	uintptr_t value[ARCH_FOLLOWED], cfa;
	uint32_t known = r->known & ARCH_KEPT;
	bool is_switch = row->saved[ARCH_SP].base != CFI_SAME;

	if (!find_cfa(u, r, row->cfa, &cfa))
		return false;
	/* Equal when the frame is gone already and only the jump is left: the way of _Unwind_Resume to a handler. */
	if (!is_switch &&
	    (cfa < r->reg[ARCH_DWARF_SP] || (cfa == r->reg[ARCH_DWARF_SP] && row->saved[ARCH_RA].base != CFI_IN_REG)))
		return false;
	for (unsigned i = 0; i < ARCH_FOLLOWED; i++) {
		struct cfi_value v = row->saved[i];
		uintptr_t place = place_of(r, v, cfa);

		value[i] = r->reg[arch_followed[i]];
		if (v.base == CFI_SAME && i != ARCH_RA)
			continue;
		if (v.base == CFI_IN_REG && is_known(r, v.reg))
			value[i] = r->reg[v.reg];
		else if (!place || !unwind_peek(u, place, &value[i]))
			known &= ~(1u << arch_followed[i]);
	}
	for (unsigned i = 0; i < ARCH_FOLLOWED; i++)
		r->reg[arch_followed[i]] = value[i];
	if (!is_switch)
		r->reg[ARCH_DWARF_SP] = cfa;
	r->known = known;
	return is_known(r, ARCH_DWARF_RA) && is_known(r, ARCH_DWARF_SP);
}

static bool step(struct unwind *u, struct replay *r, bool *is_exact)
{
	uintptr_t pc = r->reg[ARCH_DWARF_RA] - !*is_exact;
	int ret;

	if (rule_kind(unwind_rule(u, pc)) == RULE_SIGNAL) {
		*is_exact = true;
		return load_context(u, r, r->reg[ARCH_DWARF_SP]);
	}
	*is_exact = false;
	if (!module_find(pc, &u->module))
		return false;
	ret = cfi_row(&u->module, pc, &u->cfi);
	return ret == 0 && apply_row(u, r, &u->cfi.row);
}

bool replay_step(struct unwind *u, const struct frame *frame, struct frame *caller)
{
	struct replay *r = &u->replay;
	bool is_exact = u->context != NULL;

	if (!is_exact && u->is_exact)
		return false;
	if (is_exact) {
		if (!load_context(u, r, (uintptr_t)u->context))
			return false;
	} else {
		ARCH_HERE(r->reg);
		r->known = ARCH_KEPT;
		is_exact = true;
	}
	for (unsigned i = 0; i < STEPS_MAX; i++) {
		bool is_there = r->reg[ARCH_DWARF_SP] == frame->sp && r->reg[ARCH_DWARF_RA] == frame->ip;

		if (!step(u, r, &is_exact))
			return false;
		if (!is_there)
			continue;
		*caller = (struct frame){
			.ip = r->reg[ARCH_DWARF_RA],
			.sp = r->reg[ARCH_DWARF_SP],
			.bp = is_known(r, ARCH_DWARF_BP) ? r->reg[ARCH_DWARF_BP] : 0,
			.flags = FRAME_OPAQUE | (is_exact ? FRAME_EXACT : 0),
		};
		return caller->ip != 0;
	}
	return false;
}
