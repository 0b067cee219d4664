/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/models/working.h"
#include "analyzer/util/list.h"

#define NEST_MAX 64u

struct boundary {
	uint64_t tick;
	bool is_begin;
	struct work_region region; /* of an end only the id counts */
};

struct nest {
	struct work_region list[NEST_MAX];
	size_t len;
};

/* One thread: what it is in now, and what it was in at the end of its last told stretch. */
struct work_thread {
	struct nest now, told;
	struct boundary *queue;
	size_t queue_len, queue_cap, queue_at;
};

/* ---- tables --------------------------------------------------------------------------------------------------- */

static uint32_t type_at(struct working *w, struct map *map, struct work_type **types, size_t *len, size_t *cap,
			uint32_t name)
{
	bool is_new;
	uint64_t *at = map_at(map, name, &is_new);

	if (!at || (is_new && list_grow((void **)types, cap, *len, sizeof(**types)))) {
		w->failed = true;
		return 0;
	}
	if (is_new) {
		(*types)[*len] = (struct work_type){ .name = name };
		*at = (*len)++;
	}
	return (uint32_t)*at;
}

uint32_t working_task(const struct working *w, uint64_t id)
{
	uint64_t at;

	return id && map_get(&w->task_of, id, &at) ? (uint32_t)at + 1 : 0;
}

const struct work_region *working_region(const struct working *w, uint32_t thread)
{
	const struct nest *now = thread < w->rec->threads_len ? &w->threads[thread].now : NULL;

	return now && now->len ? &now->list[now->len - 1] : NULL;
}

static bool is_inside(const struct working *w, uint64_t tick)
{
	return tick >= w->from && tick < w->to;
}

static void count_end(struct working *w, struct work_type *type, uint64_t begin, uint64_t end)
{
	if (!is_inside(w, end))
		return;
	type->ended++;
	spread_add(&type->durations, end > begin ? clock_ns(&w->rec->clock, end) - clock_ns(&w->rec->clock, begin) : 0,
		   1);
}

/* ---- notes ---------------------------------------------------------------------------------------------------- */

static void on_task_begin(void *self, const struct pass_event *e)
{
	struct working *w = self;
	const struct rec_note *note = &e->ev->note;
	struct work_task task = { .id = note->id, .parent = note->parent, .begin = e->tick };

	task.type = type_at(w, &w->task_type_of, &w->task_types, &w->task_types_len, &w->task_types_cap, note->name);
	if (w->failed || list_grow((void **)&w->tasks, &w->tasks_cap, w->tasks_len, sizeof(*w->tasks)) ||
	    map_put(&w->task_of, note->id, w->tasks_len)) {
		w->failed = true;
		return;
	}
	w->tasks[w->tasks_len++] = task;
	w->task_types[task.type].begun++;
}

static void on_task_end(void *self, const struct pass_event *e)
{
	struct working *w = self;
	uint32_t index = working_task(w, e->ev->note.id);
	struct work_task *task = index ? &w->tasks[index - 1] : NULL;

	if (!task || task->end)
		return;
	task->end = e->tick;
	count_end(w, &w->task_types[task->type], task->begin, task->end);
}

static void queue(struct working *w, uint32_t thread, const struct boundary *b)
{
	struct work_thread *t = &w->threads[thread];

	if (t->queue_at && t->queue_at == t->queue_len)
		t->queue_at = t->queue_len = 0;
	if (list_grow((void **)&t->queue, &t->queue_cap, t->queue_len, sizeof(*t->queue)))
		w->failed = true;
	else
		t->queue[t->queue_len++] = *b;
}

static void nest_push(struct nest *n, const struct work_region *region)
{
	if (n->len < NEST_MAX)
		n->list[n->len++] = *region;
}

/* Regions end in the reverse order of their beginnings; one that does not is taken out of the middle. */
static bool nest_take(struct nest *n, uint64_t id, struct work_region *region)
{
	for (size_t i = n->len; i-- > 0;) {
		if (n->list[i].id != id)
			continue;
		*region = n->list[i];
		for (n->len--; i < n->len; i++)
			n->list[i] = n->list[i + 1];
		return true;
	}
	return false;
}

