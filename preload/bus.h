/* SPDX-License-Identifier: MIT */
/*
 * bus.h - pages of the dump that are gone: somebody truncated the file, or an old kernel found the disk full.
 *
 * The kernel says so by SIGBUS at the next store, which would be the program's end. So as long as the program leaves
 * SIGBUS at its default, ours is there: it puts empty memory in the page's place and recording ends. Every other bus
 * error has the effect that it has without us, at the same instruction. The program sees "default" (hook_signal.c); a
 * handler of its own replaces ours for good.
 */
#ifndef RINGSIDE_PRELOAD_BUS_H
#define RINGSIDE_PRELOAD_BUS_H

#include <stdbool.h>

/* bus_begin - once at start, after the dump is mapped. */
void bus_begin(void);

/* bus_is_ours - is the handler of `sig` in this process ours, and to be hidden? */
bool bus_is_ours(int sig);

#endif
