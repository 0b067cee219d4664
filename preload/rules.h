/* SPDX-License-Identifier: MIT */
/*
 * rules.h - how to get from a frame to its caller, for one code address, in 64 bits; and the cache of such rules.
 *
 *      63          48 47                        16 15          6 5    4 3    0
 *     +--------------+----------------------------+-------------+------+------+
 *     | module id    | CFA offset / 8, signed     | bp offset/8 | bp   | kind |
 *     +--------------+----------------------------+-------------+------+------+
 *                     for RULE_AT_*: inner offset
 *                     / 8 in 47..32, added offset
 *                     / 8 in 31..16
 *
 * The return address is at CFA - 8 in every kind that has a CFA. Rules are keyed by the address that is looked
 * up in the unwind tables: ip - 1 for a return address, ip for an interrupted instruction.
 *
 * The cache is a hash table of (key, rule) pairs that anybody may read and write at any time, a signal handler
 * in the middle of somebody's write included: the first word holds key XOR mix(rule), so a pair put together
 * from two writes has a key that nobody asks for. An entry is a hint: losing one costs interpreting again.
 */
#ifndef RINGSIDE_PRELOAD_RULES_H
#define RINGSIDE_PRELOAD_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rule_kind {
	RULE_NONE = 0,	  /* not known yet */
	RULE_SP = 1,	  /* CFA = sp + offset */
	RULE_BP = 2,	  /* CFA = bp + offset */
	RULE_AT_SP = 3,	  /* CFA = *(sp + inner) + added */
	RULE_AT_BP = 4,	  /* CFA = *(bp + inner) + added: realigned stacks */
	RULE_END = 5,	  /* no caller: the thread's first frame */
	RULE_SIGNAL = 6,  /* signal trampoline: a ucontext at sp */
	RULE_NO_INFO = 7, /* in a module, without unwind information */
	RULE_COMPLEX = 8, /* has unwind information that needs more than ip, sp and bp */
	RULE_NO_CODE = 9, /* in no module: generated code, or not code at all */
};

enum rule_bp {
	RULE_BP_SAME = 0,
	RULE_BP_AT_CFA = 1, /* the caller's is at CFA + offset */
	RULE_BP_AT_BP = 2,  /* the caller's is at bp + offset */
	RULE_BP_LOST = 3,
};

struct rule {
	uint64_t bits;
};

static inline enum rule_kind rule_kind(struct rule r)
{
	return (enum rule_kind)(r.bits & 15);
}

static inline enum rule_bp rule_bp(struct rule r)
{
	return (enum rule_bp)(r.bits >> 4 & 3);
}

static inline intptr_t rule_bp_offset(struct rule r)
{
	return ((int64_t)(r.bits << 48) >> 54) * 8;
}

static inline intptr_t rule_offset(struct rule r)
{
	return ((int64_t)(r.bits << 16) >> 32) * 8;
}

static inline intptr_t rule_inner(struct rule r)
{
	return ((int64_t)(r.bits << 16) >> 48) * 8;
}

static inline intptr_t rule_added(struct rule r)
{
	return ((int64_t)(r.bits << 32) >> 48) * 8;
}

static inline uint32_t rule_module(struct rule r)
{
	return (uint32_t)(r.bits >> 48);
}

static inline struct rule rule_with_module(struct rule r, uint32_t module)
{
	return (struct rule){ (r.bits & 0xffffffffffffu) | (uint64_t)module << 48 };
}

/*
 * rule_make - pack a rule without a module.
 *
 * offset:   of the CFA, or what RULE_AT_* adds; inner: for RULE_AT_*, else 0. All in bytes.
 * Returns:  the rule; RULE_COMPLEX when a number doesn't fit or is no multiple of 8.
 */
struct rule rule_make(enum rule_kind kind, int64_t offset, int64_t inner, enum rule_bp bp, int64_t bp_offset);

struct rule_entry {
	uint64_t check; /* key XOR rule_mix(rule) */
	uint64_t rule;
};

/* What one capture works with: it does not change under its feet. */
struct rules_view {
	struct rule_entry *entries; /* 1 << (64 - shift) of them; NULL before rules_begin */
	unsigned shift;
	uint64_t generation; /* in the high 16 bits */
	bool is_kept;	     /* rules may be stored: nothing is being unloaded */
};

static inline uint64_t rule_mix(uint64_t rule)
{
	return rule * UINT64_C(0x9e3779b97f4a7c15) ^ rule >> 29;
}

/* The first of the two neighbouring entries where a key may be. */
static inline size_t rule_slot(const struct rules_view *view, uint64_t key)
{
	return (size_t)((key ^ key >> 17) * UINT64_C(0x9e3779b97f4a7c15) >> view->shift) & ~(size_t)1;
}

static inline bool rule_entry_is(const struct rule_entry *entry, uint64_t key, struct rule *rule)
{
	uint64_t check = __atomic_load_n(&entry->check, __ATOMIC_RELAXED);

	rule->bits = __atomic_load_n(&entry->rule, __ATOMIC_RELAXED);
	return (check ^ rule_mix(rule->bits)) == key;
}

/*
 * rules_find - the cached rule for the code at `pc`, or RULE_NONE.
 *
 * Safety:   async-signal-safe, lock-free.
 * Cost:     one cache line.
 */
static inline struct rule rules_find(const struct rules_view *view, uintptr_t pc)
{
	uint64_t key = (pc & 0xffffffffffffu) | view->generation;
	const struct rule_entry *entry = &view->entries[rule_slot(view, key)];
	struct rule rule;

	if (rule_entry_is(entry, key, &rule) || rule_entry_is(entry + 1, key, &rule))
		return rule;
	return (struct rule){ 0 };
}

/* rules_store - remember a rule; may forget another, may grow the table. Async-signal-safe, lock-free. */
void rules_store(const struct rules_view *view, uintptr_t pc, struct rule rule);

/* rules_view - the table and generation of now. entries is NULL when there is none. */
struct rules_view rules_view(void);

/* rules_begin - an empty cache (again in a forked child, when no other thread runs). 0 or -ENOMEM. */
int rules_begin(void);

/*
 * rules_pause - something is about to be unloaded: no rule stored before is found any more, and none is stored until
 * rules_resume, since nobody tells the moment when the address means something else. Any thread; in pairs.
 */
void rules_pause(void);
void rules_resume(void);

#endif
