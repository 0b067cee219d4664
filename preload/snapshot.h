/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h - trigger=signal:NAME|block:DURATION|rss:SIZE: a copy of the dump at a moment of interest.
 *
 * With ring=SIZE the dump holds the newest events; a snapshot keeps them as FILE.snapN before they are
 * overwritten. It is written by the thread that saw the trigger, which waits for it (about 1 ms per MB); at most
 * SNAPSHOTS_MOST per process.
 */
#ifndef RINGSIDE_PRELOAD_SNAPSHOT_H
#define RINGSIDE_PRELOAD_SNAPSHOT_H

#include <stdint.h>

#define SNAPSHOTS_MOST 16u

/* Ticks of trigger=block:DURATION, UINT64_MAX when there is none. */
extern uint64_t snapshot_block_ticks;

/* snapshot_begin - parse the toggle and arm it; an unknown trigger was told by config_tell. */
void snapshot_begin(void);

/* snapshot_take - write one now. Async-signal-safe; one at a time, a second one meanwhile is skipped. */
void snapshot_take(void);

/* snapshot_check_rss - called now and then: trigger=rss:SIZE fires when the process first grows past it. */
void snapshot_check_rss(void);

#endif
