/* SPDX-License-Identifier: MIT */
/*
 * perfetto.h - a trace for Perfetto while it is made. perfetto_write.c writes packets and what they name,
 * perfetto_events.c makes them of waits, wake-ups, samples and annotations, perfetto_heap.c of memory, and perfetto.c
 * puts the file together. Numbers of messages and fields are Perfetto's.
 */
#ifndef RINGSIDE_EXPORTS_PERFETTO_H
#define RINGSIDE_EXPORTS_PERFETTO_H

#include "analyzer/exports/heap_sites.h"
#include "analyzer/exports/proto.h"
#include "analyzer/models/wakers.h"

enum { TRACE_PACKET = 1 };
enum {
	PACKET_CLOCKS = 6,
	PACKET_TIMESTAMP = 8,
	PACKET_SEQUENCE = 10,
	PACKET_EVENT = 11,
	PACKET_INTERNED = 12,
	PACKET_FLAGS = 13,
	PACKET_PROFILE = 37,
	PACKET_TRACK = 60,
	PACKET_SAMPLE = 66,
	PACKET_IS_FIRST = 87
};
enum { FLAG_CLEARED = 1, FLAG_NEEDS_STATE = 2 };
enum { CLOCKS_CLOCK = 1, CLOCK_ID = 1, CLOCK_TIMESTAMP = 2 };
enum { REALTIME = 1, MONOTONIC = 3, MONOTONIC_COARSE = 4, BOOTTIME = 6 };
enum { TRACK_UUID = 1, TRACK_NAME = 2, TRACK_PROCESS = 3, TRACK_THREAD = 4, TRACK_PARENT = 5, TRACK_COUNTER = 8 };
enum { PROCESS_PID = 1, PROCESS_NAME = 6, THREAD_PID = 1, THREAD_TID = 2, THREAD_NAME = 5 };
enum { COUNTER_UNIT = 3, BYTES = 3 };
enum {
	EVENT_CATEGORY = 3,
	EVENT_ANNOTATION = 4,
	EVENT_TYPE = 9,
	EVENT_NAME = 10,
	EVENT_TRACK = 11,
	EVENT_VALUE = 30,
	EVENT_DOUBLE = 44,
	EVENT_FLOW = 47,
	EVENT_FLOW_ENDS = 48,
	EVENT_CALLSTACK = 56
};
enum { TYPE_BEGIN = 1, TYPE_END = 2, TYPE_INSTANT = 3, TYPE_COUNTER = 4 };
enum { NOTE_NAME = 1, NOTE_BOOL = 2, NOTE_UINT = 3, NOTE_TEXT = 6, NOTE_POINTER = 7 };
enum { SAMPLE_PID = 2, SAMPLE_TID = 3, SAMPLE_CALLSTACK = 4, SAMPLE_MODE = 5, MODE_USER = 2 };
enum { PROFILE_DUMP = 5, PROFILE_CONTINUED = 6, PROFILE_INDEX = 7 };
enum { DUMP_PID = 1, DUMP_SAMPLE = 2, DUMP_TIMESTAMP = 9, DUMP_NAME = 11 };
enum { HEAP_CALLSTACK = 1, HEAP_ALLOCATED = 2, HEAP_FREED = 3, HEAP_ALLOCATIONS = 5, HEAP_FREES = 6 };

/* Tables of interned data, by their field. Those of texts have an entry of two fields. */
enum interned {
	CATEGORIES = 1,
	EVENT_NAMES = 2,
	NOTE_NAMES = 3,
	FUNCTIONS = 5,
	FRAMES = 6,
	CALLSTACKS = 7,
	BUILD_IDS = 16,
	MODULE_PATHS = 17,
	SOURCES = 18,
	MAPPINGS = 19,
	TABLES
};
enum { ENTRY_IID = 1, ENTRY_TEXT = 2 };
enum { FRAME_FUNCTION = 2, FRAME_MAPPING = 3, FRAME_PC = 4, FRAME_SOURCE_PATH = 5, FRAME_LINE = 6 };
enum { MAPPING_BUILD_ID = 2, MAPPING_START = 4, MAPPING_END = 5, MAPPING_PATH = 7 };
enum { CALLSTACK_FRAME = 2 };

