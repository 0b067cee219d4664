// SPDX-License-Identifier: MIT
/* fake_file.c - see fake_file.h. */
#include "tests/support/fake_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "preload/file.h"

#define UNITS_MAX 65536u
#define META_MAX (1u << 22)
#define NODES_PER_UNIT ((RSD_UNIT - sizeof(struct rsd_extent)) / sizeof(struct rsd_node))

struct rsd_header *file_header;

static unsigned units_allowed;
static char *meta_bytes;
static uint64_t meta_used;

static void *map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

void fake_file_open(unsigned units)
{
	if (!file_header) {
		file_header = map((size_t)UNITS_MAX * RSD_UNIT);
		meta_bytes = map(META_MAX);
	}
	madvise(file_header, (size_t)UNITS_MAX * RSD_UNIT, MADV_DONTNEED);
	memset(meta_bytes, 0, META_MAX);
	meta_used = 0;
	units_allowed = units < UNITS_MAX ? units : UNITS_MAX;
	file_header->next_unit = 1;
	file_header->next_node = file_header->next_string = file_header->next_module = 1;
}

static struct rsd_extent *extent_at(unsigned unit)
{
	return (struct rsd_extent *)((char *)file_header + (size_t)unit * RSD_UNIT);
}

struct rsd_extent *file_extent(enum rsd_extent_kind kind, unsigned units, uint32_t thread, uint32_t first,
			       size_t populate)
{
	uint64_t unit = __atomic_load_n(&file_header->next_unit, __ATOMIC_RELAXED);
	struct rsd_extent *ext;

	(void)populate;
	do {
		if (unit + units > units_allowed)
			return NULL;
	} while (!__atomic_compare_exchange_n(&file_header->next_unit, &unit, unit + units, false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	ext = extent_at((unsigned)unit);
	ext->kind = (uint16_t)kind;
	ext->units = (uint16_t)units;
	ext->thread = thread;
	ext->first = first;
	return ext;
}

int file_populate(void *p, size_t size)
{
	(void)p;
	(void)size;
	return 0;
}

void *meta_reserve(enum rsd_meta_kind kind, size_t size)
{
	uint64_t at = __atomic_fetch_add(&meta_used, size, __ATOMIC_RELAXED);
	struct rsd_meta *rec = (struct rsd_meta *)(meta_bytes + at);

	if (at + size > META_MAX)
		return NULL;
	*rec = (struct rsd_meta){ .kind = (uint16_t)kind, .len = (uint32_t)size };
	return rec;
}

void meta_commit(void *record)
{
	((struct rsd_meta *)record)->flags = RSD_META_COMMITTED;
}

uint32_t meta_string(const char *text, size_t len)
{
	(void)text;
	(void)len;
	return (uint32_t)__atomic_fetch_add(&file_header->next_string, 1, __ATOMIC_RELAXED);
}

static bool is_nodes(const struct rsd_extent *ext)
{
	return __atomic_load_n(&ext->magic, __ATOMIC_ACQUIRE) == RSD_EXTENT_MAGIC && ext->kind == RSD_EXTENT_NODES;
}

/* Where the nodes around this id are, found once: millions of stacks are looked at. */
static const struct rsd_extent *extent_of_node(uint32_t id)
{
	static const struct rsd_extent *known[UNITS_MAX];
	const struct rsd_extent **place = &known[(id - 1) / NODES_PER_UNIT];
	const struct rsd_extent *ext = __atomic_load_n(place, __ATOMIC_RELAXED);

	if (ext && is_nodes(ext) && id - ext->first < NODES_PER_UNIT)
		return ext;
	/* Somebody, this thread under a signal handler included, may not have filled the last one's header yet. */
	for (unsigned unit = 1; unit < file_header->next_unit; unit += ext->units ? ext->units : 1) {
		ext = extent_at(unit);
		if (is_nodes(ext) && id - ext->first < NODES_PER_UNIT) {
			__atomic_store_n(place, ext, __ATOMIC_RELAXED);
			return ext;
		}
	}
	return NULL;
}

const struct rsd_node *fake_file_node(uint32_t id)
{
	const struct rsd_extent *ext = id ? extent_of_node(id) : NULL;
	const struct rsd_node *node = (const struct rsd_node *)(ext + 1) + (ext ? id - ext->first : 0);

	return ext && __atomic_load_n(&node->committed, __ATOMIC_ACQUIRE) ? node : NULL;
}

unsigned fake_file_nodes(void)
{
	unsigned count = 0;

	for (uint32_t id = 1; id < file_header->next_node; id++)
		count += fake_file_node(id) != NULL;
	return count;
}

static const struct rsd_meta *next_meta(const struct rsd_meta *rec)
{
	const char *p = rec ? (const char *)rec + rec->len : meta_bytes;

	return p < meta_bytes + meta_used ? (const struct rsd_meta *)p : NULL;
}

const struct meta_module *fake_file_module(uint32_t id)
{
	for (const struct rsd_meta *rec = next_meta(NULL); rec; rec = next_meta(rec))
		if (rec->kind == META_MODULE && rec->flags & RSD_META_COMMITTED &&
		    ((const struct meta_module *)rec)->id == id)
			return (const struct meta_module *)rec;
	return NULL;
}

unsigned fake_file_metas(enum rsd_meta_kind kind)
{
	unsigned count = 0;

	for (const struct rsd_meta *rec = next_meta(NULL); rec; rec = next_meta(rec))
		count += rec->kind == kind && rec->flags & RSD_META_COMMITTED;
	return count;
}
