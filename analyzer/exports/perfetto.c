/* SPDX-License-Identifier: MIT */
/*
 * perfetto.c - Perfetto's own trace, a stream of TracePackets: a track per thread with its waits and regions as slices
 * that have call stacks, an arrow from who ended a wait to that wait, tasks on tracks of the process, logs and marks
 * as instants, counters, CPU samples as PerfSamples, and the heap by stack at its peak and at the end.
 *
 * Packets are written as events are read, in the order of the events' ends; the reader of a trace sorts them by time.
 * Names, frames and stacks are written once, in the packet that names them first: what is kept are the distinct ones,
 * the tasks and regions that are open, and a bounded curve of the heap. Times are nanoseconds since the recording
 * began; a snapshot of the clocks says which moment that was. Numbers of messages and fields are Perfetto's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/heap_sites.h"
#include "analyzer/exports/proto.h"
#include "analyzer/models/waits.h"
#include "analyzer/models/wakers.h"
#include "analyzer/symbols/place.h"
#include "analyzer/util/list.h"
#include "format/kinds.h"

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
#define HEAP_SAMPLES 512u /* of one packet */

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

static uint64_t moment(const struct perfetto *p, uint64_t tick)
{
	return clock_ns(&p->rec->clock, tick);
}

/* ---- packets -------------------------------------------------------------------------------------------------- */

/* What was gathered in `event` is that field of a packet; what it names first goes before it. */
static void put_packet(struct perfetto *p, unsigned field, uint64_t ns)
{
	struct buf head = { 0 };

	proto_present(&p->packet, PACKET_TIMESTAMP, ns);
	proto_u64(&p->packet, PACKET_SEQUENCE, SEQUENCE);
	proto_u64(&p->packet, PACKET_FLAGS, p->has_begun ? FLAG_NEEDS_STATE : FLAG_CLEARED);
	if (!p->has_begun)
		proto_u64(&p->packet, PACKET_IS_FIRST, 1);
	p->has_begun = true;
	if (p->interned.len)
		proto_message(&p->packet, PACKET_INTERNED, &p->interned);
	proto_message(&p->packet, field, &p->event);
	proto_varint(&head, TRACE_PACKET << 3 | 2);
	proto_varint(&head, p->packet.len);
	p->failed |= p->packet.failed || head.failed;
	if (!p->failed) {
		fwrite(head.data, 1, head.len, p->r->out);
		fwrite(p->packet.data, 1, p->packet.len, p->r->out);
	}
	buf_clear(&p->packet);
	buf_release(&head);
}

/* ---- names and stacks, each once ------------------------------------------------------------------------------ */

static uint64_t iid_of(struct perfetto *p, enum interned table, const void *data, size_t len)
{
	bool is_new;
	uint64_t *at = map_at(&p->iids[table], hash_bytes(data, len), &is_new);

	if (!at) {
		p->failed = true;
		return 0;
	}
	if (is_new) {
		*at = p->iids[table].len;
		proto_u64(&p->entry, ENTRY_IID, *at);
		proto_bytes(&p->entry, ENTRY_TEXT, data, len);
		proto_message(&p->interned, table, &p->entry);
	}
	return *at;
}

static uint64_t name_of(struct perfetto *p, enum interned table, const char *text)
{
	buf_clear(&p->text);
	export_utf8(&p->text, text);
	return iid_of(p, table, buf_string(&p->text), p->text.len);
}

/* A text of the recording. */
static uint64_t string_of(struct perfetto *p, enum interned table, uint32_t id)
{
	struct buf text = { 0 };
	uint64_t iid;

	recording_string(p->rec, id, &text);
	iid = name_of(p, table, text.len ? buf_string(&text) : "?");
	p->failed |= text.failed;
	buf_release(&text);
	return iid;
}

