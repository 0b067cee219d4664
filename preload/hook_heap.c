/* SPDX-License-Identifier: MIT */
/*
 * hook_heap.c - the allocation family.
 *
 * The same pointers, sizes, errors and errno as without us: no headers, no padding. malloc_usable_size is left
 * alone. C++ new and delete reach these through libstdc++; their callers show in the stack.
 *
 * The four that programs live on have two parts. The name that is exported decides whether there is anything to do:
 * when sampling, nearly always not, and then it jumps to the original. What it doesn't decide it leaves to
 * NAME_recorded, by a jump as well, so that this one's caller is the program.
 */
#include "preload/hook.h"
#include "preload/heap_exact.h"
#include "preload/sampled.h"

#include <errno.h>

EXPORT void *malloc(size_t size);
EXPORT void free(void *block);
EXPORT void *calloc(size_t n, size_t size);
EXPORT void *realloc(void *block, size_t size);
EXPORT void *reallocarray(void *block, size_t n, size_t size);
EXPORT int posix_memalign(void **out, size_t align, size_t size);
EXPORT void *aligned_alloc(size_t align, size_t size);
EXPORT void *memalign(size_t align, size_t size);
EXPORT void *valloc(size_t size);
EXPORT void *pvalloc(size_t size);

/*
 * What a failing dlsym allocates while the originals are being looked up comes from here and is never freed.
 * Bumped atomically: another thread's constructor may be at it too.
 */
static char boot_memory[64 << 10] __attribute__((aligned(16)));
static size_t boot_used;

static void *boot_alloc(size_t size)
{
	size_t at;

	hook_begin();
	size = (size + 15) & ~(size_t)15;
	heap_has_boot_blocks = true;
	at = __atomic_fetch_add(&boot_used, size, __ATOMIC_RELAXED);
	return size && at + size <= sizeof(boot_memory) ? boot_memory + at : NULL;
}

static bool is_boot_memory(const void *block)
{
	return (const char *)block >= boot_memory && (const char *)block < boot_memory + sizeof(boot_memory);
}

/* True when `name` may be called now; looks the originals up first if need be. */
#define KNOWN(name) (likely(real.name != NULL) || (hook_begin(), real.name != NULL))

#define RECORDED __attribute__((noinline)) static

/* Is an allocation of `size` bytes one of those that need not be looked at? Then it is counted down. */
static inline bool is_skipped(struct thread *t, size_t size)
{
	if (!t || size >= t->skip_bytes)
		return false;
	t->skip_bytes -= size;
	return true;
}

static void record_alloc(const struct regs *from, enum rsd_api api, void *block, size_t size)
{
	if (heap_mode && block)
		heap_alloc(from, api, block, size);
}

/*
 * NAME_odd - a call that NAME_recorded leaves to it by a jump too: one that is to be timed, or of a thread that is not
 * known yet, perhaps before the originals are.
 */
RECORDED void *malloc_odd(size_t size)
{
	struct regs from = REGS_OF_CALLER();
	enum heap_timing timing = heap_begin_timed(thread_self);
	uint64_t before = timing ? clock_tsc() : 0;
	void *block = KNOWN(malloc) ? real.malloc(size) : boot_alloc(size);

	if (timing)
		heap_timed(&from, timing, API_MALLOC, size, before, clock_tsc());
	record_alloc(&from, API_MALLOC, block, size);
	return block;
}

RECORDED void *malloc_recorded(size_t size)
{
	struct thread *t = thread_self;
	struct regs from;
	void *block;

	if (unlikely(!t || t->timing))
		return malloc_odd(size);
	block = real.malloc(size);
	from = REGS_OF_CALLER();
	if (likely(block && life->is_heap_plain))
		heap_exact_alloc(t, &from, API_MALLOC, clock_tsc(), block, size);
	else
		record_alloc(&from, API_MALLOC, block, size);
	return block;
}

