/* SPDX-License-Identifier: MIT */
/* perfetto_write.c - packets, and what they name: each name, frame and stack stands in the packet that names it first.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/perfetto.h"
#include "analyzer/symbols/place.h"

uint64_t perfetto_moment(const struct perfetto *p, uint64_t tick)
{
	return clock_ns(&p->rec->clock, tick);
}

/* ---- packets ----------------------------------------------------------------------------------------------------- */

void perfetto_packet(struct perfetto *p, unsigned field, uint64_t ns)
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

/* ---- names and stacks, each once --------------------------------------------------------------------------------- */

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

uint64_t perfetto_name(struct perfetto *p, enum interned table, const char *text)
{
	buf_clear(&p->text);
	export_utf8(&p->text, text);
	return iid_of(p, table, buf_string(&p->text), p->text.len);
}

/* A text of the recording. */
uint64_t perfetto_string(struct perfetto *p, enum interned table, uint32_t id)
{
	struct buf text = { 0 };
	uint64_t iid;

	recording_string(p->rec, id, &text);
	iid = perfetto_name(p, table, text.len ? buf_string(&text) : "?");
	p->failed |= text.failed;
	buf_release(&text);
	return iid;
}

/* Frames have to lie in a mapping: those of no module are in one without a place. */
static uint64_t mapping_of(struct perfetto *p, const char *path)
{
	const struct modules *modules = &p->rec->modules;
	uint64_t path_iid = perfetto_name(p, MODULE_PATHS, path ? path : "[unknown]"), build_id = 0;
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
	function = perfetto_name(p, FUNCTIONS, export_frame_name(frame));
	mapping = mapping_of(p, frame->module_path);
	source = frame->file ? perfetto_name(p, SOURCES, frame->file) : 0;
	proto_u64(&p->entry, ENTRY_IID, number);
	proto_u64(&p->entry, FRAME_FUNCTION, function);
	proto_u64(&p->entry, FRAME_MAPPING, mapping);
	proto_present(&p->entry, FRAME_PC, frame->address);
	proto_u64(&p->entry, FRAME_SOURCE_PATH, source);
	proto_u64(&p->entry, FRAME_LINE, frame->line);
	proto_message(&p->interned, FRAMES, &p->entry);
}

/* The number of a node as a call stack; 0 of the empty one. Outermost frames come first. */
uint32_t perfetto_callstack(struct perfetto *p, uint32_t node)
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

/* ---- events of tracks -------------------------------------------------------------------------------------------- */

bool perfetto_has_track(const struct perfetto *p, uint32_t thread)
{
	const bool *threads = p->r->a->filter.threads;

	return recording_thread(p->rec, thread) && (!threads || threads[thread]);
}

/* Only a damaged recording has events of threads that it does not know. */
uint64_t perfetto_track_of(const struct perfetto *p, uint32_t thread)
{
	return perfetto_has_track(p, thread) ? TRACK_OF_THREADS + thread : TRACK_OF_PROCESS;
}

void perfetto_begin_event(struct perfetto *p, unsigned type, uint64_t track)
{
	proto_u64(&p->event, EVENT_TYPE, type);
	proto_u64(&p->event, EVENT_TRACK, track);
}

void perfetto_begin_slice(struct perfetto *p, unsigned type, uint64_t track, const char *category, uint64_t name)
{
	uint64_t category_iid = perfetto_name(p, CATEGORIES, category);

	perfetto_begin_event(p, type, track);
	proto_u64(&p->event, EVENT_CATEGORY, category_iid);
	proto_u64(&p->event, EVENT_NAME, name);
}

void perfetto_end(struct perfetto *p, uint64_t track, uint64_t ns)
{
	perfetto_begin_event(p, TYPE_END, track);
	perfetto_packet(p, PACKET_EVENT, ns);
}

void perfetto_note_number(struct perfetto *p, const char *name, unsigned field, uint64_t value)
{
	proto_u64(&p->part, NOTE_NAME, perfetto_name(p, NOTE_NAMES, name));
	proto_present(&p->part, field, value);
	proto_message(&p->event, EVENT_ANNOTATION, &p->part);
}

void perfetto_note_text(struct perfetto *p, const char *name, const struct buf *text)
{
	uint64_t iid = perfetto_name(p, NOTE_NAMES, name);

	buf_clear(&p->text);
	export_utf8(&p->text, buf_string(text));
	proto_u64(&p->part, NOTE_NAME, iid);
	proto_bytes(&p->part, NOTE_TEXT, buf_string(&p->text), p->text.len);
	proto_message(&p->event, EVENT_ANNOTATION, &p->part);
}

/* The stack, and its innermost place in words for readers that do not know stacks of slices. */
void perfetto_stack(struct perfetto *p, uint32_t id)
{
	struct stack_id stack = recording_stack(p->rec, id);
	uint32_t node = frame_tree_of(&p->heap.tree, stack);
	struct buf at = { 0 };

	if (!node)
		return;
	place_name(&at, p->r->stacks, stack);
	perfetto_note_text(p, "at", &at);
	proto_u64(&p->event, EVENT_CALLSTACK, perfetto_callstack(p, node));
	p->failed |= at.failed;
	buf_release(&at);
}

void perfetto_track(struct perfetto *p, uint64_t track, const char *name, bool is_counter, unsigned unit)
{
	buf_clear(&p->text);
	export_utf8(&p->text, name);
	proto_u64(&p->event, TRACK_UUID, track);
	proto_bytes(&p->event, TRACK_NAME, buf_string(&p->text), p->text.len);
	proto_u64(&p->event, TRACK_PARENT, TRACK_OF_PROCESS);
	proto_u64(&p->part, COUNTER_UNIT, unit);
	if (is_counter)
		proto_message(&p->event, TRACK_COUNTER, &p->part);
	perfetto_packet(p, PACKET_TRACK, 0);
}
