/* SPDX-License-Identifier: MIT */
/*
 * life.h - start, fork, exit: the order in which the parts come up and go down.
 *
 * Start is the library's constructor, which runs before all others (-z initfirst). There is no teardown: at
 * exit only the last numbers are written, and everything keeps working, because other threads still run.
 */
#ifndef RINGSIDE_PRELOAD_LIFE_H
#define RINGSIDE_PRELOAD_LIFE_H

#include <stdbool.h>
#include <stdint.h>

/* life_child - first event in a child of fork: open its own dump or switch off. true: recording. */
bool life_child(void);

/* life_started - the constructor has run. */
bool life_started(void);

#endif
