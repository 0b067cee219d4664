/* SPDX-License-Identifier: MIT */
/*
 * old_libc.h - include in every file that calls dlsym and its kin, so that one build also loads where they had
 * their first symbol version and still lived in libdl.
 */
#ifndef RINGSIDE_PRELOAD_OLD_LIBC_H
#define RINGSIDE_PRELOAD_OLD_LIBC_H

#if defined(__x86_64__)
__asm__(".symver dlsym, dlsym@GLIBC_2.2.5");
__asm__(".symver dlvsym, dlvsym@GLIBC_2.2.5");
__asm__(".symver dlerror, dlerror@GLIBC_2.2.5");
#endif

#endif
