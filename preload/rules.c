// SPDX-License-Identifier: MIT
/*
 * rules.c - packing of rules, and the cache's memory.
 *
 * The table starts small, because most processes are small, and quadruples when it has taken as many rules as
 * a quarter of its entries. Whoever notices grows it, others go on with what they have; the old table stays mapped,
 * since a capture anywhere may be reading it. All old tables together are smaller than the current one.
 */
#include "preload/rules.h"

#include <errno.h>

#include "preload/raw.h"

#define FIRST_BITS 11
#define LAST_BITS 19 /* 8 MiB of entries, touched as they are used */
#define GROW_BITS 2

struct table {
	uint64_t bits;
	uint64_t stored;       /* rules put in, replacements included */
	struct table *smaller; /* what it replaced */
	uint64_t pad;	       /* entries in pairs that share a cache line */
	uint64_t pad_to_line[4];
	struct rule_entry entries[];
};

static struct table *current;
static uint64_t generation;
static uint32_t growing, pauses;

static size_t table_size(unsigned bits)
{
	return sizeof(struct table) + (sizeof(struct rule_entry) << bits);
}

static struct table *table_new(unsigned bits)
{
	struct table *table = raw_map(table_size(bits));

	if (table)
		table->bits = bits;
	return table;
}

static bool fits(int64_t bytes, int bits)
{
	return bytes % 8 == 0 && (uint64_t)(bytes / 8 + (INT64_C(1) << (bits - 1))) >> bits == 0;
}

struct rule rule_make(enum rule_kind kind, int64_t offset, int64_t inner, enum rule_bp bp, int64_t bp_offset)
{
	bool is_deref = kind == RULE_AT_SP || kind == RULE_AT_BP;
	uint64_t place;

	if (!fits(bp_offset, 10) || !fits(offset, is_deref ? 16 : 32) || !fits(inner, 16))
		return (struct rule){ RULE_COMPLEX };
	if (is_deref)
		place = ((uint64_t)(inner / 8) & 0xffff) << 32 | ((uint64_t)(offset / 8) & 0xffff) << 16;
	else
		place = ((uint64_t)(offset / 8) & 0xffffffff) << 16;
	return (struct rule){ place | ((uint64_t)(bp_offset / 8) & 0x3ff) << 6 | (uint64_t)bp << 4 | (uint64_t)kind };
}

static void entry_store(struct rule_entry *entry, uint64_t key, uint64_t rule)
{
	__atomic_store_n(&entry->check, key ^ rule_mix(rule), __ATOMIC_RELAXED);
	__atomic_store_n(&entry->rule, rule, __ATOMIC_RELAXED);
}

/* The newest rule goes first in its pair, the former first becomes second. */
static void pair_store(struct rule_entry *pair, uint64_t key, uint64_t rule)
{
	uint64_t old_rule = __atomic_load_n(&pair->rule, __ATOMIC_RELAXED);
	uint64_t old_key = __atomic_load_n(&pair->check, __ATOMIC_RELAXED) ^ rule_mix(old_rule);

	if (old_rule && old_key != key)
		entry_store(pair + 1, old_key, old_rule);
	entry_store(pair, key, rule);
}

static struct rules_view view_of(struct table *table)
{
	/* In this order: who sees the generation of a pause must see the pause. */
	uint64_t now = __atomic_load_n(&generation, __ATOMIC_ACQUIRE);

	return (struct rules_view){
		.entries = table ? table->entries : NULL,
		.shift = table ? 64 - (unsigned)table->bits : 63,
		.generation = now << 48,
		.is_kept = __atomic_load_n(&pauses, __ATOMIC_ACQUIRE) == 0,
	};
}

static void table_copy(struct table *to, const struct table *from)
{
	struct rules_view view = view_of(to);

	for (size_t i = 0; i < (size_t)1 << from->bits; i++) {
		uint64_t rule = __atomic_load_n(&from->entries[i].rule, __ATOMIC_RELAXED);
		uint64_t key = __atomic_load_n(&from->entries[i].check, __ATOMIC_RELAXED) ^ rule_mix(rule);

		if (rule)
			pair_store(&to->entries[rule_slot(&view, key)], key, rule);
	}
}

static void grow(struct table *table)
{
	struct table *bigger;

	if (table->bits >= LAST_BITS || __atomic_exchange_n(&growing, 1, __ATOMIC_ACQUIRE))
		return;
	if (table == __atomic_load_n(&current, __ATOMIC_RELAXED)) {
		bigger = table_new((unsigned)table->bits + GROW_BITS);
		if (bigger) {
			bigger->smaller = table;
			table_copy(bigger, table);
			__atomic_store_n(&current, bigger, __ATOMIC_RELEASE);
		}
	}
	__atomic_store_n(&growing, 0, __ATOMIC_RELEASE);
}

void rules_store(const struct rules_view *view, uintptr_t pc, struct rule rule)
{
	struct table *table = (struct table *)((char *)view->entries - offsetof(struct table, entries));
	uint64_t key = (pc & 0xffffffffffffu) | view->generation;

	if (!view->is_kept)
		return;
	pair_store(&view->entries[rule_slot(view, key)], key, rule.bits);
	if (__atomic_add_fetch(&table->stored, 1, __ATOMIC_RELAXED) == (uint64_t)1 << (table->bits - 2))
		grow(table);
}

struct rules_view rules_view(void)
{
	return view_of(__atomic_load_n(&current, __ATOMIC_ACQUIRE));
}

int rules_begin(void)
{
	struct table *table = current;

	while (table) {
		struct table *smaller = table->smaller;

		raw_unmap(table, table_size((unsigned)table->bits));
		table = smaller;
	}
	growing = pauses = 0; /* in a forked child the thread that was growing does not exist */
	current = table_new(FIRST_BITS);
	__atomic_add_fetch(&generation, 1, __ATOMIC_RELEASE);
	return current ? 0 : -ENOMEM;
}

static void forget(void)
{
	uint64_t now = __atomic_add_fetch(&generation, 1, __ATOMIC_ACQ_REL);
	struct table *table = __atomic_load_n(&current, __ATOMIC_ACQUIRE);

	/* Keys carry 16 bits of it: when they come round again, nothing of the last round may be left. */
	if ((now & 0xffff) == 0 && table)
		for (size_t i = 0; i < (size_t)1 << table->bits; i++)
			entry_store(&table->entries[i], 0, 0);
}

void rules_pause(void)
{
	__atomic_add_fetch(&pauses, 1, __ATOMIC_ACQ_REL);
	forget();
}

void rules_resume(void)
{
	uint32_t n = __atomic_load_n(&pauses, __ATOMIC_RELAXED);

	forget();
	/* A child that was forked by a destructor began with none. */
	while (n && !__atomic_compare_exchange_n(&pauses, &n, n - 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		;
}
