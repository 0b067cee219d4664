/* SPDX-License-Identifier: MIT */
/* proc.h - numbers of this process from /proc, by raw system calls; a descriptor is open for a moment. */
#ifndef RINGSIDE_PRELOAD_PROC_H
#define RINGSIDE_PRELOAD_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* proc_read - up to `size` bytes of a file; the number read, or -errno. */
long proc_read(const char *path, char *buf, size_t size);

/* proc_memory - resident memory now, and how much of it belongs to files or is shared. false when unknown. */
bool proc_memory(uint64_t *rss_bytes, uint64_t *file_bytes);

/* proc_rss_bytes - resident memory now, 0 when unknown. */
uint64_t proc_rss_bytes(void);

/* proc_is_runnable - thread `tid` is on a processor or waits for one (state R). */
bool proc_is_runnable(uint32_t tid);

/* proc_start_time - field 22 of /proc/self/stat: tells two processes with one pid apart. */
uint64_t proc_start_time(void);

/* proc_is_over - the first thread has ended, and the calling one is the only other. */
bool proc_is_over(void);

/* proc_thread_name - the name of thread `tid` into `name`, which is kept when it can't be read. */
void proc_thread_name(uint32_t tid, char name[16]);

#endif