static void on_region_begin(void *self, const struct pass_event *e)
{
	struct working *w = self;
	const struct rec_note *note = &e->ev->note;
	struct boundary b = { .tick = e->tick, .is_begin = true, .region = { .id = note->id, .begin = e->tick } };

	if (e->thread >= w->rec->threads_len)
		return;
	b.region.type = type_at(w, &w->region_type_of, &w->region_types, &w->region_types_len, &w->region_types_cap,
				note->name);
	b.region.task = working_task(w, note->parent);
	if (w->failed)
		return;
	w->region_types[b.region.type].begun++;
	nest_push(&w->threads[e->thread].now, &b.region);
	queue(w, e->thread, &b);
}

static void on_region_end(void *self, const struct pass_event *e)
{
	struct working *w = self;
	struct boundary b = { .tick = e->tick, .region.id = e->ev->note.id };
	struct work_region region;
	struct nest *now;

	if (e->thread >= w->rec->threads_len)
		return;
	now = &w->threads[e->thread].now;
	if (!nest_take(now, b.region.id, &region))
		return;
	if (w->region)
		w->region(w->self, e->thread, (uint32_t)now->len, &region, e->tick);
	queue(w, e->thread, &b);
	count_end(w, &w->region_types[region.type], region.begin, e->tick);
}

static void on_log(void *self, const struct pass_event *e)
{
	struct working *w = self;

	w->logs += is_inside(w, e->tick);
}

/* ---- what threads did ----------------------------------------------------------------------------------------- */

static void tell(struct working *w, const struct nest *in, const struct stretch *s, uint64_t from, uint64_t to)
{
	from = from > w->from ? from : w->from;
	to = to < w->to ? to : w->to;
	if (w->piece && in->len && from < to)
		w->piece(w->self, &in->list[in->len - 1], s, from, to);
}

static void on_stretch(void *self, const struct stretch *s)
{
	struct working *w = self;
	struct work_thread *t = &w->threads[s->thread];
	uint64_t at = s->begin;

	for (; t->queue_at < t->queue_len && t->queue[t->queue_at].tick < s->end; t->queue_at++) {
		const struct boundary *b = &t->queue[t->queue_at];
		struct work_region region;

		if (b->tick > at) {
			tell(w, &t->told, s, at, b->tick);
			at = b->tick;
		}
		if (b->is_begin)
			nest_push(&t->told, &b->region);
		else
			nest_take(&t->told, b->region.id, &region);
	}
	tell(w, &t->told, s, at, s->end);
}

/* ---- begin and end -------------------------------------------------------------------------------------------- */

int working_init(struct working *w, struct recording *rec)
{
	w->rec = rec;
	map_init(&w->task_type_of);
	map_init(&w->region_type_of);
	map_init(&w->task_of);
	w->activity = (struct activity){ .self = w, .stretch = on_stretch };
	w->threads = calloc(rec->threads_len + 1, sizeof(*w->threads));
	return w->threads ? activity_init(&w->activity, rec) : -ENOMEM;
}

void working_sinks(struct working *w, struct pass_sink sinks[2])
{
	sinks[0] = (struct pass_sink){ .self = w,
				       .on = { [EV_TASK_BEGIN] = on_task_begin,
					       [EV_TASK_END] = on_task_end,
					       [EV_REGION_BEGIN] = on_region_begin,
					       [EV_REGION_END] = on_region_end,
					       [EV_LOG] = on_log } };
	sinks[1] = activity_sink(&w->activity);
}

static void tell_open(struct working *w, uint32_t thread)
{
	const struct nest *now = &w->threads[thread].now;

	for (size_t i = now->len; w->region && i-- > 0;)
		w->region(w->self, thread, (uint32_t)i, &now->list[i], 0);
}

int working_finish(struct working *w)
{
	activity_finish(&w->activity);
	for (uint32_t i = 0; i < w->rec->threads_len; i++)
		tell_open(w, i);
	return w->failed ? -ENOMEM : 0;
}

static void release_types(struct work_type *types, size_t len)
{
	for (size_t i = 0; i < len; i++)
		spread_release(&types[i].durations);
	free(types);
}

void working_release(struct working *w)
{
	for (size_t i = 0; w->threads && i < w->rec->threads_len; i++)
		free(w->threads[i].queue);
	release_types(w->task_types, w->task_types_len);
	release_types(w->region_types, w->region_types_len);
	map_release(&w->task_type_of);
	map_release(&w->region_type_of);
	map_release(&w->task_of);
	activity_release(&w->activity);
	free(w->tasks);
	free(w->threads);
}
