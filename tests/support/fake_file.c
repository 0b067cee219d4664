// SPDX-License-Identifier: MIT
/* fake_file.c - see fake_file.h. */
#include "tests/support/fake_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "preload/file.h"

#define UNITS_MAX 65536u
#define META_MAX (1u << 22)

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

const struct rsd_node *fake_file_node(uint32_t id)
{
	for (unsigned unit = 1; unit < file_header->next_unit; unit += extent_at(unit)->units) {
		const struct rsd_extent *ext = extent_at(unit);
		const struct rsd_node *nodes = (const void *)(ext + 1);

		if (ext->magic == RSD_EXTENT_MAGIC && ext->kind == RSD_EXTENT_NODES && id >= ext->first &&
		    id - ext->first < extent_capacity(ext) / sizeof(*nodes))
			return nodes[id - ext->first].committed ? &nodes[id - ext->first] : NULL;
	}
	return NULL;
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
