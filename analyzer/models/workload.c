/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/workload.h"
#include "analyzer/util/buf.h"
#include "analyzer/util/list.h"

static struct workload_name *name_by_text(struct workload *w, const char *text)
{
	for (size_t i = 0; i < w->names_len; i++)
		if (!strcmp(w->names[i].text, text))
			return &w->names[i];
	if (w->names_len == WORKLOAD_NAMES_MAX)
		return NULL;
	if (list_grow((void **)&w->names, &w->names_cap, w->names_len, sizeof(*w->names))) {
		w->failed = true;
		return NULL;
	}
	w->names[w->names_len] = (struct workload_name){ .text = strdup(text) };
	if (!w->names[w->names_len].text) {
		w->failed = true;
		return NULL;
	}
	return &w->names[w->names_len++];
}

/* Two string ids may have one text: processes race to write it. */
static struct workload_name *name_at(struct workload *w, uint32_t id)
{
	uint64_t *at = map_at(&w->name_of, id, NULL);
	struct buf text = { 0 };
	struct workload_name *name;

	if (at && *at)
		return &w->names[*at - 1];
	recording_string(w->rec, id, &text);
	name = text.len ? name_by_text(w, text.data) : NULL;
	w->failed |= text.failed || !at;
	if (name && at)
		*at = (uint64_t)(name - w->names) + 1;
	buf_release(&text);
	return name;
}

static void on_note(void *self, const struct pass_event *e)
{
	struct workload *w = self;
	const struct rec_note *note = &e->ev->note;
	struct workload_name *name = name_at(w, note->name);

	if (!name)
		return;
	name->tasks += e->kind == EV_TASK_BEGIN;
	name->regions += e->kind == EV_REGION_BEGIN;
	name->logs += e->kind == EV_LOG;
	if (e->kind == EV_COUNTER) {
		name->counter_records++;
		memcpy(&name->counter_last, &note->value, sizeof(name->counter_last));
	}
}

void workload_init(struct workload *w, struct recording *rec)
{
	*w = (struct workload){ .rec = rec };
	map_init(&w->name_of);
}

void workload_release(struct workload *w)
{
	for (size_t i = 0; i < w->names_len; i++)
		free(w->names[i].text);
	free(w->names);
	map_release(&w->name_of);
	*w = (struct workload){ 0 };
}

struct pass_sink workload_sink(struct workload *w)
{
	return (struct pass_sink){ .self = w,
				   .on = { [EV_TASK_BEGIN] = on_note,
					   [EV_REGION_BEGIN] = on_note,
					   [EV_LOG] = on_note,
					   [EV_COUNTER] = on_note } };
}

int workload_merge(struct workload *into, const struct workload *from)
{
	for (size_t i = 0; i < from->names_len; i++) {
		const struct workload_name *name = &from->names[i];
		struct workload_name *to = name_by_text(into, name->text);

		if (!to)
			continue;
		to->tasks += name->tasks;
		to->regions += name->regions;
		to->logs += name->logs;
		to->counter_records += name->counter_records;
		to->counter_last += name->counter_last;
	}
	return into->failed ? -ENOMEM : 0;
}

double workload_count(const struct workload *w, const char *name, const char **kind)
{
	for (size_t i = 0; i < w->names_len; i++) {
		const struct workload_name *n = &w->names[i];

		if (strcmp(n->text, name))
			continue;
		*kind = n->tasks ? "tasks" : n->regions ? "regions" : n->logs ? "logs" : "counter";
		return n->tasks	    ? (double)n->tasks
		       : n->regions ? (double)n->regions
		       : n->logs    ? (double)n->logs
				    : n->counter_last;
	}
	*kind = NULL;
	return 0;
}
