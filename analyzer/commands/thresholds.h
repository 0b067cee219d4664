/* SPDX-License-Identifier: MIT */
/*
 * thresholds.h - what --fail-on says: "peak_space>5%,alloc_objects>0,cpu@compress>3%".
 *
 * NAME[@RE]>LIMIT is crossed when the number grew by more than LIMIT, with `<` when it fell by more. LIMIT is a share
 * of the old number (%), or an amount in the number's unit. With @RE only stacks with such a function count.
 */
#ifndef RINGSIDE_THRESHOLDS_H
#define RINGSIDE_THRESHOLDS_H

#include "analyzer/models/diff.h"

struct threshold {
	char *text;   /* as given */
	char *within; /* pattern, or NULL */
	const struct diff_value *value;
	bool is_fall, is_relative;
	double limit; /* relative: a share */
	double sums[ALIGN_SIDES];
	bool is_crossed;
};

struct thresholds {
	struct threshold *list;
	size_t len, cap;
};

/* thresholds_judge - parse `text` and compare. 0, -EINVAL with *error, -ENOMEM. Release in any case. */
int thresholds_judge(struct thresholds *t, const char *text, const struct diff *d, struct buf *error);
void thresholds_release(struct thresholds *t);

/* threshold_words - appended, safe: "peak_space>5%: 1.00MB to 1.20MB (+20%), most by make_table (table.c:12)". */
void threshold_words(const struct threshold *t, const struct diff *d, struct buf *out);

/* diff_value_asked - the number an option names; NULL with *error, which knows the nearest name. */
const struct diff_value *diff_value_asked(const struct diff *d, const char *option, const char *name,
					  struct buf *error);

/* diff_number - with its unit, appended; counts may be broken when they are divided by work. */
void diff_number(struct buf *out, enum unit unit, double value);

#endif
