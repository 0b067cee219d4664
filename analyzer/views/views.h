/* SPDX-License-Identifier: MIT */
/*
 * views.h - a profile as pprof shows it: top, tree, peek, list and traces, in text, JSON or CSV.
 *
 * flat is what was measured in a function itself, cum what was measured in it and everything it called; a function
 * that calls itself is counted once per stack. Inlined functions are functions.
 */
#ifndef RINGSIDE_VIEWS_H
#define RINGSIDE_VIEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "analyzer/models/align.h"
#include "analyzer/models/profile.h"
#include "analyzer/symbols/source.h"
#include "analyzer/util/buf.h"
#include "analyzer/util/json.h"

enum view_kind { VIEW_TOP, VIEW_TREE, VIEW_PEEK, VIEW_LIST, VIEW_TRACES };
enum view_format { VIEW_TEXT, VIEW_JSON, VIEW_CSV };
enum view_granularity { VIEW_FUNCTIONS, VIEW_LINES, VIEW_FILES, VIEW_MODULES, VIEW_ADDRESSES };

/* Ready when zeroed: top of the main value as text. Patterns are POSIX extended regular expressions. */
struct view_options {
	enum view_kind kind;
	enum view_format format;
	enum view_granularity granularity;
	const char *sample;  /* name of the value to show; NULL: the profile's main value */
	const char *pattern; /* of --peek and --list: which functions */
	const char *focus;   /* keep only stacks with a frame that matches by function, file or module */
	const char *ignore;  /* drop stacks with such a frame */
	const char *hide;    /* take such frames out of the stacks, their value goes to the caller */
	const char *label;   /* keep only rows whose label matches */
	size_t nodecount;    /* at most so many rows; 0: the view's own (top 20, tree 80, traces all) */
	bool is_unlimited;   /* every row, whatever nodecount says */
	bool sort_cum;	     /* by cum instead of flat */
	bool keep_dropped;   /* show what the profile's drop_frames leaves out */
	bool full_names;     /* C++ names with parameters and long template arguments */
	/* The profile is a difference: code is told apart by `align`, shares are of the `base` that was subtracted. */
	const struct align *align;
	const struct profile *base;
	const char *base_path;
	struct source_options source;
	bool use_color;
};

/*
 * views_print - one view of one profile.
 *
 * error:    gets one sentence when the options are wrong ("--focus: Unmatched ( or \\(", "no value named ..., there
 *           are ...") or nothing matched --peek/--list.
 * Returns:  0, -EINVAL with *error for wrong options, -ENOENT with *error when a pattern matched nothing, -EIO,
 *           -ENOMEM.
 */
int views_print(const struct profile *profile, struct stacks *stacks, const struct view_options *options, FILE *out,
		struct buf *error);

/* view_frame_json - {"function","file","line","module","inlined"}: the FRAME of every JSON output. */
void view_frame_json(struct json *j, const struct frame *frame);
/* view_stack_json - an array of frames, innermost first; [] for the empty stack. */
int view_stack_json(struct json *j, struct stacks *stacks, struct stack_id id);

/*
 * view_frame_name - "function (file.c:12)", or "function (module)" without a file, safe to print, short names.
 *
 * Returns:  0 or -ENOMEM; appended to *out.
 */
int view_frame_name(struct buf *out, const struct frame *frame);

/*
 * view_top_functions - flat and cum of value `index` by function, for summaries. Largest flat first (cum if by_cum).
 *
 * Returns:  the count, or -ENOMEM; *list is an array the caller frees.
 */
struct view_function {
	const struct frame *frame; /* one of its frames */
	int64_t flat, cum;
};
long view_top_functions(const struct profile *profile, struct stacks *stacks, size_t index, bool by_cum,
			struct view_function **list);

#endif
