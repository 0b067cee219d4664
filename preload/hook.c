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

#include "preload/old_libc.h"

struct real real;
bool hook_realloc_is_foreign;
long (*hook_next_syscall)(long n, ...);

static void *look_up(const char *name, const char *version)
{
	void *p = version && dlvsym ? dlvsym(RTLD_NEXT, name, version) : NULL;

	return p ? p : dlsym(RTLD_NEXT, name);
}

/*
 * Is `name` another's, for the program and its libraries? RTLD_DEFAULT would say no: being linked with -Bsymbolic, we
 * are the first who is searched for us. The first link map is what dlopen(NULL) returns, which may allocate.
 */
static bool is_foreign(const char *name, void *ours)
{
	void *program = &_r_debug ? _r_debug.r_map : NULL;
	void *found = program ? dlsym(program, name) : NULL;

	return found && found != ours;
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
	hook_realloc_is_foreign = is_foreign("realloc", (void *)realloc);
	/* A missing optional function left an error text behind that the program would find. */
	dlerror();
}
