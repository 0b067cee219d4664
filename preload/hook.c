/* SPDX-License-Identifier: MIT */
/*
 * hook.c - looking the originals up.
 *
 * A successful dlsym allocates nothing; a failing one may (its error text), by way of our own malloc, so the
 * allocation functions come first. dlvsym is asked where libc has two implementations of one name, because
 * plain dlsym(RTLD_NEXT) returned the old one before glibc 2.36.
 */
#include "preload/hook.h"

#include <dlfcn.h>
#include <link.h>

#include "preload/old_libc.h"

struct real real;
long (*hook_next_syscall)(long n, ...);
void *(*hook_front_realloc)(void *block, size_t size);

static void *look_up(const char *name, const char *version)
{
	void *p = version && dlvsym ? dlvsym(RTLD_NEXT, name, version) : NULL;

	return p ? p : dlsym(RTLD_NEXT, name);
}

/*
 * The realloc that the program calls, when that is not ours. Asked in the program's name, whose link map is a handle:
 * RTLD_DEFAULT begins with this library, since it is linked with -Bsymbolic.
 */
static void find_front(void)
{
	void *front = &_r_debug && _r_debug.r_map ? dlsym(_r_debug.r_map, "realloc") : NULL;

	if (front && front != (void *)hook_own_realloc)
		hook_front_realloc = (void *(*)(void *, size_t))front;
}

void hook_begin(void)
{
	static bool begun;

	/* Set at the beginning: before glibc 2.34 a thread's first dlsym allocates, and comes back here by our calloc.
	 */
	if (__atomic_exchange_n(&begun, true, __ATOMIC_ACQ_REL))
		return;
#define HOOK(ret, name, params, version) real.name = (ret(*) params)look_up(#name, version);
#define REAL(ret, name, params, version) real.name = (ret(*) params)look_up(#name, version);
#include "preload/hooks.def"
	hook_next_syscall = real.syscall;
	find_front();
	/* A missing optional function left an error text behind that the program would find. */
	dlerror();
}
