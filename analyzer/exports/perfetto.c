/* SPDX-License-Identifier: MIT */
/*
 * perfetto.c - Perfetto's own trace, a stream of TracePackets: a track per thread with its waits and regions as slices
 * that have call stacks, an arrow from who ended a wait to that wait, tasks on tracks of the process, logs and marks
 * as instants, counters, CPU samples as PerfSamples, and the heap by stack at its peak and at the end.
 *
 * Packets are written as events are read, in the order of the events' ends; the reader of a trace sorts them by time.
 * Names, frames and stacks are written once, in the packet that names them first: what is kept are the distinct ones,
 * the tasks and regions that are open, and a bounded curve of the heap. Times are nanoseconds since the recording
 * began; a snapshot of the clocks says which moment that was.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/perfetto.h"

static void put_clocks(struct perfetto *p)
{
	static const unsigned clocks[] = { REALTIME, MONOTONIC, MONOTONIC_COARSE, BOOTTIME };

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		proto_u64(&p->part, CLOCK_ID, clocks[i]);
		proto_present(&p->part, CLOCK_TIMESTAMP,
			      clocks[i] == REALTIME ? p->rec->reader.header.start_realtime_ns : 0);
		proto_message(&p->event, CLOCKS_CLOCK, &p->part);
	}
	perfetto_packet(p, PACKET_CLOCKS, 0);
}

static void put_process(struct perfetto *p)
{
	buf_clear(&p->text);
	export_utf8(&p->text, recording_name(p->rec));
	proto_u64(&p->part, PROCESS_PID, p->rec->reader.header.pid);
	proto_bytes(&p->part, PROCESS_NAME, buf_string(&p->text), p->text.len);
	proto_u64(&p->event, TRACK_UUID, TRACK_OF_PROCESS);
	proto_message(&p->event, TRACK_PROCESS, &p->part);
	perfetto_packet(p, PACKET_TRACK, 0);
}

/* The kernel gives a tid again: a later thread has a track of its own, and from its start the tid is its. */
static void put_threads(struct perfetto *p)
{
	for (uint32_t i = 0; i < p->rec->threads_len; i++) {
		const struct rsd_thread *t = recording_thread(p->rec, i);
		char name[sizeof(t->name) + 1] = "";

		if (!perfetto_has_track(p, i))
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
		perfetto_packet(p, PACKET_TRACK, perfetto_moment(p, t->start_tick));
	}
}

static int put_all(struct perfetto *p)
{
	struct pass_sink sink = { .self = p, .on = { [EV_MEMORY] = perfetto_on_memory } };
	int err;

	perfetto_events(&sink);
	put_clocks(p);
	put_process(p);
	put_threads(p);
	perfetto_track(p, TRACK_OF_HEAP, "heap live bytes", true, BYTES);
	err = heap_sites_run(&p->heap, p->r, &sink);
	if (err)
		return err;
	perfetto_unfinished(p);
	perfetto_curve(p);
	perfetto_sites(p, true);
	perfetto_sites(p, false);
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
