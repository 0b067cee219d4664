/* SPDX-License-Identifier: MIT */
/*
 * chrome.c - Chrome's trace events as JSON: a track per thread with its waits as complete events and regions around
 * them, tasks as asynchronous events, logs and marks as instants, counters of the program and of the heap, CPU samples.
 *
 * Events are written as they are read; what is kept is the frames of their stacks, the tasks and regions that are open
 * and a bounded curve of the heap. Times are microseconds with three decimals, so nanoseconds are whole. An event is
 * written when it has ended, so one around others comes behind them; the waits of a track come in order. Regions are
 * complete events too: DevTools matches beginnings and ends of all threads on one stack.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/curve.h"
#include "analyzer/exports/export.h"
#include "analyzer/exports/frame_tree.h"
#include "analyzer/models/lives.h"
#include "analyzer/symbols/place.h"
#include "analyzer/util/json.h"
#include "analyzer/util/list.h"
#include "format/kinds.h"

#define STACK_NAMES 16u /* functions of a stack in an event's arguments, innermost ones */

/* Regions that a thread is in, outermost first. */
struct region {
	uint64_t id, task, begin; /* begin: tick */
	uint32_t name;		  /* string id */
	struct stack_id stack;
};
struct region_stack {
	struct region *list;
	size_t len, cap;
};

struct chrome {
	struct export_run *r;
	struct recording *rec;
	struct json j;
	struct frame_tree tree;
	uint64_t *tracks;	      /* by thread index: its tid for the viewer */
	struct region_stack *regions; /* by thread index */
	struct map task_name;	      /* open tasks: id -> string id of the type */
	struct lives lives;
	struct curve heap;
	uint64_t live_bytes;
	bool failed;
};

/* ---- heads ---------------------------------------------------------------------------------------------------- */

static uint64_t track_of(const struct chrome *c, uint32_t thread)
{
	return thread < c->rec->threads_len ? c->tracks[thread] : 0;
}

/* The kernel gives a tid again: a later thread gets a track of its own. */
static int number_tracks(struct chrome *c)
{
	struct map again;

	c->tracks = calloc(c->rec->threads_len + 1, sizeof(*c->tracks));
	map_init(&again);
	for (uint32_t i = 0; c->tracks && i < c->rec->threads_len; i++) {
		uint64_t *times = map_at(&again, c->rec->threads[i].tid, NULL);

		c->tracks[i] = (times ? (*times)++ : 0) << 32 | c->rec->threads[i].tid;
		c->failed |= !times;
	}
	map_release(&again);
	return c->tracks ? 0 : -ENOMEM;
}

static void put_us(struct chrome *c, const char *key, uint64_t ns)
{
	json_field_f64(&c->j, key, (double)ns / 1e3);
}

static void begin_event(struct chrome *c, const char *phase, const char *name, const char *category, uint32_t thread,
			uint64_t ns)
{
	json_begin_object(&c->j);
	json_field_string(&c->j, "ph", phase);
	json_field_string(&c->j, "name", name);
	json_field_string(&c->j, "cat", category);
	json_field_u64(&c->j, "pid", c->rec->reader.header.pid);
	json_field_u64(&c->j, "tid", track_of(c, thread));
	put_us(c, "ts", ns);
}

static void put_address(struct chrome *c, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_field_string(&c->j, key, text);
}

/* The frame for viewers that know stackFrames. */
static void put_frame(struct chrome *c, struct stack_id stack)
{
	uint32_t node = frame_tree_of(&c->tree, stack);

	if (node)
		json_field_u64(&c->j, "sf", node);
}

/* And names for those that show arguments only. */
static void put_stack(struct chrome *c, struct stack_id stack)
{
	uint32_t node = frame_tree_of(&c->tree, stack);
	struct buf text = { 0 };

	if (!node)
		return;
	place_name(&text, c->r->stacks, stack);
	json_field_string(&c->j, "at", buf_string(&text));
	json_key(&c->j, "stack");
	json_begin_array(&c->j);
	for (unsigned i = 0; node && i < STACK_NAMES; i++, node = c->tree.nodes[node - 1].parent)
		json_string(&c->j, export_frame_name(c->tree.nodes[node - 1].frame));
	if (node)
		json_string(&c->j, "...");
	json_end(&c->j);
	c->failed |= text.failed;
	buf_release(&text);
}

static void put_text(struct chrome *c, const char *key, uint32_t id)
{
	struct buf text = { 0 };

	recording_string(c->rec, id, &text);
	json_key(&c->j, key);
	json_string_n(&c->j, buf_string(&text), text.len);
	c->failed |= text.failed;
	buf_release(&text);
}

