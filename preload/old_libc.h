/* SPDX-License-Identifier: MIT */
/*
 * old_libc.h - include in every file that calls dlsym and its kin, so that one build also loads where they had
 * their first symbol version and still lived in libdl.
 */
#ifndef RINGSIDE_PRELOAD_OLD_LIBC_H
#define RINGSIDE_PRELOAD_OLD_LIBC_H

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A program for musl may be started with the library preloaded, by a recorded program that knows nothing of it. musl's
 * loader ends a program whose preloaded library lacks a symbol, so what musl hasn't got is asked for weakly.
 */
#pragma weak dlvsym
#pragma weak _r_debug
#pragma weak gnu_get_libc_version
const char *gnu_get_libc_version(void);

/* libc_is_glibc - else nothing is recorded: musl passes constructors no arguments, and its structures are others. */
static inline bool libc_is_glibc(void)
{
	return gnu_get_libc_version != NULL;
}

#if defined(__x86_64__)
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");
__asm__(".symver dlvsym, dlvsym@GLIBC_2.2.5");
__asm__(".symver dlerror, dlerror@GLIBC_2.2.5");
#endif

#endif
