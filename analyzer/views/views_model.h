/* SPDX-License-Identifier: MIT */
/*
 * views_model.h - what all views are made of: filtered stacks as paths of entries with flat and cum.
 *
 * An entry is what the granularity makes one: a function, a line of it, a file, ... Private to views*.c.
 */
#ifndef RINGSIDE_VIEWS_MODEL_H
#define RINGSIDE_VIEWS_MODEL_H

#include "analyzer/views/views.h"

#define VIEW_TEMPLATE_KEEP 24 /* characters of template arguments shown in short names */

#define VIEW_CUTS 16 /* cut reasons told apart; a larger one counts as the last */

struct view_entry {
	const struct frame *frame; /* the first one met: names the entry */
	int64_t flat, cum;
	uint32_t last_path;	    /* number + 1 of the last path that was added to cum */
	bool is_inlined, is_called; /* met as inlined code, met as a function of its own */
};

/* One row of the profile that passed the filters. steps: entries and frames from the innermost out. */
struct view_path {
	const struct profile_row *row;
	int64_t value;
	size_t first; /* index of its first step */
	uint32_t len;
};

struct view_step {
	uint32_t entry;
	const struct frame *frame;
};

struct view {
	const struct profile *profile;
	struct stacks *stacks;
	const struct view_options *options;
	size_t value; /* index of the profile's value */
	enum unit unit;
	int64_t total;		       /* of the whole profile, filtered or not; absolute values */
	int64_t cut_totals[VIEW_CUTS]; /* by cut reason, in stacks that are not whole */
	struct view_entry *entries;
	size_t entries_len, entries_cap;
	uint32_t paths_seen;	 /* that passed the filters */
	struct view_path *paths; /* largest value first; with VIEW_TOP they are not kept, nor are the steps */
	size_t paths_len, paths_cap;
	struct view_step *steps;
	size_t steps_len, steps_cap;
	struct map entry_index; /* hash of the entry's key -> entry */
	struct map frame_index; /* frame -> entry and filter answers */
};

/*
 * view_build - apply the options to the profile.
 *
 * Returns:  0, -EINVAL with *error, -ENOMEM. Release in any case.
 */
int view_build(struct view *v, const struct profile *profile, struct stacks *stacks, const struct view_options *options,
	       enum view_granularity granularity, struct buf *error);
void view_release(struct view *v);

/* view_order - indices of entries with something in them, by flat (or cum), the caller frees it. NULL: no memory. */
uint32_t *view_order(const struct view *v, bool by_cum, size_t *len);

/* view_pattern - compile an extended regular expression; `option` names it in the error. 0, -EINVAL. */
struct view_pattern;
int view_pattern_new(struct view_pattern **out, const char *text, const char *option, struct buf *error);
void view_pattern_free(struct view_pattern *p);
/* By function, as written or shortened; the other one also by source file or module. */
bool view_pattern_matches_function(const struct view_pattern *p, const struct frame *frame);
bool view_pattern_matches(const struct view_pattern *p, const struct frame *frame);
bool view_pattern_matches_text(const struct view_pattern *p, const char *text);

/* view_entry_name - what a row calls the entry, safe to print; appended to *out. */
void view_entry_name(struct buf *out, const struct view *v, const struct view_entry *entry);
/* view_function_name - the function alone, shortened unless full names are wanted; unsafe text. */
void view_function_name(struct buf *out, const struct view_options *options, const struct frame *frame);

int64_t view_add(int64_t a, int64_t b); /* stops at the ends of int64 */
double view_share(int64_t value, int64_t total);

/* The lines above a text view ("Type: ...") and below it (notes); nothing for rows shown of all. */
void view_head_text(const struct view *v, FILE *out);
void view_notes_text(const struct view *v, FILE *out);
/* The members of the JSON object before and after "rows". */
void view_head_json(const struct view *v, const char *view_name, struct json *j);
void view_notes_json(const struct view *v, struct json *j);
/* The members of a frame that name an entry. */
void view_entry_json(const struct view_entry *entry, struct json *j);

int view_print_top(const struct view *v, FILE *out);
int view_print_tree(const struct view *v, const char *view_name, const struct view_pattern *pattern, FILE *out);
int view_print_list(const struct view *v, const struct view_pattern *pattern, FILE *out);
int view_print_traces(const struct view *v, FILE *out);

#endif
