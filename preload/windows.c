/* SPDX-License-Identifier: MIT */
/* windows.c - see windows.h. */
#include "preload/windows.h"

#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "preload/raw.h"

#define PAGE 4096u
#define FIRST_UNITS 32u /* small: every process has it, and it counts in limits */
#define WINDOW_UNITS 256u
#define WINDOWS 16384u
#define BYTES(units) ((uint64_t)(units)*RSD_UNIT)

static char *windows[WINDOWS];
static uint32_t highest;		 /* index of a window: none above it is mapped */
static uint64_t first_bytes;		 /* of the first one that is mapped */
static char *for_children, *from_parent; /* the first page once more, see windows_inherit */

static uint64_t index_of(uint64_t unit)
{
	return unit < FIRST_UNITS ? 0 : 1 + (unit - FIRST_UNITS) / WINDOW_UNITS;
}

static uint64_t first_unit(uint64_t index)
{
	return index ? FIRST_UNITS + (index - 1) * WINDOW_UNITS : 0;
}

static uint64_t size_of(uint64_t index)
{
	return BYTES(index ? WINDOW_UNITS : FIRST_UNITS);
}

static bool is_error(long p)
{
	return p < 0 && p > -4096;
}

static void map_for_children(char *header)
{
	long p = raw_map_again(header, PAGE, 0);

	for_children = NULL;
	if (is_error(p))
		return;
	if (raw3(SYS_madvise, p, PAGE, MADV_DOFORK) == 0)
		for_children = (char *)p;
	else
		raw2(SYS_munmap, p, PAGE);
}

struct rsd_header *windows_begin(int fd, uint64_t size)
{
	uint64_t length = size < size_of(0) ? size : size_of(0);
	long p = raw6(SYS_mmap, raw_place(length, 0), (long)length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
		      fd, 0);

	if (is_error(p))
		return NULL;
	/* Windows made from this one inherit these. */
	raw3(SYS_madvise, p, length, MADV_DONTDUMP);
	raw3(SYS_madvise, p, length, MADV_DONTFORK);
	/* Without it the first touch reads 2 MiB of holes ahead, 1 ms on ext4, of which a short process uses little. */
	raw3(SYS_madvise, p, length, MADV_RANDOM);
	first_bytes = length;
	windows_begin_again((struct rsd_header *)p);
	map_for_children(windows[0]);
	return (struct rsd_header *)p;
}

void windows_begin_again(struct rsd_header *first)
{
	for (uint32_t i = 0; i <= highest; i++)
		windows[i] = NULL;
	highest = 0;
	windows[0] = (char *)first;
}

uint64_t windows_first_bytes(void)
{
	return first_bytes;
}

struct rsd_header *windows_inherit(void)
{
	from_parent = for_children;
	for_children = NULL;
	return (struct rsd_header *)from_parent;
}

void windows_disown(void)
{
	if (from_parent)
		raw2(SYS_munmap, from_parent, PAGE);
	from_parent = NULL;
}

bool windows_hold(uint64_t unit, unsigned units)
{
	return index_of(unit) == index_of(unit + units - 1);
}

/* Of a limited address space the host keeps seven eighths, also when it set the limit after it began. */
static bool is_allowed(uint64_t index)
{
	struct rlimit limit;

	return raw4(SYS_prlimit64, 0, RLIMIT_AS, NULL, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
	       BYTES(first_unit(index + 1)) <= limit.rlim_cur / 8;
}

static void raise_highest(uint32_t index)
{
	uint32_t seen = __atomic_load_n(&highest, __ATOMIC_RELAXED);

	while (seen < index &&
	       !__atomic_compare_exchange_n(&highest, &seen, index, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

/* Map the window behind one that is mapped, from the last page of that one on. */
static bool add(uint64_t index)
{
	char *last_page = windows[index - 1] + size_of(index - 1) - PAGE, *none = NULL;
	long p;

	if (!is_allowed(index))
		return false;
	p = raw_map_again(last_page, PAGE + size_of(index), PAGE);
	if (is_error(p))
		return false;
	raw2(SYS_munmap, p, PAGE);
	raw3(SYS_madvise, p + PAGE, size_of(index), MADV_NORMAL);
	raise_highest((uint32_t)index);
	/* Another thread may have been faster. */
	if (!__atomic_compare_exchange_n(&windows[index], &none, (char *)p + PAGE, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		raw2(SYS_munmap, p + PAGE, size_of(index));
	return true;
}

void *windows_at(uint64_t unit)
{
	uint64_t index = index_of(unit), mapped = index;

	if (index >= WINDOWS)
		return NULL;
	while (mapped && !__atomic_load_n(&windows[mapped], __ATOMIC_ACQUIRE))
		mapped--;
	while (mapped < index)
		if (!add(++mapped))
			return NULL;
	return windows[index] + BYTES(unit - first_unit(index));
}

bool windows_contain(uintptr_t address)
{
	uint32_t last = __atomic_load_n(&highest, __ATOMIC_ACQUIRE);

	if (from_parent && address - (uintptr_t)from_parent < PAGE)
		return true;
	for (uint32_t i = 0; i <= last; i++) {
		uintptr_t from = (uintptr_t)__atomic_load_n(&windows[i], __ATOMIC_ACQUIRE);

		if (from && address - from < size_of(i))
			return true;
	}
	return false;
}

void windows_stand_in(void)
{
	for (uint32_t i = 0; i <= highest && windows[i]; i++) {
		long p = raw6(SYS_mmap, (long)windows[i], (long)size_of(i), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

		/* An old kernel takes the flag for a hint. */
		if (!is_error(p) && p != (long)windows[i])
			raw2(SYS_munmap, p, size_of(i));
	}
}