/* Tracks by number. */
#define TRACK_OF_PROCESS 1u
#define TRACK_OF_HEAP 2u
#define TRACK_OF_RSS 3u /* and 4: the most so far, where the recording knows only that */
#define TRACK_OF_THREADS ((uint64_t)1 << 32)
#define TRACK_OF_COUNTERS ((uint64_t)2 << 32)
#define TRACK_OF_TASKS ((uint64_t)3 << 32)

#define SEQUENCE 1u

/* Ids of the regions that a thread is in, outermost first. */
struct inside {
	uint64_t *ids;
	size_t len, cap;
};

struct perfetto {
	struct export_run *r;
	struct recording *rec;
	struct heap_sites heap; /* its tree numbers all stacks and frames */
	struct wakers wakers;
	struct map iids[TABLES]; /* by hash of the text -> number in that table */
	struct map written[2];	 /* frames and nodes of the tree that stand in the file */
	struct map counters;	 /* string ids whose track was declared */
	struct map lane_of;	 /* open tasks: id -> track among those of tasks */
	uint64_t *free_lanes;	 /* tracks of tasks without one */
	size_t free_len, free_cap;
	uint64_t lanes;
	struct inside *regions; /* by thread index */
	uint64_t flows, profiles;
	struct buf packet, event, part, entry, interned, text;
	bool has_rss[2];
	bool has_begun, failed;
};

/* ---- perfetto_write.c -------------------------------------------------------------------------------------------- */

/* perfetto_moment - ns since the recording began. */
uint64_t perfetto_moment(const struct perfetto *p, uint64_t tick);

/* perfetto_packet - what was gathered in `event` is that field of a packet; what it names first goes before it. */
void perfetto_packet(struct perfetto *p, unsigned field, uint64_t ns);

/* Numbers of a name, of a string of the recording, and of the stack at a node of heap.tree. */
uint64_t perfetto_name(struct perfetto *p, enum interned table, const char *text);
uint64_t perfetto_string(struct perfetto *p, enum interned table, uint32_t id);
uint32_t perfetto_callstack(struct perfetto *p, uint32_t node);

/* perfetto_has_track - a thread that is known and asked for. perfetto_track_of - its track, or the process's. */
bool perfetto_has_track(const struct perfetto *p, uint32_t thread);
uint64_t perfetto_track_of(const struct perfetto *p, uint32_t thread);

/* Into `event`, for perfetto_packet: the head of an event or of a slice, notes of it, and its stack. */
void perfetto_begin_event(struct perfetto *p, unsigned type, uint64_t track);
void perfetto_begin_slice(struct perfetto *p, unsigned type, uint64_t track, const char *category, uint64_t name);
void perfetto_note_number(struct perfetto *p, const char *name, unsigned field, uint64_t value);
void perfetto_note_text(struct perfetto *p, const char *name, const struct buf *text);
void perfetto_stack(struct perfetto *p, uint32_t id);

/* Whole packets: the end of a slice, and a track of the process. */
void perfetto_end(struct perfetto *p, uint64_t track, uint64_t ns);
void perfetto_track(struct perfetto *p, uint64_t track, const char *name, bool is_counter, unsigned unit);

/* ---- perfetto_events.c ------------------------------------------------------------------------------------------- */

/* perfetto_events - a packet for each event that a pass gives this sink, whose self is the struct perfetto. */
void perfetto_events(struct pass_sink *sink);

/* perfetto_unfinished - waits that had no end. */
void perfetto_unfinished(struct perfetto *p);

/* ---- perfetto_heap.c --------------------------------------------------------------------------------------------- */

void perfetto_on_memory(void *self, const struct pass_event *e);
void perfetto_curve(struct perfetto *p);
/* perfetto_sites - what each site allocated and freed in all, or had when the heap was largest. */
void perfetto_sites(struct perfetto *p, bool is_peak);

#endif
