/* SPDX-License-Identifier: MIT */
/*
 * hook_pages.c - mmap and munmap as page events beside the heap.
 *
 * Allocators call these from inside malloc, perhaps with their locks held: nothing here allocates, locks or
 * looks anything up late. glibc's own mapping for large blocks does not pass here and is not counted twice.
 */
#include <sys/mman.h>

#include "preload/heap.h"
#include "preload/hook.h"

static void pages_map(const struct regs *from, void *addr, size_t len)
{
	struct thread *t = thread_enter();
	struct lane *lane = t ? lane_enter(t) : NULL;
	struct rec_alloc record = { .addr = (uintptr_t)addr, .size = len, .api = API_MMAP };

	if (!lane)
		return;
	record.stack = lane_stack(lane, from);
	lane_put(t, lane, EV_PAGES_MAP, clock_now(), &record, sizeof(record));
	if (lane->ext)
		codec_move_to(&lane->ext->stream, record.h.tick, record.addr);
	lane_leave(t, lane);
}

static void pages_unmap(void *addr, size_t len)
{
	struct thread *t = thread_enter();
	struct rec_pages record = { .addr = (uintptr_t)addr, .size = len, .api = API_MUNMAP };

	if (t)
		thread_put(t, EV_PAGES_UNMAP, clock_now(), &record, sizeof(record));
}

EXPORT void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	void *p;

	HOOK_READY(mmap);
	p = real.mmap(addr, len, prot, flags, fd, offset);
	if (heap_mode && p != MAP_FAILED) {
		struct regs from = REGS_OF_CALLER();

		pages_map(&from, p, len);
	}
	return p;
}

EXPORT void *mmap64(void *addr, size_t len, int prot, int flags, int fd, off64_t offset)
{
	void *p;

	HOOK_READY(mmap64);
	p = real.mmap64(addr, len, prot, flags, fd, offset);
	if (heap_mode && p != MAP_FAILED) {
		struct regs from = REGS_OF_CALLER();

		pages_map(&from, p, len);
	}
	return p;
}

EXPORT int munmap(void *addr, size_t len)
{
	HOOK_READY(munmap);
	if (heap_mode)
		pages_unmap(addr, len);
	return real.munmap(addr, len);
}
