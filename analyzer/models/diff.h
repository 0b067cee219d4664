/* SPDX-License-Identifier: MIT */
/*
 * diff.h - two recordings against each other: totals, and the places that changed, matched by align.h. A side may be
 * the file of another tool: then the numbers that both sides have are compared.
 *
 * Each of the three profiles (heap, CPU, blocking) has rows: one per place (or stack, function, module) that is in
 * either recording. Numbers that grow with the run (allocations, CPU time, waits) can be divided by a unit of work,
 * seconds or requests, each side by its own; numbers of a moment (peak, live at the end, RSS) are never divided.
 */
#ifndef RINGSIDE_DIFF_H
#define RINGSIDE_DIFF_H

#include "analyzer/imports/import.h"
#include "analyzer/models/align.h"
#include "analyzer/models/analysis.h"
#include "analyzer/models/groups.h"

enum diff_subject { DIFF_HEAP, DIFF_CPU, DIFF_BLOCK, DIFF_PROCESS, DIFF_SUBJECTS };
#define DIFF_PROFILES DIFF_PROCESS /* the subjects before it have rows */

/* A number by its name: a profile's, or one of the whole process ("wall", "rss"). */
struct diff_value {
	const char *name, *words; /* text that is safe to print */
	enum unit unit;
	enum diff_subject subject;
	size_t index;	   /* in the profile's values */
	bool is_momentary; /* not divided by work */
	bool is_main;	   /* stands in the short list of totals */
	double total[ALIGN_SIDES];
};

struct diff_row {
	uint32_t group[ALIGN_SIDES]; /* of the profile's groups; GROUP_NONE: not there */
	int64_t values[ALIGN_SIDES][PROFILE_VALUES];
};

struct diff_profile {
	struct profile profile[ALIGN_SIDES];
	struct align *align;
	struct groups groups;
	struct diff_row *rows;
	size_t rows_len, rows_cap;
	struct map by_key;
};

/* One side: what is compared, and the recordings that were merged into it (itself included); or an import. */
struct diff_input {
	const struct analysis *list;
	size_t len;
	const struct import *import; /* NULL: it is recordings */
};

struct diff {
	struct diff_input inputs[ALIGN_SIDES];
	const struct analysis *a[ALIGN_SIDES]; /* NULL: that side is an import */
	struct stacks *stacks;
	struct diff_profile profiles[DIFF_PROFILES];
	struct diff_value *values;
	size_t values_len, values_cap;
	double work[ALIGN_SIDES]; /* units done; 1: nothing is divided */
	const char *unit;	  /* of work, NULL: none */
};

/* What the user asked for. Ready when zeroed. */
struct diff_options {
	enum group_by by;
	bool has_by; /* else places, for the CPU functions */
	struct group_filter filter;
};

/*
 * diff_make - all analyses must have their stacks from `stacks` and outlive the diff.
 *
 * Returns:  0, -EINVAL with *error (a pattern that is none), -ENOMEM. Release in any case.
 */
int diff_make(struct diff *d, const struct diff_input inputs[ALIGN_SIDES], struct stacks *stacks,
	      const struct diff_options *options, struct buf *error);
void diff_release(struct diff *d);

/* diff_program, diff_duration_ns - of a side, whatever it is. The name is unsafe text. */
const char *diff_program(const struct diff *d, enum align_side side);
uint64_t diff_duration_ns(const struct diff *d, enum align_side side);

/* diff_set_work - what totals and diff_of are divided by; both above 0. `unit` is kept. */
void diff_set_work(struct diff *d, const char *unit, double old, double new);

/* diff_values - the numbers there are, into a zeroed diff for whoever only wants their names. NULL without memory. */
const struct diff_value *diff_values(struct diff *d);

/* diff_value_find - by name, NULL when there is none. */
const struct diff_value *diff_value_find(const struct diff *d, const char *name);

/* diff_of - a row's number on one side, divided as totals are. */
double diff_of(const struct diff *d, const struct diff_value *value, const struct diff_row *row, enum align_side side);

/* diff_order - rows whose value changed, the largest change first; the caller frees it. NULL: no memory. */
const struct diff_row **diff_order(const struct diff *d, const struct diff_value *value, size_t *len);

/* diff_row_name - appended, safe. diff_row_state - "new", "gone", or "". */
void diff_row_name(const struct diff *d, const struct diff_value *value, const struct diff_row *row, struct buf *out);
const char *diff_row_state(const struct diff_row *row);

/*
 * diff_noise - how much of a change of CPU time chance alone makes in 95 of 100 cases, from the number of samples; 0
 * for values that are counted exactly.
 */
double diff_noise(const struct diff *d, const struct diff_value *value, const struct diff_row *row);

/*
 * diff_within - the sum of `value` over all stacks with a function that matches `pattern` (extended regular expression,
 * see views.h). 0, -EINVAL with *error, -ENOMEM.
 */
int diff_within(const struct diff *d, const struct diff_value *value, const char *pattern, double sums[ALIGN_SIDES],
		struct buf *error);

#endif
