// SPDX-License-Identifier: MIT
/*
 * wrap.c - a library to preload that stands where the recorder would: its wrappers capture the stack of their
 * caller from the same registers, and compare it. See watch.h.
 */
#include "preload/hook.h"

#include <errno.h>
#include <unistd.h>

#include "preload/thread.h"
#include "tests/oracle/watch.h"

EXPORT void *malloc(size_t size);
EXPORT void free(void *block);
EXPORT void *calloc(size_t n, size_t size);
EXPORT void *realloc(void *block, size_t size);
EXPORT int posix_memalign(void **out, size_t align, size_t size);
EXPORT void *aligned_alloc(size_t align, size_t size);
EXPORT void *memalign(size_t align, size_t size);
EXPORT void _exit(int status);

/* What the recorder's own hook_dl.c, which is part of this library, asks for. */
struct real real;
static struct life state_of_life;
struct life *life = &state_of_life;

static void (*real_exit)(int);
static int (*real_dlclose)(void *);

#define LOOK_UP(name) real.name = (__typeof__(real.name))dlsym(RTLD_NEXT, #name)

/* As if the thread were interrupted for a while between the unloading and what the recorder does about it. */
static int late_dlclose(void *handle)
{
	int ret = real_dlclose(handle);

	watch_be_late();
	return ret;
}

/* A libc whose dlsym allocates gets nothing and makes do with a buffer of its own. */
static bool look_up(void)
{
	static bool is_begun;

	if (is_begun)
		return real.memalign != NULL;
	is_begun = true;
	real_exit = (void (*)(int))dlsym(RTLD_NEXT, "_exit");
	LOOK_UP(malloc);
	LOOK_UP(free);
	LOOK_UP(calloc);
	LOOK_UP(realloc);
	LOOK_UP(posix_memalign);
	LOOK_UP(aligned_alloc);
	real_dlclose = (int (*)(void *))dlsym(RTLD_NEXT, "dlclose");
	real.dlclose = late_dlclose;
	LOOK_UP(memalign); /* the last one: when it is there, all are */
	return true;
}

void hook_begin(void)
{
	look_up();
}

#define IS_READY (__builtin_expect(real.memalign != NULL, 1) || look_up())

/* As in the recorder: after the call, before the end of a block. */
#define WATCH()                                                                                                        \
	do {                                                                                                           \
		struct regs from = REGS_OF_CALLER();                                                                   \
                                                                                                                       \
		watch_call(&from);                                                                                     \
	} while (0)

EXPORT void *malloc(size_t size)
{
	void *block = IS_READY ? real.malloc(size) : NULL;

	WATCH();
	return block;
}

EXPORT void free(void *block)
{
	if (!block)
		return;
	WATCH();
	if (IS_READY)
		real.free(block);
}

EXPORT void *calloc(size_t n, size_t size)
{
	void *block = IS_READY ? real.calloc(n, size) : NULL;

	WATCH();
	return block;
}

EXPORT void *realloc(void *old, size_t size)
{
	void *block = IS_READY ? real.realloc(old, size) : NULL;

	WATCH();
	return block;
}

EXPORT int posix_memalign(void **to, size_t align, size_t size)
{
	int err = IS_READY ? real.posix_memalign(to, align, size) : ENOMEM;

	WATCH();
	return err;
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
	void *block = IS_READY ? real.aligned_alloc(align, size) : NULL;

	WATCH();
	return block;
}

EXPORT void *memalign(size_t align, size_t size)
{
	void *block = IS_READY ? real.memalign(align, size) : NULL;

	WATCH();
	return block;
}

EXPORT void _exit(int status)
{
	watch_end();
	if (IS_READY)
		real_exit(status);
	__builtin_unreachable();
}

static __attribute__((constructor)) void begin(void)
{
	look_up();
	if (watch_begin())
		state_of_life.state = LIFE_RECORDING;
}

static __attribute__((destructor)) void end(void)
{
	watch_end();
}