/* Frames have to lie in a mapping: those of no module are in one without a place. */
static uint64_t mapping_of(struct perfetto *p, const char *path)
{
	const struct modules *modules = &p->rec->modules;
	uint64_t path_iid = name_of(p, MODULE_PATHS, path ? path : "[unknown]"), build_id = 0;
	const struct module *module = NULL;
	bool is_new;
	uint64_t *at = map_at(&p->iids[MAPPINGS], path_iid, &is_new);

	if (!at || !is_new)
		return at ? *at : 0;
	*at = p->iids[MAPPINGS].len;
	for (size_t i = 0; path && i < modules->len && !module; i++)
		if (!strcmp(modules->list[i].path, path))
			module = &modules->list[i];
	if (module && module->build_id_len)
		build_id = iid_of(p, BUILD_IDS, module->build_id, module->build_id_len);
	proto_u64(&p->entry, ENTRY_IID, *at);
	proto_u64(&p->entry, MAPPING_BUILD_ID, build_id);
	proto_u64(&p->entry, MAPPING_START, module ? module->start : 0);
	proto_u64(&p->entry, MAPPING_END, module ? module->end : UINT64_MAX);
	proto_u64(&p->entry, MAPPING_PATH, path_iid);
	proto_message(&p->interned, MAPPINGS, &p->entry);
	return *at;
}

static bool is_written(struct perfetto *p, enum interned table, uint32_t number)
{
	bool is_new = false;

	p->failed |= !map_at(&p->written[table == CALLSTACKS], number, &is_new);
	return !is_new;
}

static void write_frame(struct perfetto *p, uint32_t number, const struct frame *frame)
{
	uint64_t function, mapping, source;

	if (is_written(p, FRAMES, number))
		return;
	function = name_of(p, FUNCTIONS, export_frame_name(frame));
	mapping = mapping_of(p, frame->module_path);
	source = frame->file ? name_of(p, SOURCES, frame->file) : 0;
	proto_u64(&p->entry, ENTRY_IID, number);
	proto_u64(&p->entry, FRAME_FUNCTION, function);
	proto_u64(&p->entry, FRAME_MAPPING, mapping);
	proto_present(&p->entry, FRAME_PC, frame->address);
	proto_u64(&p->entry, FRAME_SOURCE_PATH, source);
	proto_u64(&p->entry, FRAME_LINE, frame->line);
	proto_message(&p->interned, FRAMES, &p->entry);
}

/* The number of a node as a call stack; 0 of the empty one. Outermost frames come first. */
static uint32_t callstack_of(struct perfetto *p, uint32_t node)
{
	const struct frame_tree *t = &p->heap.tree;
	uint64_t *frames;
	size_t len = 0;

	if (!node || is_written(p, CALLSTACKS, node))
		return node;
	for (uint32_t at = node; at; at = t->nodes[at - 1].parent)
		len++;
	frames = calloc(len, sizeof(*frames));
	p->failed |= !frames;
	for (uint32_t at = node, i = 0; frames && at; at = t->nodes[at - 1].parent, i++) {
		write_frame(p, t->nodes[at - 1].frame_number, t->nodes[at - 1].frame);
		frames[len - 1 - i] = t->nodes[at - 1].frame_number;
	}
	proto_u64(&p->entry, ENTRY_IID, node);
	for (size_t i = 0; frames && i < len; i++)
		proto_u64(&p->entry, CALLSTACK_FRAME, frames[i]);
	proto_message(&p->interned, CALLSTACKS, &p->entry);
	free(frames);
	return node;
}

/* ---- events of tracks ----------------------------------------------------------------------------------------- */

static bool has_track(const struct perfetto *p, uint32_t thread)
{
	const bool *threads = p->r->a->filter.threads;

	return recording_thread(p->rec, thread) && (!threads || threads[thread]);
}

/* Only a damaged recording has events of threads that it does not know. */
static uint64_t track_of(const struct perfetto *p, uint32_t thread)
{
	return has_track(p, thread) ? TRACK_OF_THREADS + thread : TRACK_OF_PROCESS;
}

static void begin_event(struct perfetto *p, unsigned type, uint64_t track)
{
	proto_u64(&p->event, EVENT_TYPE, type);
	proto_u64(&p->event, EVENT_TRACK, track);
}

static void begin_slice(struct perfetto *p, unsigned type, uint64_t track, const char *category, uint64_t name)
{
	uint64_t category_iid = name_of(p, CATEGORIES, category);

	begin_event(p, type, track);
	proto_u64(&p->event, EVENT_CATEGORY, category_iid);
	proto_u64(&p->event, EVENT_NAME, name);
}

