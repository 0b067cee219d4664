/* SPDX-License-Identifier: MIT */
/* speedscope.c - speedscope's own JSON: one sampled profile for each number of the profile. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/export.h"
#include "analyzer/util/json.h"
#include "analyzer/util/list.h"
#include "analyzer/util/map.h"

struct speedscope {
	struct export_run *r;
	struct json j;
	struct map index; /* hash of name, file, line -> number of the frame */
	const struct frame **frames;
	size_t len, cap;
	bool failed;
};

/* speedscope takes the time of a stack without frames for idle and leaves it out of its sums. */
static const struct frame no_stack = { .function = "[no stack]" };

static uint64_t frame_number(struct speedscope *s, const struct frame *frame)
{
	const char *name = export_frame_name(frame), *file = frame->file ? frame->file : "";
	const uint64_t key[] = { hash_bytes(name, strlen(name)), hash_bytes(file, strlen(file)), frame->line };
	bool is_new;
	uint64_t *at = map_at(&s->index, hash_bytes(key, sizeof(key)), &is_new);

	if (!at || (is_new && list_grow((void **)&s->frames, &s->cap, s->len, sizeof(*s->frames)))) {
		s->failed = true;
		return 0;
	}
	if (is_new) {
		s->frames[s->len] = frame;
		*at = s->len++;
	}
	return *at;
}

static int number_frames(struct speedscope *s, struct frames *frames)
{
	int err = 0;

	for (size_t i = 0; i < s->r->profile->rows_len && !err; i++) {
		err = stacks_frames(s->r->stacks, s->r->profile->rows[i].stack, frames);
		for (size_t k = 0; k < frames->len && !err; k++)
			frame_number(s, frames->list[k]);
		if (!err && !frames->len)
			frame_number(s, &no_stack);
	}
	return err;
}

static void put_frames(struct speedscope *s)
{
	json_key(&s->j, "shared");
	json_begin_object(&s->j);
	json_key(&s->j, "frames");
	json_begin_array(&s->j);
	for (size_t i = 0; i < s->len; i++) {
		json_begin_object(&s->j);
		json_field_string(&s->j, "name", export_frame_name(s->frames[i]));
		if (s->frames[i]->file)
			json_field_string(&s->j, "file", s->frames[i]->file);
		if (s->frames[i]->line)
			json_field_u64(&s->j, "line", s->frames[i]->line);
		json_end(&s->j);
	}
	json_end(&s->j);
	json_end(&s->j);
}

/* Stacks without any of this number are left out. */
static int put_profile(struct speedscope *s, size_t value, struct frames *frames)
{
	const struct profile *p = s->r->profile;
	enum unit unit = p->values[value].unit;
	int err = 0;

	json_begin_object(&s->j);
	json_field_string(&s->j, "type", "sampled");
	json_field_string(&s->j, "name", p->values[value].name);
	json_field_string(&s->j, "unit", unit == UNIT_BYTES ? "bytes" : unit == UNIT_NS ? "nanoseconds" : "none");
	json_field_u64(&s->j, "startValue", 0);
	json_field_i64(&s->j, "endValue", profile_total(p, value));
	json_key(&s->j, "samples");
	json_begin_array(&s->j);
	for (size_t i = 0; i < p->rows_len && !err; i++) {
		if (p->rows[i].values[value] <= 0)
			continue;
		err = stacks_frames(s->r->stacks, p->rows[i].stack, frames);
		json_begin_array(&s->j);
		for (size_t k = frames->len; k-- > 0;)
			json_u64(&s->j, frame_number(s, frames->list[k]));
		if (!err && !frames->len)
			json_u64(&s->j, frame_number(s, &no_stack));
		json_end(&s->j);
	}
	json_end(&s->j);
	json_key(&s->j, "weights");
	json_begin_array(&s->j);
	for (size_t i = 0; i < p->rows_len; i++)
		if (p->rows[i].values[value] > 0)
			json_i64(&s->j, p->rows[i].values[value]);
	json_end(&s->j);
	json_end(&s->j);
	return err;
}

int export_speedscope(struct export_run *r)
{
	struct speedscope s = { .r = r };
	struct frames frames = { 0 };
	int err;

	map_init(&s.index);
	json_init(&s.j, r->out);
	err = number_frames(&s, &frames);
	json_begin_object(&s.j);
	json_field_string(&s.j, "$schema", "https://www.speedscope.app/file-format-schema.json");
	json_field_string(&s.j, "exporter", "ringside");
	json_field_string(&s.j, "name", recording_name(&r->a->rec));
	json_field_u64(&s.j, "activeProfileIndex", r->value);
	put_frames(&s);
	json_key(&s.j, "profiles");
	json_begin_array(&s.j);
	for (size_t i = 0; i < r->profile->values_len && !err; i++)
		err = put_profile(&s, i, &frames);
	json_end(&s.j);
	json_end(&s.j);
	frames_release(&frames);
	free(s.frames);
	map_release(&s.index);
	if (!err && s.failed)
		err = -ENOMEM;
	return err ? err : json_finish(&s.j);
}
