/* SPDX-License-Identifier: MIT */
/*
 * raw.c - the recorder's own memory, with a list of where it is.
 *
 * The list is a chain of tables whose entries are taken and given back by one instruction each; it only grows by
 * tables. An entry that is taken and has no end yet is empty.
 */
#include "preload/raw.h"

#include <stdbool.h>

#define PER_TABLE 254u

struct range {
	uintptr_t from, to; /* from 0: free */
};

struct range_table {
	struct range_table *next;
	uint64_t reserved;
	struct range at[PER_TABLE];
};

uint64_t raw_mapped;

static struct range_table first;

static size_t whole_pages(size_t size)
{
	return (size + 4095) & ~(size_t)4095;
}

/* The library lies where the kernel puts what is mapped without a wish; from there it goes down. */
#define PLACES_BELOW ((uintptr_t)64 << 30)

#define HUGE_PAGE ((uintptr_t)2 << 20)

long raw_place(size_t size, size_t head)
{
	static uintptr_t next;
	uintptr_t none = 0, at, slack = size >= HUGE_PAGE ? HUGE_PAGE : 0;

	if (!__atomic_load_n(&next, __ATOMIC_RELAXED))
		__atomic_compare_exchange_n(&next, &none, whole_pages((uintptr_t)&first - PLACES_BELOW), false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	at = __atomic_fetch_add(&next, whole_pages(size) + slack, __ATOMIC_RELAXED);
	return (long)(slack ? ((at + head + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1)) - head : at);
}

static void *map(size_t size)
{
	long p =
		raw6(SYS_mmap, raw_place(size, 0), (long)size, 3 /* READ|WRITE */, 0x22 /* PRIVATE|ANONYMOUS */, -1, 0);

	return p < 0 && p > -4096 ? NULL : (void *)p;
}

long raw_map_again(void *from, size_t size, size_t head)
{
	long at = raw6(SYS_mmap, raw_place(size, head), (long)size, 0 /* NONE */,
		       0x4022 /* PRIVATE|ANONYMOUS|NORESERVE */, -1, 0);
	long p;

	if (at < 0 && at > -4096)
		return at;
	p = raw5(SYS_mremap, from, 0, size, 3 /* MAYMOVE|FIXED */, at);
	if (p < 0 && p > -4096)
		raw2(SYS_munmap, at, size);
	return p;
}

static bool put_into(struct range_table *table, uintptr_t from, uintptr_t to)
{
	for (unsigned i = 0; i < PER_TABLE; i++) {
		uintptr_t none = 0;

		if (__atomic_load_n(&table->at[i].from, __ATOMIC_RELAXED) ||
		    !__atomic_compare_exchange_n(&table->at[i].from, &none, from, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			continue;
		__atomic_store_n(&table->at[i].to, to, __ATOMIC_RELEASE);
		return true;
	}
	return false;
}

/* The table behind `table`, made by whoever comes first; NULL without memory. */
static struct range_table *table_after(struct range_table *table)
{
	struct range_table *next = __atomic_load_n(&table->next, __ATOMIC_ACQUIRE), *mine;

	if (next)
		return next;
	mine = map(sizeof(*mine));
	if (!mine)
		return NULL;
	put_into(mine, (uintptr_t)mine, (uintptr_t)mine + whole_pages(sizeof(*mine)));
	if (__atomic_compare_exchange_n(&table->next, &next, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return mine;
	raw2(SYS_munmap, mine, sizeof(*mine));
	return next;
}

void *raw_map(size_t size)
{
	void *p = map(size);

	for (struct range_table *t = &first; p && t; t = table_after(t))
		if (put_into(t, (uintptr_t)p, (uintptr_t)p + whole_pages(size)))
			break;
	if (p)
		__atomic_fetch_add(&raw_mapped, size, __ATOMIC_RELAXED);
	return p;
}

/* Forgotten first: another thread may get the memory and the list must not have it twice. */
static void forget(uintptr_t from)
{
	for (struct range_table *t = &first; t; t = __atomic_load_n(&t->next, __ATOMIC_ACQUIRE))
		for (unsigned i = 0; i < PER_TABLE; i++)
			if (__atomic_load_n(&t->at[i].from, __ATOMIC_RELAXED) == from) {
				__atomic_store_n(&t->at[i].to, 0, __ATOMIC_RELAXED);
				__atomic_store_n(&t->at[i].from, 0, __ATOMIC_RELEASE);
				return;
			}
}

void raw_unmap(void *p, size_t size)
{
	forget((uintptr_t)p);
	raw2(SYS_munmap, p, size);
	__atomic_fetch_sub(&raw_mapped, size, __ATOMIC_RELAXED);
}

size_t raw_each(void (*visit)(void *self, uintptr_t from, uintptr_t to), void *self)
{
	size_t count = 0;

	for (struct range_table *t = &first; t; t = __atomic_load_n(&t->next, __ATOMIC_ACQUIRE))
		for (unsigned i = 0; i < PER_TABLE; i++) {
			uintptr_t from = __atomic_load_n(&t->at[i].from, __ATOMIC_ACQUIRE);
			uintptr_t to = __atomic_load_n(&t->at[i].to, __ATOMIC_ACQUIRE);

			if (!from || to <= from)
				continue;
			visit(self, from, to);
			count++;
		}
	return count;
}
