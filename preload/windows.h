/* SPDX-License-Identifier: MIT */
/*
 * windows.h - the dump's address space: windows onto the file, mapped one after another as it fills.
 *
 * One mapping of all that the file may ever become would be simpler, and was found to break hosts: a program that sets
 * RLIMIT_AS for itself is beyond it at once, mlockall(MCL_CURRENT) fills the page cache with the file's holes, and
 * without privileges fails. A further window needs no descriptor and no path (closed, and perhaps out of reach by
 * now): mremap with an old size of 0 makes a second mapping of the file that a shared mapping shows.
 *
 * Windows never move and are never unmapped. All functions are async-signal-safe, lock-free and keep errno.
 */
#ifndef RINGSIDE_PRELOAD_WINDOWS_H
#define RINGSIDE_PRELOAD_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "format/record.h"

/* windows_begin - map the beginning of the file that `fd` is, `size` bytes long. NULL: the system refuses. */
struct rsd_header *windows_begin(int fd, uint64_t size);

/*
 * windows_begin_again - in a process that has no other: `first` is the first window, windows_first_bytes() long. The
 * file's size is known by its header.
 */
void windows_begin_again(struct rsd_header *first);
uint64_t windows_first_bytes(void);

/* windows_hold - do `units` units from `unit` on lie in one window? */
bool windows_hold(uint64_t unit, unsigned units);

/* windows_at - where `unit` is mapped, NULL when the system refuses more address space. */
void *windows_at(uint64_t unit);

/*
 * windows_inherit - in a child of fork: the first page of its parent's dump, the only one that is inherited, or NULL.
 * There is one thing to do with it: to count that the child is missing. windows_disown - that is done.
 */
struct rsd_header *windows_inherit(void);
void windows_disown(void);

/* windows_contain - does `address` lie in the dump, or in that page of the parent's? */
bool windows_contain(uintptr_t address);

/*
 * windows_stand_in - in a child of fork, where nothing is mapped: empty memory of its own in all the windows' places.
 * The recorder may have been interrupted at its work by a signal handler that forked, and goes on in both processes.
 * Cost: about 1 us a window.
 */
void windows_stand_in(void);

#endif
