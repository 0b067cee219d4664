/* SPDX-License-Identifier: MIT */
/*
 * firefox.h - a profile for the Firefox Profiler while it is made: gathered from the events (firefox_gather.c), then
 * written thread by thread (firefox_threads.c) with the tables that they share (firefox_shared.c).
 */
#ifndef RINGSIDE_EXPORTS_FIREFOX_H
#define RINGSIDE_EXPORTS_FIREFOX_H

#include "analyzer/exports/curve.h"
#include "analyzer/exports/export.h"
#include "analyzer/exports/frame_tree.h"
#include "analyzer/models/lives.h"
#include "analyzer/util/json.h"

#define FIREFOX_EVENTS_MAX ((size_t)1 << 18) /* of waits, samples, annotations and rows of the heap each */

enum category { IN_OTHER, IN_PROGRAM, IN_LIBRARY, OF_LOCKS, OF_SYNC, OF_IO, OF_TIME, OF_NOTES };

enum marker_type { OF_WAIT, OF_REGION, OF_TASK, OF_LOG, OF_MARK, OF_COUNTER };

struct marker {
	uint64_t begin, end; /* ns; end is also that of instants */
	uint64_t object;     /* of a wait; of others the task they belong to */
	uint64_t amount;     /* of a wait; of a counter its value */
	uint64_t blocked_ns;
	uint32_t name; /* in the table of strings */
	uint32_t text; /* string id of the recording */
	struct stack_id stack;
	uint32_t peer;
	uint16_t wait, err;
	uint8_t type;
	bool is_unfinished;
};

struct sample {
	uint64_t ns, cpu_ns;
	struct stack_id stack;
	uint32_t weight;
};

/* Blocks of one stack that were allocated in one part of the time. */
struct heap_row {
	struct stack_id stack;
	uint64_t first_ns, freed_ns; /* the first allocation, the last free */
	uint64_t bytes, freed;
};

struct markers {
	struct marker *list;
	size_t len, cap;
};

/* A region that a thread is in: where its marker is. */
struct inside {
	uint64_t id;
	size_t marker;
};

struct track {
	struct markers waits, notes; /* once gathered, `waits` has both */
	struct sample *samples;
	size_t samples_len, samples_cap;
	struct heap_row *rows;
	size_t rows_len, rows_cap;
	struct inside *regions; /* outermost first */
	size_t regions_len, regions_cap;
};

struct firefox {
	struct export_run *r;
	struct recording *rec;
	struct json j;
	struct frame_tree tree;
	struct track *tracks; /* by thread index */
	struct map tasks;     /* open ones: id -> thread << 32 | note */
	struct lives lives;
	struct curve heap, rss, rss_most; /* rss_most: the most so far, where the recording knows only that */
	uint64_t live_bytes, part_ns, addresses;
	struct map row_of; /* thread, stack and part of the time -> row of the thread */
	size_t rows_len;
	/* The table of strings. */
	struct map string_of;	 /* hash of the text -> number */
	struct map of_recording; /* its string ids -> number */
	char **strings;
	size_t strings_len, strings_cap;
	/* How much was gathered, and what was not. */
	size_t waits_len, samples_len, notes_len;
	uint64_t wait_min_ns, waits_left, waits_left_ns, notes_left, samples_joined;
	bool failed;
};

static inline uint64_t firefox_ns(const struct firefox *f, uint64_t tick)
{
	return clock_ns(&f->rec->clock, tick);
}

static inline double firefox_interval_ms(const struct firefox *f)
{
	return f->rec->reader.header.cpu_hz ? 1e3 / f->rec->reader.header.cpu_hz : 1;
}

extern const char *const firefox_types[]; /* by enum marker_type */

/* firefox_gather - one pass over the recording. 0 or -errno. */
int firefox_gather(struct firefox *f);

/* firefox_string - the number of a text in the table of strings, which is written last. */
uint32_t firefox_string(struct firefox *f, const char *text);

/* Members of the profile. firefox_shared: 0 or -ENOMEM. */
void firefox_threads(struct firefox *f);
void firefox_counters(struct firefox *f);
int firefox_shared(struct firefox *f);

/* A column: begins an array that json_end ends; an index counted from 1, 0 is null; a whole column of one value, NULL
 * is null. */
void firefox_column(struct firefox *f, const char *key);
void firefox_index(struct firefox *f, uint32_t number);
void firefox_same(struct firefox *f, const char *key, size_t len, const char *value);

#endif