EXPORT void *malloc(size_t size)
{
	if (is_skipped(thread_self, size))
		return real.malloc(size);
	return malloc_recorded(size);
}

RECORDED void free_odd(void *block)
{
	struct regs from = REGS_OF_CALLER();
	enum heap_timing timing = heap_begin_timed(thread_self);
	uint64_t before;

	if (heap_mode)
		heap_free(&from, API_FREE, block, 0);
	if (!KNOWN(free))
		return;
	before = timing ? clock_tsc() : 0;
	real.free(block);
	if (timing)
		heap_timed(&from, timing, API_FREE, 0, before, clock_tsc());
}

/* A free whose stack is recorded. */
RECORDED void free_chosen(void *block, struct thread *t, uint64_t now)
{
	struct regs from = REGS_OF_CALLER();

	heap_exact_free_at(t, &from, API_FREE, block, now);
	real.free(block);
}

RECORDED void free_recorded(void *block)
{
	struct thread *t = thread_self;
	uint64_t now;

	if (!block || unlikely(is_boot_memory(block)))
		return;
	if (unlikely(!heap_is_plain(t) || t->timing)) {
		free_odd(block);
		return;
	}
	now = clock_tsc();
	if (unlikely(heap_is_chosen(t, now))) {
		free_chosen(block, t, now);
		return;
	}
	heap_exact_free(t, API_FREE, block, now);
	real.free(block);
}

EXPORT void free(void *block)
{
	if (sampled_is_other(block))
		real.free(block);
	else
		free_recorded(block);
}

RECORDED void *calloc_odd(size_t n, size_t size)
{
	struct regs from = REGS_OF_CALLER();
	enum heap_timing timing = heap_begin_timed(thread_self);
	uint64_t before = timing ? clock_tsc() : 0;
	void *block = KNOWN(calloc) ? real.calloc(n, size) : boot_alloc(n * size);

	if (timing)
		heap_timed(&from, timing, API_CALLOC, n * size, before, clock_tsc());
	record_alloc(&from, API_CALLOC, block, n * size);
	return block;
}

RECORDED void *calloc_recorded(size_t n, size_t size)
{
	struct thread *t = thread_self;
	struct regs from;
	void *block;

	if (unlikely(!t || t->timing))
		return calloc_odd(n, size);
	block = real.calloc(n, size);
	from = REGS_OF_CALLER();
	if (likely(block && life->is_heap_plain))
		heap_exact_alloc(t, &from, API_CALLOC, clock_tsc(), block, n * size);
	else
		record_alloc(&from, API_CALLOC, block, n * size);
	return block;
}

EXPORT void *calloc(size_t n, size_t size)
{
	size_t bytes;

	if (!__builtin_mul_overflow(n, size, &bytes) && is_skipped(thread_self, bytes))
		return real.calloc(n, size);
	return calloc_recorded(n, size);
}

/* A block from the boot arena moves to the heap; its size is not known, so as much as may be its own is copied. */
static void *boot_realloc(void *old, size_t size)
{
	size_t most = (size_t)(boot_memory + sizeof(boot_memory) - (char *)old);
	void *block = real.malloc(size);

	if (block)
		__builtin_memcpy(block, old, size < most ? size : most);
	return block;
}

static void record_realloc(const struct regs *from, enum rsd_api api, uint64_t before, void *old, void *block,
			   size_t size)
{
	struct thread *t = thread_self;

	if (likely(heap_is_plain(t)))
		heap_exact_realloc(t, from, api, before, clock_tsc(), old, block, size);
	else
		heap_realloc(from, api, before, old, block, size);
}

