/* SPDX-License-Identifier: MIT */
/*
 * recording.h - one opened dump with everything that is no event: stacks, modules, names, threads, descriptors.
 *
 * Events are streamed by pass.h. Ids out of the dump are looked up here and nowhere else; an id that the dump does
 * not hold is answered with 0, NULL or "".
 */
#ifndef RINGSIDE_RECORDING_H
#define RINGSIDE_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/read/clock.h"
#include "analyzer/symbols/modules.h"
#include "analyzer/read/reader.h"
#include "analyzer/symbols/stacks.h"

/* One descriptor that was open when the recording was read. */
struct open_fd {
	uint32_t fd;
	struct rsd_fd slot; /* own: of all threads */
};

struct recording {
	struct reader reader;
	struct clock clock;
	struct stacks *stacks; /* shared by all recordings of an analysis, not owned */
	struct stack_space *space;
	struct modules modules;
	struct rsd_thread *threads; /* by thread index; unused slots are zero */
	size_t threads_len, threads_cap;
	struct open_fd *fds;
	size_t fds_len, fds_cap;
	struct rsd_live *live; /* sampled blocks that were alive when the recording was read */
	size_t live_len, live_cap;
	struct map strings; /* id -> offset of its struct meta_string in the file */
	char **notices;	    /* sentences of the recorder */
	size_t notices_len, notices_cap;
	bool is_live;
	uint64_t end_tick; /* end of the recording as far as known; pass_run moves it to the last event */
	char *exe, *argv, *toggles, *host;
	size_t argv_len;
};

/*
 * recording_open - open `path` and read its tables.
 *
 * stacks:   kept, must outlive the recording.
 * Returns:  0 or -errno with one sentence in *error; after an error nothing is left to release.
 */
int recording_open(struct recording *rec, const char *path, struct stacks *stacks, struct buf *error);
void recording_release(struct recording *rec);

/* recording_stack - the canonical stack of an id in a record. */
static inline struct stack_id recording_stack(struct recording *rec, uint32_t id)
{
	return stacks_resolve(rec->space, id);
}

/* recording_string - append the text of a string id; nothing for id 0 and unknown ids. Reads the file. */
void recording_string(struct recording *rec, uint32_t id, struct buf *out);

/* recording_thread - the slot of a thread index, or NULL. */
static inline const struct rsd_thread *recording_thread(const struct recording *rec, uint32_t index)
{
	return index < rec->threads_len && rec->threads[index].state ? &rec->threads[index] : NULL;
}

/* recording_end_ns - from start to end of the recording. */
uint64_t recording_end_ns(const struct recording *rec);

/* recording_name - base name of the executable. */
const char *recording_name(const struct recording *rec);

/* recording_counter - one number of counters.def. */
static inline uint64_t recording_counter(const struct recording *rec, unsigned slot)
{
	return slot < RSD_COUNTERS ? rec->reader.header.counter[slot] : 0;
}

#endif
