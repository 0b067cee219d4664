/* SPDX-License-Identifier: MIT */
/* compiler.h - what is said to the compiler: what is usual, and what stays inside the library. */
#ifndef RINGSIDE_PRELOAD_COMPILER_H
#define RINGSIDE_PRELOAD_COMPILER_H

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/*
 * -fvisibility=hidden is about definitions only. An extern variable that wrappers read all the time says so itself, or
 * its address is loaded first.
 */
#define HIDDEN __attribute__((visibility("hidden")))

#endif
