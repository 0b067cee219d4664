/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "analyzer/models/allocators.h"

#define PAGE 4096u

/* ---- glibc ---------------------------------------------------------------------------------------------------- */

static uint64_t glibc(uint64_t size, bool is_mapped)
{
	uint64_t chunk = (size + 8 + 15) & ~UINT64_C(15);

	if (chunk < 32)
		chunk = 32;
	return is_mapped ? ((chunk + 8 + PAGE - 1) & ~(uint64_t)(PAGE - 1)) - 16 : chunk - 8;
}

/* ---- jemalloc and mimalloc ------------------------------------------------------------------------------------ */

static uint64_t round_up(uint64_t size, uint64_t step)
{
	return (size + step - 1) & ~(step - 1);
}

/* Four sizes per power of two, 16 bytes apart at least. */
static uint64_t quarters(uint64_t size)
{
	if (size <= 8)
		return 8;
	if (size <= 128)
		return round_up(size, 16);
	return round_up(size, UINT64_C(1) << (61 - __builtin_clzll(size - 1)));
}

static uint64_t mimalloc(uint64_t size)
{
	if (size <= 128u << 10)
		return quarters(size);
	return round_up(size, size <= 512u << 10  ? 64u << 10
			      : size <= 8u << 20  ? 512u << 10
			      : size <= 32u << 20 ? 1u << 20
						  : 4u << 20);
}

/* ---- tcmalloc ------------------------------------------------------------------------------------------------- */

#define SPAN_PAGE 8192u
#define TCMALLOC_MAX (256u << 10)
#define TCMALLOC_CLASSES 256u

/* How far apart sizes are at first: some of them are merged. */
static uint32_t step_of(uint32_t size)
{
	uint32_t step = size < 16 ? 8 : size < 128 ? 16 : (1u << (31 - __builtin_clz(size))) / 8;

	return step < SPAN_PAGE ? step : SPAN_PAGE;
}

/* How many blocks move between a thread and the rest at once. */
static uint32_t batch_of(uint32_t size)
{
	uint32_t many = (64u << 10) / size;

	return many < 2 ? 2 : many > 32 ? 32 : many;
}

/* Pages of a span: the rest is at most an eighth, and it has a quarter of a batch. */
static uint32_t span_of(uint32_t size)
{
	uint32_t bytes = 0;

	do {
		bytes += SPAN_PAGE;
		while (bytes % size > bytes >> 3)
			bytes += SPAN_PAGE;
	} while (bytes / size < batch_of(size) / 4);
	return bytes;
}

/* All classes. A size that fills a span as often as the one before replaces it: it wastes less of the span. */
static unsigned list_classes(uint32_t *classes)
{
	uint32_t last_span = 0;
	unsigned len = 0;

	for (uint32_t size = 8; size <= TCMALLOC_MAX && len < TCMALLOC_CLASSES; size += step_of(size)) {
		uint32_t span = span_of(size);

		if (len && span == last_span && span / size == span / classes[len - 1]) {
			classes[len - 1] = size;
			continue;
		}
		classes[len++] = size;
		last_span = span;
	}
	return len;
}

static uint32_t class_for(const uint32_t *classes, unsigned len, uint32_t size)
{
	for (unsigned i = 0; i < len; i++)
		if (classes[i] >= size)
			return classes[i];
	return TCMALLOC_MAX;
}

static uint64_t tcmalloc(const struct allocators *a, uint64_t size)
{
	return size <= TCMALLOC_MAX ? a->tcmalloc[(size + 127) / 128] : round_up(size, SPAN_PAGE);
}

/* ---- all ------------------------------------------------------------------------------------------------------ */

static uint64_t compute(const struct allocators *a, enum allocator which, uint64_t size, bool is_mapped)
{
	switch (which) {
	case ALLOCATOR_JEMALLOC:
		return quarters(size);
	case ALLOCATOR_TCMALLOC:
		return tcmalloc(a, size);
	case ALLOCATOR_MIMALLOC:
		return mimalloc(size);
	default:
		return glibc(size, is_mapped);
	}
}

void allocators_init(struct allocators *a)
{
	uint32_t classes[TCMALLOC_CLASSES];
	unsigned len = list_classes(classes);

	for (uint32_t i = 0; i < sizeof(a->tcmalloc) / sizeof(a->tcmalloc[0]); i++)
		a->tcmalloc[i] = class_for(classes, len, i * 128);
	for (uint32_t size = 0; size < ALLOCATOR_TABLE; size++) {
		a->small[ALLOCATOR_GLIBC][size] = (uint16_t)glibc(size, false);
		a->small[ALLOCATOR_JEMALLOC][size] = (uint16_t)quarters(size);
		a->small[ALLOCATOR_TCMALLOC][size] = (uint16_t)class_for(classes, len, size);
		a->small[ALLOCATOR_MIMALLOC][size] = (uint16_t)mimalloc(size);
	}
}

uint64_t allocators_usable(const struct allocators *a, enum allocator which, uint64_t size, bool is_mapped)
{
	uint64_t usable;

	if (size < ALLOCATOR_TABLE && !is_mapped)
		return a->small[which][size];
	usable = compute(a, which, size, is_mapped);
	return usable < size ? UINT64_MAX : usable;
}

static bool has_module(const struct modules *m, const char *prefix)
{
	for (size_t i = 0; i < m->len; i++)
		if (!strncmp(path_base(m->list[i].path), prefix, strlen(prefix)))
			return true;
	return false;
}

enum allocator allocators_of(const struct modules *m)
{
	return has_module(m, "libjemalloc")   ? ALLOCATOR_JEMALLOC
	       : has_module(m, "libtcmalloc") ? ALLOCATOR_TCMALLOC
	       : has_module(m, "libmimalloc") ? ALLOCATOR_MIMALLOC
					      : ALLOCATOR_GLIBC;
}

const char *allocator_name(enum allocator which)
{
	static const char *const names[] = { "glibc", "jemalloc", "tcmalloc", "mimalloc" };

	return names[which];
}