static void put_end(struct perfetto *p, uint64_t track, uint64_t ns)
{
	begin_event(p, TYPE_END, track);
	put_packet(p, PACKET_EVENT, ns);
}

static void note_number(struct perfetto *p, const char *name, unsigned field, uint64_t value)
{
	proto_u64(&p->part, NOTE_NAME, name_of(p, NOTE_NAMES, name));
	proto_present(&p->part, field, value);
	proto_message(&p->event, EVENT_ANNOTATION, &p->part);
}

static void note_text(struct perfetto *p, const char *name, const struct buf *text)
{
	uint64_t iid = name_of(p, NOTE_NAMES, name);

	buf_clear(&p->text);
	export_utf8(&p->text, buf_string(text));
	proto_u64(&p->part, NOTE_NAME, iid);
	proto_bytes(&p->part, NOTE_TEXT, buf_string(&p->text), p->text.len);
	proto_message(&p->event, EVENT_ANNOTATION, &p->part);
}

/* The stack, and its innermost place in words for readers that do not know stacks of slices. */
static void put_stack(struct perfetto *p, uint32_t id)
{
	struct stack_id stack = recording_stack(p->rec, id);
	uint32_t node = frame_tree_of(&p->heap.tree, stack);
	struct buf at = { 0 };

	if (!node)
		return;
	place_name(&at, p->r->stacks, stack);
	note_text(p, "at", &at);
	proto_u64(&p->event, EVENT_CALLSTACK, callstack_of(p, node));
	p->failed |= at.failed;
	buf_release(&at);
}

/* ---- waits ---------------------------------------------------------------------------------------------------- */

static void put_object(struct perfetto *p, unsigned wait, uint64_t object)
{
	if (!strcmp(wait_domain(wait), "io"))
		note_number(p, "fd", NOTE_UINT, object);
	else if (object)
		note_number(p, "object", NOTE_POINTER, object);
}

/* An instant where the other thread ended the wait, with an arrow from there. 0: it is not known. */
static uint64_t put_wake(struct perfetto *p, const struct pass_event *e, uint64_t begin)
{
	const struct rec_span *span = &e->ev->span;
	struct stretch s = { .thread = e->thread, .wait = span->wait, .begin = begin, .end = e->tick };
	const struct wake *wake;

	s.object = span->object;
	s.stack = recording_stack(p->rec, span->stack);
	wake = e->thread < p->rec->threads_len ? wakers_find(&p->wakers, &s) : NULL;
	if (!wake || !has_track(p, wake->thread))
		return 0;
	begin_slice(p, TYPE_INSTANT, track_of(p, wake->thread), "wake", name_of(p, EVENT_NAMES, "wakes"));
	proto_u64(&p->event, EVENT_CALLSTACK, callstack_of(p, frame_tree_of(&p->heap.tree, wake->stack)));
	proto_fixed64(&p->event, EVENT_FLOW, ++p->flows);
	put_packet(p, PACKET_EVENT, moment(p, wake->tick));
	return p->flows;
}

static void on_span(void *self, const struct pass_event *e)
{
	struct perfetto *p = self;
	const struct rec_span *span = &e->ev->span;
	uint64_t begin = e->tick > span->dur_ticks ? e->tick - span->dur_ticks : 0, begin_ns = moment(p, begin), flow;

	begin_slice(p, TYPE_BEGIN, track_of(p, e->thread), wait_domain(span->wait),
		    name_of(p, EVENT_NAMES, wait_name(span->wait)));
	put_object(p, span->wait, span->object);
	if (span->amount)
		note_number(p, "amount", NOTE_UINT, span->amount);
	if (span->peer)
		note_number(p, "holder_tid", NOTE_UINT, span->peer);
	if (span->err)
		note_number(p, "errno", NOTE_UINT, span->err);
	note_number(p, "blocked_ns", NOTE_UINT, span_split(&p->rec->clock, span).blocked_ns);
	put_stack(p, span->stack);
	put_packet(p, PACKET_EVENT, begin_ns);
	flow = put_wake(p, e, begin);
	begin_event(p, TYPE_END, track_of(p, e->thread));
	if (flow)
		proto_fixed64(&p->event, EVENT_FLOW_ENDS, flow);
	put_packet(p, PACKET_EVENT, begin_ns + clock_dur_ns(&p->rec->clock, span->dur_ticks));
}

