/* SPDX-License-Identifier: MIT */
/* perfetto_events.c - waits with who ended them, samples, and what the program told of itself. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/perfetto.h"
#include "analyzer/models/waits.h"
#include "analyzer/util/list.h"
#include "format/kinds.h"

/* ---- waits ------------------------------------------------------------------------------------------------------- */

static void put_object(struct perfetto *p, unsigned wait, uint64_t object)
{
	if (!strcmp(wait_domain(wait), "io"))
		perfetto_note_number(p, "fd", NOTE_UINT, object);
	else if (object)
		perfetto_note_number(p, "object", NOTE_POINTER, object);
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
	if (!wake || !perfetto_has_track(p, wake->thread))
		return 0;
	perfetto_begin_slice(p, TYPE_INSTANT, perfetto_track_of(p, wake->thread), "wake",
			     perfetto_name(p, EVENT_NAMES, "wakes"));
	proto_u64(&p->event, EVENT_CALLSTACK, perfetto_callstack(p, frame_tree_of(&p->heap.tree, wake->stack)));
	proto_fixed64(&p->event, EVENT_FLOW, ++p->flows);
	perfetto_packet(p, PACKET_EVENT, perfetto_moment(p, wake->tick));
	return p->flows;
}

static void on_span(void *self, const struct pass_event *e)
{
	struct perfetto *p = self;
	const struct rec_span *span = &e->ev->span;
	uint64_t begin = e->tick > span->dur_ticks ? e->tick - span->dur_ticks : 0,
		 begin_ns = perfetto_moment(p, begin), flow;

	perfetto_begin_slice(p, TYPE_BEGIN, perfetto_track_of(p, e->thread), wait_domain(span->wait),
			     perfetto_name(p, EVENT_NAMES, wait_name(span->wait)));
	put_object(p, span->wait, span->object);
	if (span->amount)
		perfetto_note_number(p, "amount", NOTE_UINT, span->amount);
	if (span->peer)
		perfetto_note_number(p, "holder_tid", NOTE_UINT, span->peer);
	if (span->err)
		perfetto_note_number(p, "errno", NOTE_UINT, span->err);
	perfetto_note_number(p, "blocked_ns", NOTE_UINT, span_split(&p->rec->clock, span).blocked_ns);
	perfetto_stack(p, span->stack);
	perfetto_packet(p, PACKET_EVENT, begin_ns);
	flow = put_wake(p, e, begin);
	perfetto_begin_event(p, TYPE_END, perfetto_track_of(p, e->thread));
	if (flow)
		proto_fixed64(&p->event, EVENT_FLOW_ENDS, flow);
	perfetto_packet(p, PACKET_EVENT, begin_ns + clock_dur_ns(&p->rec->clock, span->dur_ticks));
}

static void on_wake(void *self, const struct pass_event *e)
{
	wakers_event(&((struct perfetto *)self)->wakers, e);
}

