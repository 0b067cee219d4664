/* SPDX-License-Identifier: MIT */
/* inittrace.h - inittrace=1: time and allocations of each library's constructors, one line each on stderr. */
#ifndef RINGSIDE_PRELOAD_INITTRACE_H
#define RINGSIDE_PRELOAD_INITTRACE_H

/*
 * inittrace_begin - put a timer in front of the constructors of every object loaded so far.
 *
 * Only from our constructor, which runs before the others. Each object's first DT_INIT_ARRAY entry is replaced by a
 * function that runs all of them and prints; the others become empty. Objects beyond a fixed number, and
 * those whose table can't be written, are left as they are.
 */
void inittrace_begin(void);

#endif