static void on_wake(void *self, const struct pass_event *e)
{
	wakers_event(&((struct perfetto *)self)->wakers, e);
}

/* What had not ended with the recording is a slice without an end. */
static void put_unfinished(struct perfetto *p)
{
	for (uint32_t i = 0; i < p->rec->threads_len; i++) {
		const struct rsd_thread *t = recording_thread(p->rec, i);

		if (!t || !t->waiting || t->waiting >= RSD_WAITS || t->end_tick ||
		    t->waiting_since >= p->rec->end_tick || p->r->a->is_filtered)
			continue;
		begin_slice(p, TYPE_BEGIN, track_of(p, i), "unfinished",
			    name_of(p, EVENT_NAMES, wait_name(t->waiting)));
		put_object(p, t->waiting, t->waiting_object);
		if (t->waiting_peer)
			note_number(p, "holder_tid", NOTE_UINT, t->waiting_peer);
		note_number(p, "unfinished", NOTE_BOOL, 1);
		put_packet(p, PACKET_EVENT, moment(p, t->waiting_since));
	}
}

/* Perfetto counts samples: the recorder writes one for each of its ticks. */
static void on_sample(void *self, const struct pass_event *e)
{
	struct perfetto *p = self;
	const struct rsd_thread *t = recording_thread(p->rec, e->thread);
	uint32_t node = frame_tree_of(&p->heap.tree, recording_stack(p->rec, e->ev->sample.stack));

	proto_u64(&p->event, SAMPLE_PID, p->rec->reader.header.pid);
	proto_u64(&p->event, SAMPLE_TID, t ? t->tid : 0);
	proto_u64(&p->event, SAMPLE_CALLSTACK, callstack_of(p, node));
	proto_u64(&p->event, SAMPLE_MODE, MODE_USER);
	put_packet(p, PACKET_SAMPLE, moment(p, e->tick));
}

/* ---- annotations ---------------------------------------------------------------------------------------------- */

static void put_track(struct perfetto *p, uint64_t track, const char *name, bool is_counter, unsigned unit)
{
	buf_clear(&p->text);
	export_utf8(&p->text, name);
	proto_u64(&p->event, TRACK_UUID, track);
	proto_bytes(&p->event, TRACK_NAME, buf_string(&p->text), p->text.len);
	proto_u64(&p->event, TRACK_PARENT, TRACK_OF_PROCESS);
	proto_u64(&p->part, COUNTER_UNIT, unit);
	if (is_counter)
		proto_message(&p->event, TRACK_COUNTER, &p->part);
	put_packet(p, PACKET_TRACK, 0);
}

/* Tasks of one track must not overlap: each open one has its own, and leaves it to a later task. */
static uint64_t lane_for(struct perfetto *p)
{
	if (p->free_len)
		return p->free_lanes[--p->free_len];
	put_track(p, TRACK_OF_TASKS + p->lanes, "tasks", false, 0);
	return p->lanes++;
}

static void end_task(struct perfetto *p, const struct pass_event *e)
{
	uint64_t lane;

	if (!map_remove(&p->lane_of, e->ev->note.id, &lane))
		return;
	put_end(p, TRACK_OF_TASKS + lane, moment(p, e->tick));
	if (list_grow((void **)&p->free_lanes, &p->free_cap, p->free_len, sizeof(*p->free_lanes)))
		p->failed = true;
	else
		p->free_lanes[p->free_len++] = lane;
}