/* An event whose name is of the recording. */
static void begin_named(struct chrome *c, const char *phase, uint32_t name, const char *category, uint32_t thread,
			uint64_t ns)
{
	struct buf text = { 0 };

	recording_string(c->rec, name, &text);
	begin_event(c, phase, text.len ? buf_string(&text) : "?", category, thread, ns);
	c->failed |= text.failed;
	buf_release(&text);
}

static uint64_t moment(const struct chrome *c, uint64_t tick)
{
	return clock_ns(&c->rec->clock, tick);
}

/* ---- waits ---------------------------------------------------------------------------------------------------- */

static void put_object(struct chrome *c, unsigned wait, uint64_t object)
{
	if (!strcmp(wait_domain(wait), "io"))
		json_field_i64(&c->j, "fd", (int64_t)object);
	else if (object)
		put_address(c, "object", object);
}

static void on_span(void *self, const struct pass_event *e)
{
	struct chrome *c = self;
	const struct rec_span *span = &e->ev->span;
	struct stack_id stack = recording_stack(c->rec, span->stack);
	uint64_t begin = e->tick > span->dur_ticks ? e->tick - span->dur_ticks : 0;

	begin_event(c, "X", wait_name(span->wait), wait_domain(span->wait), e->thread, moment(c, begin));
	put_us(c, "dur", clock_dur_ns(&c->rec->clock, span->dur_ticks));
	put_frame(c, stack);
	json_key(&c->j, "args");
	json_begin_object(&c->j);
	put_object(c, span->wait, span->object);
	if (span->amount)
		json_field_u64(&c->j, "amount", span->amount);
	if (span->peer)
		json_field_u64(&c->j, "holder_tid", span->peer);
	if (span->err)
		json_field_u64(&c->j, "errno", span->err);
	put_us(c, "blocked_us", span_split(&c->rec->clock, span).blocked_ns);
	put_stack(c, stack);
	json_end(&c->j);
	json_end(&c->j);
}

/* What had not ended with the recording is known by its beginning only. */
static void put_unfinished(struct chrome *c)
{
	for (uint32_t i = 0; i < c->rec->threads_len; i++) {
		const struct rsd_thread *t = recording_thread(c->rec, i);

		if (!t || !t->waiting || t->waiting >= RSD_WAITS || t->end_tick ||
		    t->waiting_since >= c->rec->end_tick || c->r->a->is_filtered)
			continue;
		begin_event(c, "X", wait_name(t->waiting), "unfinished", i, moment(c, t->waiting_since));
		put_us(c, "dur", clock_dur_ns(&c->rec->clock, c->rec->end_tick - t->waiting_since));
		json_key(&c->j, "args");
		json_begin_object(&c->j);
		put_object(c, t->waiting, t->waiting_object);
		if (t->waiting_peer)
			json_field_u64(&c->j, "holder_tid", t->waiting_peer);
		json_field_bool(&c->j, "unfinished", true);
		json_end(&c->j);
		json_end(&c->j);
	}
}

static void on_sample(void *self, const struct pass_event *e)
{
	struct chrome *c = self;
	const struct rec_sample *sample = &e->ev->sample;

	begin_event(c, "P", "cpu", "cpu", e->thread, moment(c, e->tick));
	put_frame(c, recording_stack(c->rec, sample->stack));
	json_key(&c->j, "args");
	json_begin_object(&c->j);
	json_field_u64(&c->j, "weight", sample->weight ? sample->weight : 1);
	json_field_u64(&c->j, "cpu_ns", sample->cpu_ns);
	json_end(&c->j);
	json_end(&c->j);
}

/* ---- annotations ---------------------------------------------------------------------------------------------- */

static void put_task(struct chrome *c, const char *phase, const struct pass_event *e, uint32_t name)
{
	const struct rec_note *note = &e->ev->note;

	begin_named(c, phase, name, "task", e->thread, moment(c, e->tick));
	put_address(c, "id", note->id);
	if (note->parent) {
		json_key(&c->j, "args");
		json_begin_object(&c->j);
		put_address(c, "parent", note->parent);
		json_end(&c->j);
	}
	json_end(&c->j);
}

static void on_task_begin(void *self, const struct pass_event *e)
{
	struct chrome *c = self;

	c->failed |= map_put(&c->task_name, e->ev->note.id, e->ev->note.name) != 0;
	put_task(c, "b", e, e->ev->note.name);
}

