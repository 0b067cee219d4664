/* SPDX-License-Identifier: MIT */
/*
 * live.h - the table of sampled blocks that are alive, in the dump itself (struct rsd_live).
 *
 * A ring overwrites the record of an old allocation; what is alive is still known from here. Entries are dense and used
 * again, so the table is as large as there were sampled blocks at one time. All functions are async-signal-safe and
 * lock-free, errno is kept.
 */
#ifndef RINGSIDE_PRELOAD_LIVE_H
#define RINGSIDE_PRELOAD_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "format/record.h"

/* live_begin - an empty table, in a new dump. false: no memory. */
bool live_begin(void);

/* live_add - returns the entry's number, 0 when there is no room in the table or the file. */
uint32_t live_add(const struct rsd_live *block);

/* live_remove - 0 is nothing. */
void live_remove(uint32_t entry);

#endif