static void on_task_begin(void *self, const struct pass_event *e)
{
	struct perfetto *p = self;
	const struct rec_note *note = &e->ev->note;
	uint64_t lane;

	end_task(p, e);
	lane = lane_for(p);
	p->failed |= map_put(&p->lane_of, note->id, lane) != 0;
	begin_slice(p, TYPE_BEGIN, TRACK_OF_TASKS + lane, "task", string_of(p, EVENT_NAMES, note->name));
	note_number(p, "id", NOTE_POINTER, note->id);
	if (note->parent)
		note_number(p, "parent", NOTE_POINTER, note->parent);
	put_stack(p, note->stack);
	put_packet(p, PACKET_EVENT, moment(p, e->tick));
}

static void on_task_end(void *self, const struct pass_event *e)
{
	end_task(self, e);
}

static void on_region_begin(void *self, const struct pass_event *e)
{
	struct perfetto *p = self;
	const struct rec_note *note = &e->ev->note;
	struct inside *in = e->thread < p->rec->threads_len ? &p->regions[e->thread] : NULL;

	if (!in)
		return;
	if (list_grow((void **)&in->ids, &in->cap, in->len, sizeof(*in->ids))) {
		p->failed = true;
		return;
	}
	in->ids[in->len++] = note->id;
	begin_slice(p, TYPE_BEGIN, track_of(p, e->thread), "region", string_of(p, EVENT_NAMES, note->name));
	if (note->parent)
		note_number(p, "task", NOTE_POINTER, note->parent);
	put_stack(p, note->stack);
	put_packet(p, PACKET_EVENT, moment(p, e->tick));
}

/* Regions inside that the program forgot end with it. */
static void on_region_end(void *self, const struct pass_event *e)
{
	struct perfetto *p = self;
	struct inside *in = e->thread < p->rec->threads_len ? &p->regions[e->thread] : NULL;
	size_t found = 0;

	for (size_t i = in ? in->len : 0; i > 0 && !found; i--)
		found = in->ids[i - 1] == e->ev->note.id ? i : 0;
	for (; found && in->len >= found; in->len--)
		put_end(p, track_of(p, e->thread), moment(p, e->tick));
}

static void on_log(void *self, const struct pass_event *e)
{
	struct perfetto *p = self;
	const struct rec_note *note = &e->ev->note;
	struct buf text = { 0 };

	begin_slice(p, TYPE_INSTANT, e->kind == EV_MARK ? TRACK_OF_PROCESS : track_of(p, e->thread),
		    e->kind == EV_MARK ? "mark" : "log", string_of(p, EVENT_NAMES, note->name));
	recording_string(p->rec, note->text, &text);
	if (text.len)
		note_text(p, "message", &text);
	if (note->parent)
		note_number(p, "task", NOTE_POINTER, note->parent);
	put_packet(p, PACKET_EVENT, moment(p, e->tick));
	p->failed |= text.failed;
	buf_release(&text);
}

static void on_counter(void *self, const struct pass_event *e)
{
	struct perfetto *p = self;
	const struct rec_note *note = &e->ev->note;
	struct buf name = { 0 };
	bool is_new = false;
	double value;

	p->failed |= !map_at(&p->counters, note->name, &is_new);
	recording_string(p->rec, is_new ? note->name : 0, &name);
	if (is_new)
		put_track(p, TRACK_OF_COUNTERS + note->name, name.len ? buf_string(&name) : "?", true, 0);
	memcpy(&value, &note->value, sizeof(value));
	begin_event(p, TYPE_COUNTER, TRACK_OF_COUNTERS + note->name);
	proto_double(&p->event, EVENT_DOUBLE, value);
	put_packet(p, PACKET_EVENT, moment(p, e->tick));
	p->failed |= name.failed;
	buf_release(&name);
}

/* ---- memory --------------------------------------------------------------------------------------------------- */

static void put_bytes(struct perfetto *p, uint64_t track, uint64_t ns, uint64_t bytes)
{
	begin_event(p, TYPE_COUNTER, track);
	proto_present(&p->event, EVENT_VALUE, bytes);
	put_packet(p, PACKET_EVENT, ns);
}