static void *resize(enum rsd_api api, void *old, size_t size, const struct regs *from)
{
	struct thread *t;
	uint64_t before, usable = 0;
	enum heap_timing timing;
	void *block;

	if (!heap_mode)
		return unlikely(is_boot_memory(old)) ? boot_realloc(old, size) : real.realloc(old, size);
	if (unlikely(is_boot_memory(old))) {
		block = boot_realloc(old, size);
		if (block)
			heap_alloc(from, api, block, size);
		return block;
	}
	/* Not recorded may mean that the clock must not be read: seccomp's strict mode forbids even that. */
	t = thread_enter();
	if (unlikely(!t))
		return real.realloc(old, size);
	thread_settle(t);
	if (unlikely(heap_is_counted) && old && real.malloc_usable_size)
		usable = real.malloc_usable_size(old);
	timing = unlikely(t->timing) ? heap_begin_timed(t) : HEAP_UNTIMED;
	before = clock_now();
	block = real.realloc(old, size);
	if (timing)
		heap_timed(from, timing, api, size, before, clock_now());
	if (!old) {
		record_alloc(from, api, block, size);
		return block;
	}
	if (usable && (block || !size))
		t->slot->usable_live -= usable;
	if (likely(block != NULL))
		record_realloc(from, api, before, old, block, size);
	else if (!size)
		heap_free(from, api, old, before); /* realloc(p, 0) freed it */
	return block;
}

RECORDED void *realloc_recorded(void *old, size_t size)
{
	struct regs from = REGS_OF_CALLER();

	return KNOWN(realloc) ? resize(API_REALLOC, old, size, &from) : NULL;
}

EXPORT void *realloc(void *old, size_t size)
{
	if (sampled_is_other(old) && is_skipped(thread_self, size))
		return real.realloc(old, size);
	return realloc_recorded(old, size);
}

extern __typeof__(realloc) hook_own_realloc __attribute__((alias("realloc"), copy(realloc)));

/*
 * By the original realloc: glibc's reallocarray calls realloc through the PLT, that is the wrapper above, and the block
 * would be recorded twice. When somebody before us has an allocator (the program itself, or a library preloaded first),
 * blocks are his.
 */
EXPORT void *reallocarray(void *old, size_t n, size_t size)
{
	struct regs from = REGS_OF_CALLER();
	size_t total;

	if (!KNOWN(realloc))
		return NULL;
	if (__builtin_mul_overflow(n, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	/* Some allocators have all of the family but this: the block is theirs, not the next one's after us. */
	if (unlikely(hook_front_realloc))
		return hook_front_realloc(old, total);
	return resize(API_REALLOCARRAY, old, total, &from);
}

EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
	int err;

	if (!KNOWN(posix_memalign))
		return 12; /* ENOMEM */
	err = real.posix_memalign(out, align, size);
	if (heap_mode && !err && *out) {
		struct regs from = REGS_OF_CALLER();

		heap_alloc(&from, API_POSIX_MEMALIGN, *out, size);
	}
	return err;
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
	void *block = KNOWN(aligned_alloc) ? real.aligned_alloc(align, size) : NULL;

	if (heap_mode && block) {
		struct regs from = REGS_OF_CALLER();

		heap_alloc(&from, API_ALIGNED_ALLOC, block, size);
	}
	return block;
}

EXPORT void *memalign(size_t align, size_t size)
{
	void *block = KNOWN(memalign) ? real.memalign(align, size) : NULL;

	if (heap_mode && block) {
		struct regs from = REGS_OF_CALLER();

		heap_alloc(&from, API_MEMALIGN, block, size);
	}
	return block;
}

EXPORT void *valloc(size_t size)
{
	void *block = KNOWN(valloc) ? real.valloc(size) : NULL;

	if (heap_mode && block) {
		struct regs from = REGS_OF_CALLER();

		heap_alloc(&from, API_VALLOC, block, size);
	}
	return block;
}

EXPORT void *pvalloc(size_t size)
{
	void *block = KNOWN(pvalloc) ? real.pvalloc(size) : NULL;

	if (heap_mode && block) {
		struct regs from = REGS_OF_CALLER();

		heap_alloc(&from, API_PVALLOC, block, size);
	}
	return block;
}
