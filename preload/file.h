/* SPDX-License-Identifier: MIT */
/*
 * file.h - the mapped dump: creation, extents, and the multi-writer META records.
 *
 * The file is created, sized (sparse), mapped and closed in file_open; afterwards everything is an atomic add
 * on the header and MADV_POPULATE_WRITE, so the process keeps no descriptor and a full disk is an error
 * code. All functions are async-signal-safe, lock-free and keep errno unless said otherwise.
 */
#ifndef RINGSIDE_PRELOAD_FILE_H
#define RINGSIDE_PRELOAD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/record.h"
#include "preload/compiler.h"

/* The mapping, or NULL while nothing is recorded (not begun, failed, child not yet reopened). */
extern struct rsd_header *file_header HIDDEN;

/* How many dumps this process and those it was forked from have opened: what belongs to another one has another number.
 */
extern uint32_t file_generation;

/*
 * file_extent - take a new extent of `units` units.
 *
 * The header is filled but not yet visible: the caller prepares the data and then calls extent_publish.
 * populate: bytes from the extent's start that are made writable now (rounded up to pages; 0 for all).
 * Returns:  the extent, or NULL when the file is full, the disk is, or nothing is recorded; the loss is the
 *           caller's to count.
 * Cost:     about 2 us a page populated.
 */
struct rsd_extent *file_extent(enum rsd_extent_kind kind, unsigned units, uint32_t thread, uint32_t first,
			       size_t populate);

/* extent_publish - let readers see it. */
static inline void extent_publish(struct rsd_extent *ext)
{
	__atomic_store_n(&ext->magic, RSD_EXTENT_MAGIC, __ATOMIC_RELEASE);
}

static inline void *extent_data(struct rsd_extent *ext)
{
	return ext + 1;
}

/* Bytes of data an extent can hold. */
static inline size_t extent_capacity(const struct rsd_extent *ext)
{
	return (size_t)ext->units * RSD_UNIT - sizeof(*ext);
}

/* file_count - add to a counter of counters.def. */
static inline void file_count(enum rsd_counter counter, uint64_t n)
{
	if (file_header)
		__atomic_fetch_add(&file_header->counter[counter], n, __ATOMIC_RELAXED);
}

/*
 * file_lost - the same for what found no room. After the end was recorded the file takes no more, and what happens
 * then, between the last exit handler and the kernel's exit, is no part of the recording.
 */
static inline void file_lost(enum rsd_counter counter, uint64_t n)
{
	if (file_header && __atomic_load_n(&file_header->end_kind, __ATOMIC_RELAXED) == RSD_END_NONE)
		file_count(counter, n);
}

/* file_note_memory - the recorder's own memory as of now into the dump: when threads begin and at the end. */
void file_note_memory(void);

/*
 * file_populate - make [p, p+size) writable without SIGBUS.
 * Returns 0 or -errno (-EFAULT: disk full). On kernels before 5.14 it touches nothing and returns 0.
 */
int file_populate(void *p, size_t size);

/*
 * file_rest - nobody is going to touch this extent soon. Its pages stay in the page cache and leave this process, whose
 * memory would seem to grow with its recording. Whoever does touch it gets them back. About 20 us a MiB.
 * With an extent that lies FILE_OLD_UNITS behind the end rest its neighbours, which a touch may have brought back.
 */
#define FILE_OLD_UNITS 64u
void file_rest(struct rsd_extent *ext);

/*
 * meta_reserve - room for a META record of `size` bytes (head included), head stored uncommitted.
 * Returns the record or NULL (lost). The caller fills what follows the head, then meta_commit.
 */
void *meta_reserve(enum rsd_meta_kind kind, size_t size);
void meta_commit(void *record);

/* meta_string - store `len` bytes of text (cut at RSD_STRING_MAX) and return its string id, 0 when lost. */
uint32_t meta_string(const char *text, size_t len);

/* meta_notice - a sentence for the end of every report: "exact until 1.2 s, then sampled". */
void meta_notice(const char *text);

#endif
