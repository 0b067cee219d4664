/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/diff.h"
#include "analyzer/util/list.h"
#include "analyzer/views/views_model.h"

/* ---- profiles ------------------------------------------------------------------------------------------------- */

static bool has_import(const struct diff *d)
{
	return d->inputs[ALIGN_OLD].import || d->inputs[ALIGN_NEW].import;
}

/* What is like none of our profiles is compared as CPU time is: by function. */
static enum diff_subject subject_of(const struct import *im)
{
	return im->subject == IMPORT_HEAP ? DIFF_HEAP : im->subject == IMPORT_BLOCK ? DIFF_BLOCK : DIFF_CPU;
}

static int profile_of(enum diff_subject subject, const struct analysis *a, struct profile *p)
{
	switch (subject) {
	case DIFF_HEAP:
		return heap_profile(&a->heap, p);
	case DIFF_CPU:
		return cpu_profile(&a->cpu, p);
	default:
		return waits_profile(&a->waits, 0, p);
	}
}

static int make_profile(enum diff_subject subject, const struct diff_input *input, struct profile *p)
{
	int err;

	profile_init(p, "diff");
	if (!input->import)
		return profile_of(subject, input->list, p);
	if (subject_of(input->import) != subject)
		return 0;
	err = profile_define_like(p, &input->import->profile);
	return err ? err : profile_merge(p, &input->import->profile, 1);
}

/* What is equal in both if nothing changed: only the heap counts exactly. */
static uint64_t row_weight(enum diff_subject subject, const struct profile *p, const struct profile_row *row)
{
	int index = subject == DIFF_HEAP ? profile_value_index(p, "alloc_objects") : -1;

	return index >= 0 ? (uint64_t)row->values[index] : 0;
}

static int add_recordings(struct align *align, enum align_side side, const struct diff_input *input)
{
	int err = align ? 0 : -ENOMEM;

	if (!err && input->import)
		return import_align(input->import, align, side);
	for (size_t i = 0; !err && i < input->len; i++)
		err = align_recording(align, side, &input->list[i].rec);
	return err;
}

static int add_stacks(struct diff_profile *dp, enum diff_subject subject, enum align_side side)
{
	const struct profile *p = &dp->profile[side];
	int err = 0;

	for (size_t i = 0; !err && i < p->rows_len; i++)
		err = align_stack(dp->align, side, p->rows[i].stack, row_weight(subject, p, &p->rows[i]),
				  subject == DIFF_CPU);
	return err;
}

/* ---- rows ----------------------------------------------------------------------------------------------------- */

static uint64_t place_key(const struct align *align, const struct frame *frame)
{
	struct align_place place = frame ? align_frame(align, frame) : (struct align_place){ 0 };

	return (uint64_t)place.function << 32 | place.site;
}

static uint64_t group_key(const struct diff_profile *dp, const struct group *group)
{
	const struct frame *site = group->place.site;
	struct align_place place = site ? align_frame(dp->align, site) : (struct align_place){ 0 };
	uint64_t words[2] = { place_key(dp->align, site), place_key(dp->align, group->place.source) };

	switch (dp->groups.by) {
	case BY_STACK:
		return align_key(dp->align, group->stack);
	case BY_MODULE:
		return place.module;
	case BY_FUNCTION:
		return place.function;
	default:
		return hash_bytes(words, sizeof(words));
	}
}

static struct diff_row *row_at(struct diff_profile *dp, uint32_t group)
{
	bool is_new;
	uint64_t *at;

	if (list_grow((void **)&dp->rows, &dp->rows_cap, dp->rows_len, sizeof(*dp->rows)))
		return NULL;
	at = map_at(&dp->by_key, group_key(dp, &dp->groups.list[group]), &is_new);
	if (!at)
		return NULL;
	if (is_new) {
		dp->rows[dp->rows_len] = (struct diff_row){ .group = { GROUP_NONE, GROUP_NONE } };
		*at = dp->rows_len++;
	}
	return &dp->rows[*at];
}