/* What had not ended with the recording is a slice without an end. */
void perfetto_unfinished(struct perfetto *p)
{
	for (uint32_t i = 0; i < p->rec->threads_len; i++) {
		const struct rsd_thread *t = recording_thread(p->rec, i);

		if (!t || !t->waiting || t->waiting >= RSD_WAITS || t->end_tick ||
		    t->waiting_since >= p->rec->end_tick || p->r->a->is_filtered)
			continue;
		perfetto_begin_slice(p, TYPE_BEGIN, perfetto_track_of(p, i), "unfinished",
				     perfetto_name(p, EVENT_NAMES, wait_name(t->waiting)));
		put_object(p, t->waiting, t->waiting_object);
		if (t->waiting_peer)
			perfetto_note_number(p, "holder_tid", NOTE_UINT, t->waiting_peer);
		perfetto_note_number(p, "unfinished", NOTE_BOOL, 1);
		perfetto_packet(p, PACKET_EVENT, perfetto_moment(p, t->waiting_since));
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
	proto_u64(&p->event, SAMPLE_CALLSTACK, perfetto_callstack(p, node));
	proto_u64(&p->event, SAMPLE_MODE, MODE_USER);
	perfetto_packet(p, PACKET_SAMPLE, perfetto_moment(p, e->tick));
}

/* ---- annotations ------------------------------------------------------------------------------------------------- */

/* Tasks of one track must not overlap: each open one has its own, and leaves it to a later task. */
static uint64_t lane_for(struct perfetto *p)
{
	if (p->free_len)
		return p->free_lanes[--p->free_len];
	perfetto_track(p, TRACK_OF_TASKS + p->lanes, "tasks", false, 0);
	return p->lanes++;
}

static void end_task(struct perfetto *p, const struct pass_event *e)
{
	uint64_t lane;

	if (!map_remove(&p->lane_of, e->ev->note.id, &lane))
		return;
	perfetto_end(p, TRACK_OF_TASKS + lane, perfetto_moment(p, e->tick));
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
	perfetto_begin_slice(p, TYPE_BEGIN, TRACK_OF_TASKS + lane, "task", perfetto_string(p, EVENT_NAMES, note->name));
	perfetto_note_number(p, "id", NOTE_POINTER, note->id);
	if (note->parent)
		perfetto_note_number(p, "parent", NOTE_POINTER, note->parent);
	perfetto_stack(p, note->stack);
	perfetto_packet(p, PACKET_EVENT, perfetto_moment(p, e->tick));
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
	perfetto_begin_slice(p, TYPE_BEGIN, perfetto_track_of(p, e->thread), "region",
			     perfetto_string(p, EVENT_NAMES, note->name));
	if (note->parent)
		perfetto_note_number(p, "task", NOTE_POINTER, note->parent);
	perfetto_stack(p, note->stack);
	perfetto_packet(p, PACKET_EVENT, perfetto_moment(p, e->tick));
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
		perfetto_end(p, perfetto_track_of(p, e->thread), perfetto_moment(p, e->tick));
}

static void on_log(void *self, const struct pass_event *e)
{
	struct perfetto *p = self;
	const struct rec_note *note = &e->ev->note;
	struct buf text = { 0 };

	perfetto_begin_slice(p, TYPE_INSTANT, e->kind == EV_MARK ? TRACK_OF_PROCESS : perfetto_track_of(p, e->thread),
			     e->kind == EV_MARK ? "mark" : "log", perfetto_string(p, EVENT_NAMES, note->name));
	recording_string(p->rec, note->text, &text);
	if (text.len)
		perfetto_note_text(p, "message", &text);
	if (note->parent)
		perfetto_note_number(p, "task", NOTE_POINTER, note->parent);
	perfetto_packet(p, PACKET_EVENT, perfetto_moment(p, e->tick));
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
		perfetto_track(p, TRACK_OF_COUNTERS + note->name, name.len ? buf_string(&name) : "?", true, 0);
	memcpy(&value, &note->value, sizeof(value));
	perfetto_begin_event(p, TYPE_COUNTER, TRACK_OF_COUNTERS + note->name);
	proto_double(&p->event, EVENT_DOUBLE, value);
	perfetto_packet(p, PACKET_EVENT, perfetto_moment(p, e->tick));
	p->failed |= name.failed;
	buf_release(&name);
}

void perfetto_events(struct pass_sink *sink)
{
	sink->on[EV_SPAN] = on_span;
	sink->on[EV_HOLD] = on_wake;
	sink->on[EV_WAKE] = on_wake;
	sink->on[EV_SAMPLE] = on_sample;
	sink->on[EV_TASK_BEGIN] = on_task_begin;
	sink->on[EV_TASK_END] = on_task_end;
	sink->on[EV_REGION_BEGIN] = on_region_begin;
	sink->on[EV_REGION_END] = on_region_end;
	sink->on[EV_LOG] = on_log;
	sink->on[EV_MARK] = on_log;
	sink->on[EV_COUNTER] = on_counter;
}
