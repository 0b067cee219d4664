/* SPDX-License-Identifier: MIT */
/* perfetto_heap.c - resident memory, the curve of the heap, and its sites. */
#include <string.h>

#include "analyzer/exports/perfetto.h"

#define HEAP_SAMPLES 512u /* of one packet */

static void put_bytes(struct perfetto *p, uint64_t track, uint64_t ns, uint64_t bytes)
{
	perfetto_begin_event(p, TYPE_COUNTER, track);
	proto_present(&p->event, EVENT_VALUE, bytes);
	perfetto_packet(p, PACKET_EVENT, ns);
}

void perfetto_on_memory(void *self, const struct pass_event *e)
{
	static const char *const names[] = { "resident bytes", "most resident bytes so far" };
	struct perfetto *p = self;
	bool is_most = e->ev->memory.flags & RSD_MEMORY_MOST;

	if (!p->has_rss[is_most])
		perfetto_track(p, TRACK_OF_RSS + is_most, names[is_most], true, BYTES);
	p->has_rss[is_most] = true;
	put_bytes(p, TRACK_OF_RSS + is_most, perfetto_moment(p, e->tick), e->ev->memory.rss_bytes);
}

void perfetto_curve(struct perfetto *p)
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

	proto_u64(&p->part, HEAP_CALLSTACK, perfetto_callstack(p, node));
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
	perfetto_packet(p, PACKET_PROFILE, ns);
	buf_release(&samples);
}

void perfetto_sites(struct perfetto *p, bool is_peak)
{
	uint64_t ns = is_peak ? perfetto_moment(p, p->heap.all.peak_tick) : recording_end_ns(p->rec);
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