static int fill_rows(struct diff_profile *dp, enum align_side side)
{
	const struct profile *p = &dp->profile[side];

	for (size_t i = 0; i < p->rows_len; i++) {
		uint32_t group = groups_of(&dp->groups, align_stand_in(dp->align, p->rows[i].stack));
		struct diff_row *row;

		if (group == GROUP_NONE)
			continue;
		row = row_at(dp, group);
		if (!row || dp->groups.failed)
			return -ENOMEM;
		if (row->group[side] == GROUP_NONE)
			row->group[side] = group;
		for (size_t v = 0; v < p->values_len; v++)
			row->values[side][v] = view_add(row->values[side][v], p->rows[i].values[v]);
	}
	return 0;
}

static int make_rows(struct diff *d, enum diff_subject subject, const struct diff_options *options, struct buf *error)
{
	struct diff_profile *dp = &d->profiles[subject];
	enum group_by by = options->has_by ? options->by : subject == DIFF_CPU ? BY_FUNCTION : BY_PLACE;
	int err = groups_init(&dp->groups, d->stacks, by, &options->filter, error);

	dp->align = align_new(d->stacks);
	for (unsigned side = 0; !err && side < ALIGN_SIDES; side++)
		err = make_profile(subject, &d->inputs[side], &dp->profile[side]);
	if (err)
		return err;
	if (has_import(d)) {
		profile_keep_shared(&dp->profile[ALIGN_OLD], &dp->profile[ALIGN_NEW]);
		if (!profile_keep_shared(&dp->profile[ALIGN_NEW], &dp->profile[ALIGN_OLD]))
			return 0;
	}
	for (unsigned side = 0; !err && side < ALIGN_SIDES; side++) {
		err = add_recordings(dp->align, (enum align_side)side, &d->inputs[side]);
		err = err ? err : add_stacks(dp, subject, (enum align_side)side);
	}
	err = err ? err : align_finish(dp->align);
	for (unsigned side = 0; !err && side < ALIGN_SIDES; side++)
		err = fill_rows(dp, (enum align_side)side);
	return err;
}

/* ---- totals --------------------------------------------------------------------------------------------------- */

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names;
}

static int add_value(struct diff *d, const struct diff_value *value)
{
	static const char *const momentary[] = { "peak_space",	  "peak_objects", "inuse_space",
						 "inuse_objects", "rss",	  NULL };
	static const char *const main_ones[] = { "wall",      "cpu",	     "blocked",	    "spans",
						 "rss",	      "peak_space",  "alloc_space", "alloc_objects",
						 "temporary", "inuse_space", NULL };
	struct diff_value *v;

	if (list_grow((void **)&d->values, &d->values_cap, d->values_len, sizeof(*d->values)))
		return -ENOMEM;
	v = &d->values[d->values_len++];
	*v = *value;
	v->is_momentary = is_one_of(v->name, momentary);
	v->is_main = is_one_of(v->name, main_ones);
	return 0;
}

static int add_process_values(struct diff *d)
{
	struct diff_value wall = {
		.name = "wall", .words = "time from start to end", .unit = UNIT_NS, .subject = DIFF_PROCESS
	};
	struct diff_value rss = { .name = "rss",
				  .words = "largest resident memory, the recorder's included",
				  .unit = UNIT_BYTES,
				  .subject = DIFF_PROCESS };

	for (unsigned side = 0; side < ALIGN_SIDES && d->inputs[side].list; side++) {
		wall.total[side] = (double)diff_duration_ns(d, (enum align_side)side);
		rss.total[side] = (double)d->a[side]->rec.reader.header.max_rss_bytes;
	}
	if (!has_import(d))
		return add_value(d, &wall) || add_value(d, &rss) ? -ENOMEM : 0;
	/* No file of another tool says how much memory was resident, and some not how long it took. */
	for (unsigned side = 0; side < ALIGN_SIDES; side++)
		wall.total[side] = (double)diff_duration_ns(d, (enum align_side)side);
	return wall.total[ALIGN_OLD] > 0 && wall.total[ALIGN_NEW] > 0 ? add_value(d, &wall) : 0;
}

static double sum_of(const struct diff_profile *dp, size_t index, enum align_side side)
{
	int64_t sum = 0;

	for (size_t i = 0; i < dp->rows_len; i++)
		sum = view_add(sum, dp->rows[i].values[side][index]);
	return (double)sum;
}