/* The end of a task does not name it. One that has not begun here has no place. */
static void on_task_end(void *self, const struct pass_event *e)
{
	struct chrome *c = self;
	uint64_t name;

	if (map_remove(&c->task_name, e->ev->note.id, &name))
		put_task(c, "e", e, (uint32_t)name);
}

static void on_region_begin(void *self, const struct pass_event *e)
{
	struct chrome *c = self;
	const struct rec_note *note = &e->ev->note;
	struct region_stack *s = e->thread < c->rec->threads_len ? &c->regions[e->thread] : NULL;

	if (!s)
		return;
	if (list_grow((void **)&s->list, &s->cap, s->len, sizeof(*s->list))) {
		c->failed = true;
		return;
	}
	s->list[s->len++] = (struct region){ .id = note->id,
					     .task = note->parent,
					     .begin = e->tick,
					     .name = note->name,
					     .stack = recording_stack(c->rec, note->stack) };
}

static void put_region(struct chrome *c, uint32_t thread, const struct region *region, uint64_t end, bool is_unfinished)
{
	uint64_t begin_ns = moment(c, region->begin), end_ns = moment(c, end);

	begin_named(c, "X", region->name, "region", thread, begin_ns);
	put_us(c, "dur", end_ns > begin_ns ? end_ns - begin_ns : 0);
	put_frame(c, region->stack);
	json_key(&c->j, "args");
	json_begin_object(&c->j);
	if (region->task)
		put_address(c, "task", region->task);
	if (is_unfinished)
		json_field_bool(&c->j, "unfinished", true);
	put_stack(c, region->stack);
	json_end(&c->j);
	json_end(&c->j);
}

static void end_regions(struct chrome *c, uint32_t thread, size_t keep, uint64_t tick, bool is_unfinished)
{
	for (struct region_stack *s = &c->regions[thread]; s->len > keep; s->len--)
		put_region(c, thread, &s->list[s->len - 1], tick, is_unfinished);
}

/* Regions inside that the program forgot end with it. */
static void on_region_end(void *self, const struct pass_event *e)
{
	struct chrome *c = self;
	struct region_stack *s = e->thread < c->rec->threads_len ? &c->regions[e->thread] : NULL;

	for (size_t i = s ? s->len : 0; i-- > 0;)
		if (s->list[i].id == e->ev->note.id) {
			end_regions(c, e->thread, i, e->tick, false);
			return;
		}
}

static void on_log(void *self, const struct pass_event *e)
{
	struct chrome *c = self;
	const struct rec_note *note = &e->ev->note;

	/* As Chrome writes it. DevTools passes over the "i" of the format's description. */
	begin_named(c, "I", note->name, e->kind == EV_MARK ? "mark" : "log", e->thread, moment(c, e->tick));
	json_field_string(&c->j, "s", e->kind == EV_MARK ? "p" : "t");
	json_key(&c->j, "args");
	json_begin_object(&c->j);
	if (note->text)
		put_text(c, "message", note->text);
	if (note->parent)
		put_address(c, "task", note->parent);
	json_end(&c->j);
	json_end(&c->j);
}

static void on_counter(void *self, const struct pass_event *e)
{
	struct chrome *c = self;
	double value;

	memcpy(&value, &e->ev->note.value, sizeof(value));
	begin_named(c, "C", e->ev->note.name, "counter", e->thread, moment(c, e->tick));
	json_key(&c->j, "args");
	json_begin_object(&c->j);
	json_field_f64(&c->j, "value", value);
	json_end(&c->j);
	json_end(&c->j);
}

/* ---- the heap ------------------------------------------------------------------------------------------------- */

static void born(void *self, struct life *life)
{
	struct chrome *c = self;

	c->live_bytes += lives_weight(&c->lives, life).bytes;
	curve_add(&c->heap, moment(c, life->born), c->live_bytes);
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct chrome *c = self;

	if (end->fate == LIFE_GOES_ON)
		return;
	c->live_bytes -= lives_weight(&c->lives, life).bytes;
	curve_add(&c->heap, moment(c, end->tick), c->live_bytes);
}

static void put_heap_at(struct chrome *c, uint64_t ns, uint64_t bytes)
{
	begin_event(c, "C", "heap", "heap", 0, ns);
	json_key(&c->j, "args");
	json_begin_object(&c->j);
	json_field_u64(&c->j, "live_bytes", bytes);
	json_end(&c->j);
	json_end(&c->j);
}

static void put_heap(struct chrome *c)
{
	for (size_t i = 0; i < c->heap.len; i++) {
		const struct curve_point *p = &c->heap.points[i];

		if (!p->is_set)
			continue;
		put_heap_at(c, p->top_ns, p->top_bytes);
		if (p->last_ns > p->top_ns)
			put_heap_at(c, p->last_ns, p->last_bytes);
	}
}