static void on_memory(void *self, const struct pass_event *e)
{
	static const char *const names[] = { "resident bytes", "most resident bytes so far" };
	struct perfetto *p = self;
	bool is_most = e->ev->memory.flags & RSD_MEMORY_MOST;

	if (!p->has_rss[is_most])
		put_track(p, TRACK_OF_RSS + is_most, names[is_most], true, BYTES);
	p->has_rss[is_most] = true;
	put_bytes(p, TRACK_OF_RSS + is_most, moment(p, e->tick), e->ev->memory.rss_bytes);
}

static void put_curve(struct perfetto *p)
{
	for (size_t i = 0; i < p->heap.curve.len; i++) {
		const struct curve_point *point = &p->heap.curve.points[i];

		if (!point->is_set)
			continue;
		put_bytes(p, TRACK_OF_HEAP, point->top_ns, point->top_bytes);
		if (point->last_ns > point->top_ns)
			put_bytes(p, TRACK_OF_HEAP, point->last_ns, point->last_bytes);
	}
}

static void put_site(struct perfetto *p, uint32_t node, const struct export_site *s, bool is_peak)
{
	uint64_t allocations = weight_count(is_peak ? s->mark.peak_blocks : s->blocks);
	uint64_t live = weight_count(is_peak ? s->mark.peak_blocks : s->mark.live_blocks);

	proto_u64(&p->part, HEAP_CALLSTACK, callstack_of(p, node));
	proto_u64(&p->part, HEAP_ALLOCATED, is_peak ? s->mark.peak_bytes : s->bytes);
	proto_u64(&p->part, HEAP_FREED, is_peak ? 0 : s->bytes - s->mark.live_bytes);
	proto_u64(&p->part, HEAP_ALLOCATIONS, allocations);
	proto_u64(&p->part, HEAP_FREES, allocations - live);
}

static void put_profile(struct perfetto *p, struct buf *dump, uint64_t ns, bool is_peak, bool is_continued)
{
	const char *name = is_peak ? "heap at its peak" : "heap";
	struct buf samples = *dump;

	*dump = (struct buf){ 0 };
	proto_u64(dump, DUMP_PID, p->rec->reader.header.pid);
	proto_present(dump, DUMP_TIMESTAMP, ns);
	proto_bytes(dump, DUMP_NAME, name, strlen(name));
	buf_add(dump, samples.data, samples.len);
	dump->failed |= samples.failed;
	proto_message(&p->event, PROFILE_DUMP, dump);
	proto_u64(&p->event, PROFILE_CONTINUED, is_continued);
	proto_present(&p->event, PROFILE_INDEX, p->profiles++);
	put_packet(p, PACKET_PROFILE, ns);
	buf_release(&samples);
}

/* Sites of the heap: what each allocated and freed in all, or had when the heap was largest. */
static void put_sites(struct perfetto *p, bool is_peak)
{
	uint64_t ns = is_peak ? moment(p, p->heap.all.peak_tick) : recording_end_ns(p->rec);
	struct buf dump = { 0 };
	size_t samples = 0;

	for (size_t i = 0; i < p->heap.len; i++) {
		const struct export_site *s = &p->heap.sites[i];

		if (is_peak ? !s->mark.peak_blocks : !s->blocks)
			continue;
		if (samples && samples % HEAP_SAMPLES == 0)
			put_profile(p, &dump, ns, is_peak, true);
		put_site(p, (uint32_t)i, s, is_peak);
		proto_message(&dump, DUMP_SAMPLE, &p->part);
		samples++;
	}
	if (samples)
		put_profile(p, &dump, ns, is_peak, false);
	p->failed |= dump.failed;
	buf_release(&dump);
}

/* ---- the file ------------------------------------------------------------------------------------------------- */

static void put_clocks(struct perfetto *p)
{
	static const unsigned clocks[] = { REALTIME, MONOTONIC, MONOTONIC_COARSE, BOOTTIME };

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		proto_u64(&p->part, CLOCK_ID, clocks[i]);
		proto_present(&p->part, CLOCK_TIMESTAMP,
			      clocks[i] == REALTIME ? p->rec->reader.header.start_realtime_ns : 0);
		proto_message(&p->event, CLOCKS_CLOCK, &p->part);
	}
	put_packet(p, PACKET_CLOCKS, 0);
}