static int add_profile_values(struct diff *d, enum diff_subject subject)
{
	const struct diff_profile *dp = &d->profiles[subject];
	const struct profile *p = &dp->profile[ALIGN_NEW];
	int err = 0;

	for (size_t i = 0; !err && i < p->values_len; i++) {
		struct diff_value value = { .name = p->values[i].name,
					    .words = p->values[i].words,
					    .unit = p->values[i].unit,
					    .subject = subject,
					    .index = i };

		for (unsigned side = 0; side < ALIGN_SIDES; side++)
			value.total[side] = sum_of(dp, i, (enum align_side)side);
		err = add_value(d, &value);
	}
	return err;
}

/* Numbers that only others have stand in the short list too, if none of theirs does. */
static void choose_main(struct diff *d, size_t first)
{
	for (size_t i = first; i < d->values_len; i++)
		if (d->values[i].is_main)
			return;
	for (size_t i = first; i < d->values_len; i++)
		d->values[i].is_main = true;
}

int diff_make(struct diff *d, const struct diff_input inputs[ALIGN_SIDES], struct stacks *stacks,
	      const struct diff_options *options, struct buf *error)
{
	int err = 0;

	*d = (struct diff){ .stacks = stacks, .work = { 1, 1 } };
	for (unsigned side = 0; side < ALIGN_SIDES; side++) {
		d->inputs[side] = inputs[side];
		d->a[side] = inputs[side].list;
	}
	for (unsigned i = 0; !err && i < DIFF_PROFILES; i++)
		err = make_rows(d, (enum diff_subject)i, options, error);
	err = err ? err : add_process_values(d);
	/* In the order they are read: time, then memory. */
	for (size_t i = 0; !err && i < DIFF_PROFILES; i++) {
		static const enum diff_subject order[DIFF_PROFILES] = { DIFF_CPU, DIFF_BLOCK, DIFF_HEAP };
		size_t first = d->values_len;

		err = add_profile_values(d, order[i]);
		if (has_import(d))
			choose_main(d, first);
	}
	return err;
}

const char *diff_program(const struct diff *d, enum align_side side)
{
	return d->inputs[side].import ? d->inputs[side].import->program : recording_name(&d->a[side]->rec);
}

uint64_t diff_duration_ns(const struct diff *d, enum align_side side)
{
	return d->inputs[side].import ? d->inputs[side].import->profile.duration_ns : d->a[side]->duration_ns;
}

const struct diff_value *diff_values(struct diff *d)
{
	static const struct analysis nothing;
	int err = add_process_values(d);

	for (unsigned i = 0; !err && i < DIFF_PROFILES; i++) {
		enum diff_subject subject = (enum diff_subject)i;

		profile_init(&d->profiles[i].profile[ALIGN_NEW], "diff");
		err = profile_of(subject, &nothing, &d->profiles[i].profile[ALIGN_NEW]);
		err = err ? err : add_profile_values(d, subject);
	}
	return err ? NULL : d->values;
}

void diff_release(struct diff *d)
{
	for (unsigned i = 0; i < DIFF_PROFILES; i++) {
		struct diff_profile *dp = &d->profiles[i];

		for (unsigned side = 0; side < ALIGN_SIDES; side++)
			profile_release(&dp->profile[side]);
		align_free(dp->align);
		groups_release(&dp->groups);
		free(dp->rows);
		map_release(&dp->by_key);
	}
	free(d->values);
	*d = (struct diff){ 0 };
}

void diff_set_work(struct diff *d, const char *unit, double old, double new)
{
	d->unit = unit;
	d->work[ALIGN_OLD] = old;
	d->work[ALIGN_NEW] = new;
	for (size_t i = 0; i < d->values_len; i++)
		for (unsigned side = 0; side < ALIGN_SIDES; side++)
			if (!d->values[i].is_momentary)
				d->values[i].total[side] /= d->work[side];
}

/* ---- questions ------------------------------------------------------------------------------------------------ */

const struct diff_value *diff_value_find(const struct diff *d, const char *name)
{
	for (size_t i = 0; i < d->values_len; i++)
		if (!strcmp(d->values[i].name, name))
			return &d->values[i];
	return NULL;
}

static double per_work(const struct diff *d, const struct diff_value *value, double number, enum align_side side)
{
	return value->is_momentary ? number : number / d->work[side];
}

double diff_of(const struct diff *d, const struct diff_value *value, const struct diff_row *row, enum align_side side)
{
	return per_work(d, value, (double)row->values[side][value->index], side);
}

static double change_of(const struct diff *d, const struct diff_value *value, const struct diff_row *row)
{
	return diff_of(d, value, row, ALIGN_NEW) - diff_of(d, value, row, ALIGN_OLD);
}