/* ---- the file ------------------------------------------------------------------------------------------------- */

static void put_name(struct chrome *c, const char *what, uint64_t track, const char *name)
{
	json_begin_object(&c->j);
	json_field_string(&c->j, "ph", "M");
	json_field_string(&c->j, "name", what);
	json_field_string(&c->j, "cat", "__metadata");
	json_field_u64(&c->j, "pid", c->rec->reader.header.pid);
	json_field_u64(&c->j, "tid", track);
	json_field_u64(&c->j, "ts", 0);
	json_key(&c->j, "args");
	json_begin_object(&c->j);
	json_field_string(&c->j, "name", name);
	json_end(&c->j);
	json_end(&c->j);
}

static void put_names(struct chrome *c)
{
	put_name(c, "process_name", 0, recording_name(c->rec));
	for (uint32_t i = 0; i < c->rec->threads_len; i++) {
		const struct rsd_thread *t = recording_thread(c->rec, i);
		char name[sizeof(t->name) + 1] = "";

		if (!t || (c->r->a->filter.threads && !c->r->a->filter.threads[i]))
			continue;
		memcpy(name, t->name, sizeof(t->name));
		put_name(c, "thread_name", track_of(c, i), name);
	}
}

static void put_frames(struct chrome *c)
{
	json_key(&c->j, "stackFrames");
	json_begin_object(&c->j);
	for (size_t i = 0; i < c->tree.len; i++) {
		const struct tree_node *node = &c->tree.nodes[i];
		char number[24];

		snprintf(number, sizeof(number), "%zu", i + 1);
		json_key(&c->j, number);
		json_begin_object(&c->j);
		json_field_string(&c->j, "name", export_frame_name(node->frame));
		json_field_string(&c->j, "category", node->frame->module ? node->frame->module : "?");
		if (node->parent)
			json_field_u64(&c->j, "parent", node->parent);
		json_end(&c->j);
	}
	json_end(&c->j);
}

/* catapult takes "ns" for a clock too coarse to look at, unless it is told that it is not. */
static void put_metadata(struct chrome *c)
{
	json_key(&c->j, "metadata");
	json_begin_object(&c->j);
	json_field_bool(&c->j, "highres-ticks", true);
	json_end(&c->j);
}

static int put_events(struct chrome *c)
{
	const struct pass_sink sink = { .self = c,
					.on = { [EV_SPAN] = on_span,
						[EV_SAMPLE] = on_sample,
						[EV_TASK_BEGIN] = on_task_begin,
						[EV_TASK_END] = on_task_end,
						[EV_REGION_BEGIN] = on_region_begin,
						[EV_REGION_END] = on_region_end,
						[EV_LOG] = on_log,
						[EV_MARK] = on_log,
						[EV_COUNTER] = on_counter } };
	int err;

	c->lives.watcher = (struct life_watcher){ .self = c, .born = born, .ended = ended };
	c->lives.also[0] = &sink;
	err = lives_run(&c->lives, c->r->a);
	for (uint32_t i = 0; i < c->rec->threads_len; i++)
		end_regions(c, i, 0, c->rec->end_tick, true);
	put_unfinished(c);
	put_heap(c);
	return err;
}

int export_chrome(struct export_run *r)
{
	struct chrome c = { .r = r, .rec = &r->a->rec };
	int err;

	json_init(&c.j, r->out);
	c.j.pretty_depth = 2;
	frame_tree_init(&c.tree, r->stacks);
	map_init(&c.task_name);
	c.regions = calloc(c.rec->threads_len + 1, sizeof(*c.regions));
	err = c.regions ? number_tracks(&c) : -ENOMEM;
	json_begin_object(&c.j);
	json_field_string(&c.j, "displayTimeUnit", "ns");
	put_metadata(&c);
	json_key(&c.j, "traceEvents");
	json_begin_array(&c.j);
	if (!err)
		put_names(&c);
	err = err ? err : put_events(&c);
	json_end(&c.j);
	put_frames(&c);
	json_end(&c.j);
	for (uint32_t i = 0; c.regions && i < c.rec->threads_len; i++)
		free(c.regions[i].list);
	free(c.regions);
	free(c.tracks);
	map_release(&c.task_name);
	if (!err && (c.failed || c.tree.failed))
		err = -ENOMEM;
	frame_tree_release(&c.tree);
	return err ? err : json_finish(&c.j);
}
