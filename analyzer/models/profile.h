/* SPDX-License-Identifier: MIT */
/*
 * profile.h - numbers by stack: what every model hands to the views and the exports.
 *
 * A profile has up to PROFILE_VALUES kinds of value (bytes in use, objects in use, ...) and rows: one per stack and
 * label with one number of each kind. It knows nothing of heaps, CPUs or locks.
 */
#ifndef RINGSIDE_PROFILE_H
#define RINGSIDE_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "analyzer/symbols/stacks.h"
#include "analyzer/show/table.h"
#include "analyzer/util/map.h"

#define PROFILE_VALUES 12

struct profile_value {
	const char *name;  /* "inuse_space": what --sample takes; static text, as safe to print as such */
	enum unit unit;	   /* UNIT_BYTES, UNIT_COUNT or UNIT_NS */
	const char *words; /* "bytes live at the end": one line for help and headings; may be NULL */
};

struct profile_row {
	struct stack_id stack;
	uint32_t label; /* profile_label(), 0: none */
	int64_t values[PROFILE_VALUES];
};

struct profile {
	const char *title; /* "heap": static text */
	struct profile_value values[PROFILE_VALUES];
	size_t values_len;
	size_t main_value; /* what is shown when --sample does not say */
	/*
	 * Extended regular expression of functions that only pass a value on ("operator new"): at the inner end of a
	 * stack they are left out, so that their caller is charged. NULL: none. Static text.
	 */
	const char *drop_frames;
	uint64_t duration_ns;
	struct profile_row *rows;
	size_t rows_len, rows_cap;
	char **labels; /* labels[n - 1] is label n */
	size_t labels_len, labels_cap;
	char **notes; /* sentences that stand below every view: losses, what a value means */
	size_t notes_len, notes_cap;
	struct map index;	/* stack and label -> row number */
	struct map label_index; /* hash of label -> id */
};

void profile_init(struct profile *p, const char *title);
void profile_release(struct profile *p);

/* profile_define - the next kind of value. Returns its index, or -ENOSPC. */
int profile_define(struct profile *p, const char *name, enum unit unit, const char *words);
/* profile_value_index - by name; -ENOENT when there is none. */
int profile_value_index(const struct profile *p, const char *name);

/* profile_label - the id of a label text ("mutex", "worker-3"): shown by --traces, told apart in rows. 0: no memory. */
uint32_t profile_label(struct profile *p, const char *text);
const char *profile_label_text(const struct profile *p, uint32_t label);

/*
 * profile_add - add values_len numbers to the row of (stack, label), which is made if it is new. Sums stop at the
 * ends of int64 rather than wrap.
 *
 * Returns:  0 or -ENOMEM.
 */
int profile_add(struct profile *p, struct stack_id stack, uint32_t label, const int64_t *values);

/*
 * profile_merge - add every row of `from` times `sign` (1, or -1 for a difference). Both must define the same
 * values in the same order (-EINVAL) and their stacks come from the same struct stacks. Notes are taken over.
 */
int profile_merge(struct profile *p, const struct profile *from, int sign);

/*
 * profile_keep_shared - only the values that `other` has too, by name and unit, in its order; profiles of two origins
 * are alike after each kept what the other one has. Returns how many are left.
 */
size_t profile_keep_shared(struct profile *p, const struct profile *other);

/* profile_define_like - `from` without its rows, into a profile that holds nothing. 0 or -ENOMEM. */
int profile_define_like(struct profile *p, const struct profile *from);

__attribute__((format(printf, 2, 3))) int profile_note(struct profile *p, const char *format, ...);

/* profile_total - the sum of value `index` over all rows. */
int64_t profile_total(const struct profile *p, size_t index);

#endif