struct order {
	const struct diff *d;
	const struct diff_value *value;
};

static int compare_rows(const void *pa, const void *pb, void *arg)
{
	const struct diff_row *a = *(const struct diff_row *const *)pa, *b = *(const struct diff_row *const *)pb;
	const struct order *order = arg;
	double x = fabs(change_of(order->d, order->value, a)), y = fabs(change_of(order->d, order->value, b));

	if (x != y)
		return x > y ? -1 : 1;
	return a < b ? -1 : a > b;
}

const struct diff_row **diff_order(const struct diff *d, const struct diff_value *value, size_t *len)
{
	const struct diff_profile *dp = value->subject < DIFF_PROFILES ? &d->profiles[value->subject] : NULL;
	const struct diff_row **list = malloc(((dp ? dp->rows_len : 0) + 1) * sizeof(struct diff_row *));
	struct order order = { d, value };

	*len = 0;
	for (size_t i = 0; list && dp && i < dp->rows_len; i++)
		if (change_of(d, value, &dp->rows[i]) != 0)
			list[(*len)++] = &dp->rows[i];
	if (list)
		qsort_r(list, *len, sizeof(struct diff_row *), compare_rows, &order);
	return list;
}

void diff_row_name(const struct diff *d, const struct diff_value *value, const struct diff_row *row, struct buf *out)
{
	uint32_t group = row->group[row->group[ALIGN_NEW] != GROUP_NONE ? ALIGN_NEW : ALIGN_OLD];

	groups_name(&d->profiles[value->subject].groups, group, out);
}

const char *diff_row_state(const struct diff_row *row)
{
	return row->group[ALIGN_OLD] == GROUP_NONE ? "new" : row->group[ALIGN_NEW] == GROUP_NONE ? "gone" : "";
}

/* CPU time that one sample stands for. */
static double period_of(const struct diff *d, enum align_side side)
{
	const struct profile *p = &d->profiles[DIFF_CPU].profile[side];
	const struct cpu *cpu = d->a[side] ? &d->a[side]->cpu : NULL;
	double samples =
		cpu ? (double)cpu->samples : (double)profile_total(p, (size_t)profile_value_index(p, "samples"));
	double ns = cpu ? (double)cpu->cpu_ns : (double)profile_total(p, (size_t)profile_value_index(p, "cpu"));

	return samples > 0 ? ns / samples / d->work[side] : 0;
}

/* Samples are counted events: the deviation of a count is its root, that of a difference the root of the sum. */
double diff_noise(const struct diff *d, const struct diff_value *value, const struct diff_row *row)
{
	const struct profile *p = &d->profiles[DIFF_CPU].profile[ALIGN_NEW];
	int samples = profile_value_index(p, "samples");
	double variance = 0;

	if (value->subject != DIFF_CPU || samples < 0 || strcmp(value->name, "cpu") != 0)
		return 0;
	for (unsigned side = 0; side < ALIGN_SIDES; side++) {
		double period = period_of(d, (enum align_side)side);

		variance += period * period * (double)row->values[side][samples];
	}
	return 1.96 * sqrt(variance > 0 ? variance : 0);
}

static bool is_within(struct stacks *stacks, struct stack_id stack, const struct view_pattern *pattern)
{
	struct frame_walk w = { .stacks = stacks, .id = stack };
	const struct frame *frame;

	while ((frame = stacks_next_frame(&w)))
		if (view_pattern_matches(pattern, frame))
			return true;
	return false;
}

int diff_within(const struct diff *d, const struct diff_value *value, const char *pattern, double sums[ALIGN_SIDES],
		struct buf *error)
{
	struct view_pattern *compiled;
	int err = view_pattern_new(&compiled, pattern, "--fail-on", error);

	for (unsigned side = 0; !err && side < ALIGN_SIDES; side++) {
		const struct profile *p = &d->profiles[value->subject].profile[side];
		int64_t sum = 0;

		for (size_t i = 0; i < p->rows_len; i++)
			if (is_within(d->stacks, p->rows[i].stack, compiled))
				sum = view_add(sum, p->rows[i].values[value->index]);
		sums[side] = per_work(d, value, (double)sum, (enum align_side)side);
	}
	view_pattern_free(compiled);
	return err;
}
