/* SPDX-License-Identifier: MIT */
/*
 * reach.h - reach=exit|mark|signal:NAME: who points to which block at one moment, without ptrace.
 *
 * The process makes a copy of itself by a bare clone and goes on. The copy has all memory as it was, no other thread
 * and nothing to lose: it looks for words that point into the heap, writes them into the dump and ends. The program is
 * not to notice: no signal when the copy ends, none of its fork handlers run, wait() does not see it, the copy closes
 * all descriptors at once. At exit the copy is waited for, because the dump is complete only then.
 *
 * Not seen: registers of other threads (only what their stacks hold), memory that is shared or that the program keeps
 * from its children (MADV_DONTFORK, MADV_WIPEONFORK).
 */
#ifndef RINGSIDE_PRELOAD_REACH_H
#define RINGSIDE_PRELOAD_REACH_H

#include <stddef.h>
#include <stdint.h>

#define REACH_SNAPSHOTS_MOST 16u /* per process; each leaves a process that has ended behind until exit */

/* reach_begin - obey the toggle: in a new process, and in a child of fork, whose dump has no snapshots yet. */
void reach_begin(void);

/* reach_exit - the process is about to end: the snapshot of reach=exit, and the end of all others. Takes its time. */
void reach_exit(void);

/* reach_exit_mute - the same where no system call may be made: what is missing is counted. */
void reach_exit_mute(void);

/* reach_mark - a mark was set whose name has this string id. Keeps errno. */
void reach_mark(uint32_t name);

#endif