static void put_process(struct perfetto *p)
{
	buf_clear(&p->text);
	export_utf8(&p->text, recording_name(p->rec));
	proto_u64(&p->part, PROCESS_PID, p->rec->reader.header.pid);
	proto_bytes(&p->part, PROCESS_NAME, buf_string(&p->text), p->text.len);
	proto_u64(&p->event, TRACK_UUID, TRACK_OF_PROCESS);
	proto_message(&p->event, TRACK_PROCESS, &p->part);
	put_packet(p, PACKET_TRACK, 0);
}

/* The kernel gives a tid again: a later thread has a track of its own, and from its start the tid is its. */
static void put_threads(struct perfetto *p)
{
	for (uint32_t i = 0; i < p->rec->threads_len; i++) {
		const struct rsd_thread *t = recording_thread(p->rec, i);
		char name[sizeof(t->name) + 1] = "";

		if (!has_track(p, i))
			continue;
		memcpy(name, t->name, sizeof(t->name));
		buf_clear(&p->text);
		export_utf8(&p->text, name);
		proto_u64(&p->part, THREAD_PID, p->rec->reader.header.pid);
		proto_u64(&p->part, THREAD_TID, t->tid);
		proto_bytes(&p->part, THREAD_NAME, buf_string(&p->text), p->text.len);
		proto_u64(&p->event, TRACK_UUID, TRACK_OF_THREADS + i);
		proto_u64(&p->event, TRACK_PARENT, TRACK_OF_PROCESS);
		proto_message(&p->event, TRACK_THREAD, &p->part);
		put_packet(p, PACKET_TRACK, moment(p, t->start_tick));
	}
}

static int put_all(struct perfetto *p)
{
	const struct pass_sink sink = { .self = p,
					.on = { [EV_SPAN] = on_span,
						[EV_HOLD] = on_wake,
						[EV_WAKE] = on_wake,
						[EV_SAMPLE] = on_sample,
						[EV_TASK_BEGIN] = on_task_begin,
						[EV_TASK_END] = on_task_end,
						[EV_REGION_BEGIN] = on_region_begin,
						[EV_REGION_END] = on_region_end,
						[EV_LOG] = on_log,
						[EV_MARK] = on_log,
						[EV_COUNTER] = on_counter,
						[EV_MEMORY] = on_memory } };
	int err;

	put_clocks(p);
	put_process(p);
	put_threads(p);
	put_track(p, TRACK_OF_HEAP, "heap live bytes", true, BYTES);
	err = heap_sites_run(&p->heap, p->r, &sink);
	if (err)
		return err;
	put_unfinished(p);
	put_curve(p);
	put_sites(p, true);
	put_sites(p, false);
	return 0;
}

static void release(struct perfetto *p)
{
	for (uint32_t i = 0; p->regions && i < p->rec->threads_len; i++)
		free(p->regions[i].ids);
	free(p->regions);
	free(p->free_lanes);
	for (size_t i = 0; i < TABLES; i++)
		map_release(&p->iids[i]);
	map_release(&p->written[0]);
	map_release(&p->written[1]);
	map_release(&p->counters);
	map_release(&p->lane_of);
	buf_release(&p->packet);
	buf_release(&p->event);
	buf_release(&p->part);
	buf_release(&p->entry);
	buf_release(&p->interned);
	buf_release(&p->text);
}

int export_perfetto(struct export_run *r)
{
	struct perfetto p = { .r = r, .rec = &r->a->rec };
	int err = wakers_init(&p.wakers, p.rec);

	if (err)
		return err;
	for (size_t i = 0; i < TABLES; i++)
		map_init(&p.iids[i]);
	map_init(&p.written[0]);
	map_init(&p.written[1]);
	map_init(&p.counters);
	map_init(&p.lane_of);
	p.regions = calloc(p.rec->threads_len + 1, sizeof(*p.regions));
	err = p.regions ? put_all(&p) : -ENOMEM;
	if (!err && (p.failed || p.wakers.failed || p.heap.tree.failed))
		err = -ENOMEM;
	heap_sites_release(&p.heap);
	wakers_release(&p.wakers);
	release(&p);
	return err ? err : ferror(r->out) ? -EIO : 0;
}
