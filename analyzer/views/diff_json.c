/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "analyzer/views/diff_view.h"
#include "analyzer/views/views.h"

/* Whole numbers as such: only what was divided by work is broken. */
static void put_number(struct json *j, const char *key, double value)
{
	json_key(j, key);
	if (value == floor(value) && fabs(value) < 9e15)
		json_i64(j, (int64_t)value);
	else
		json_f64(j, value);
}

static void put_change(struct json *j, double old, double new)
{
	put_number(j, "old", old);
	put_number(j, "new", new);
	put_number(j, "delta", new - old);
	json_key(j, "ratio");
	if (old > 0)
		json_f64(j, new / old);
	else
		json_null(j);
}

static void put_side(const struct diff_view *v, enum align_side side, struct json *j)
{
	const struct import *im = v->d->inputs[side].import;

	json_key(j, side == ALIGN_OLD ? "old" : "new");
	json_begin_object(j);
	json_field_string(j, "file", v->path[side]);
	if (im)
		json_field_string(j, "format", im->format->name);
	json_field_string(j, "program", diff_program(v->d, side));
	json_field_u64(j, "duration_ns", diff_duration_ns(v->d, side));
	json_field_u64(j, "lost_events", im ? 0 : v->d->a[side]->lost_events);
	json_key(j, "work");
	if (v->d->unit)
		json_f64(j, v->d->work[side]);
	else
		json_null(j);
	json_end(j);
}

static void put_totals(const struct diff_view *v, struct json *j)
{
	json_key(j, "totals");
	json_begin_array(j);
	for (size_t i = 0; i < v->d->values_len; i++) {
		const struct diff_value *value = &v->d->values[i];

		json_begin_object(j);
		json_field_string(j, "name", value->name);
		json_field_string(j, "unit",
				  value->unit == UNIT_BYTES ? "bytes"
				  : value->unit == UNIT_NS  ? "ns"
							    : "count");
		json_field_bool(j, "per_work", v->d->unit && !value->is_momentary);
		put_change(j, value->total[ALIGN_OLD], value->total[ALIGN_NEW]);
		json_end(j);
	}
	json_end(j);
}

static int put_stack(const struct diff_view *v, const struct diff_value *value, const struct diff_row *row,
		     struct json *j)
{
	const struct groups *g = &v->d->profiles[value->subject].groups;
	const struct group *group = &g->list[row->group[row->group[ALIGN_NEW] != GROUP_NONE ? ALIGN_NEW : ALIGN_OLD]];

	json_key(j, "stack");
	if (g->by == BY_STACK)
		return view_stack_json(j, v->d->stacks, group->stack);
	json_begin_array(j);
	if (group->place.site)
		view_frame_json(j, group->place.site);
	json_end(j);
	return 0;
}

static int put_row(const struct diff_view *v, const struct diff_value *value, const struct diff_row *row,
		   struct json *j)
{
	struct buf name = { 0 };
	int err;

	json_begin_object(j);
	put_change(j, diff_of(v->d, value, row, ALIGN_OLD), diff_of(v->d, value, row, ALIGN_NEW));
	if (value->subject == DIFF_CPU)
		put_number(j, "chance", diff_noise(v->d, value, row));
	json_field_string(j, "state", *diff_row_state(row) ? diff_row_state(row) : "both");
	diff_row_name(v->d, value, row, &name);
	json_field_string(j, "place", buf_string(&name));
	buf_release(&name);
	err = put_stack(v, value, row, j);
	json_end(j);
	return err;
}

static int put_places(const struct diff_view *v, const struct diff_value *value, struct json *j)
{
	size_t len;
	const struct diff_row **rows = diff_order(v->d, value, &len);
	int err = rows ? 0 : -ENOMEM;

	json_key(j, value->name);
	json_begin_array(j);
	for (size_t i = 0; !err && i < len && (!v->top || i < v->top); i++)
		err = put_row(v, value, rows[i], j);
	json_end(j);
	free(rows);
	return err;
}

static void put_thresholds(const struct diff_view *v, struct json *j)
{
	json_key(j, "thresholds");
	json_begin_array(j);
	for (size_t i = 0; i < v->thresholds->len; i++) {
		const struct threshold *t = &v->thresholds->list[i];
		struct buf words = { 0 };

		threshold_words(t, v->d, &words);
		json_begin_object(j);
		json_field_string(j, "rule", t->text);
		json_field_bool(j, "crossed", t->is_crossed);
		put_change(j, t->sums[ALIGN_OLD], t->sums[ALIGN_NEW]);
		json_field_string(j, "text", buf_string(&words));
		json_end(j);
		buf_release(&words);
	}
	json_end(j);
}

int diff_view_json(const struct diff_view *v, FILE *out)
{
	struct json j;
	int err = 0;

	json_init(&j, out);
	json_begin_object(&j);
	json_field_string(&j, "schema", "ringside.diff/1");
	put_side(v, ALIGN_OLD, &j);
	put_side(v, ALIGN_NEW, &j);
	json_field_string(&j, "per", v->d->unit);
	put_totals(v, &j);
	json_key(&j, "places");
	json_begin_object(&j);
	for (size_t i = 0; !err && i < v->d->values_len; i++)
		if (v->d->values[i].subject != DIFF_PROCESS && (!v->sample || v->sample == &v->d->values[i]))
			err = put_places(v, &v->d->values[i], &j);
	json_end(&j);
	put_thresholds(v, &j);
	json_key(&j, "notes");
	json_begin_array(&j);
	for (size_t i = 0; i < v->notes.notes_len; i++)
		json_string(&j, v->notes.notes[i]);
	json_end(&j);
	json_end(&j);
	return err ? err : v->notes.failed ? -ENOMEM : json_finish(&j);
}
