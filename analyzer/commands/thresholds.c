/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/commands/options.h"
#include "analyzer/commands/thresholds.h"
#include "analyzer/show/render.h"
#include "analyzer/util/list.h"
#include "analyzer/util/quantity.h"
#include "analyzer/views/views.h"

#define VALUES_MAX 64

const struct diff_value *diff_value_asked(const struct diff *d, const char *option, const char *name, struct buf *error)
{
	const struct diff_value *value = diff_value_find(d, name);
	const char *words[VALUES_MAX] = { "" };
	size_t len = 0;
	int nearest;

	if (value)
		return value;
	while (len < d->values_len && len < VALUES_MAX) {
		words[len] = d->values[len].name;
		len++;
	}
	nearest = nearest_word(name, words, len);
	buf_printf(error, "%s: no number is called '%s'", option, name);
	if (nearest >= 0)
		buf_printf(error, "; did you mean %s?", words[nearest]);
	else
		for (size_t i = 0; i < len; i++)
			buf_printf(error, "%s %s", i ? "," : "; there are", words[i]);
	return NULL;
}

static int parse_limit(struct threshold *t, const char *text, struct buf *error)
{
	enum quantity kind = t->value->unit == UNIT_BYTES ? QUANTITY_BYTES
			     : t->value->unit == UNIT_NS  ? QUANTITY_NS
							  : QUANTITY_COUNT;
	const char *at = text;
	size_t len = strlen(text);

	t->is_relative = len && text[len - 1] == '%';
	if (!quantity_parse(&at, t->is_relative ? QUANTITY_COUNT : kind, &t->limit) &&
	    at + t->is_relative == text + len) {
		t->limit /= t->is_relative ? 100 : 1;
		return 0;
	}
	buf_printf(error, "--fail-on: '%s': after %c there must be a percentage or %s, not '%s'", t->text,
		   t->is_fall ? '<' : '>', quantity_words(kind), text);
	return -EINVAL;
}

/* NAME, and @RE behind it up to `sign`. */
static int parse_subject(struct threshold *t, const char *sign, const struct diff *d, struct buf *error)
{
	size_t len = strcspn(t->text, "@<>"), name_len = len;
	char *name;

	while (name_len && isspace((unsigned char)t->text[name_len - 1]))
		name_len--;
	name = strndup(t->text, name_len);
	if (!name)
		return -ENOMEM;
	t->value = diff_value_asked(d, "--fail-on", name, error);
	free(name);
	if (!t->value)
		return -EINVAL;
	if (t->text + len == sign)
		return 0;
	if (t->text[len] != '@' || t->value->subject == DIFF_PROCESS) {
		buf_printf(error, "--fail-on: '%s': %s", t->text,
			   t->text[len] == '@' ? "this number belongs to no function" : "one sign too many");
		return -EINVAL;
	}
	t->within = strndup(t->text + len + 1, (size_t)(sign - t->text) - len - 1);
	return t->within ? 0 : -ENOMEM;
}

static int parse_one(struct threshold *t, const struct diff *d, struct buf *error)
{
	const char *sign = t->text + strlen(t->text);
	int err;

	/* The last one: a pattern may hold others. */
	while (sign > t->text && *sign != '<' && *sign != '>')
		sign--;
	if (sign == t->text) {
		buf_printf(error, "--fail-on: '%s' is no NAME>LIMIT, such as peak_space>5%% or alloc_objects>0",
			   t->text);
		return -EINVAL;
	}
	t->is_fall = *sign == '<';
	err = parse_subject(t, sign, d, error);
	return err ? err : parse_limit(t, sign + 1 + strspn(sign + 1, " "), error);
}

static int judge(struct threshold *t, const struct diff *d, struct buf *error)
{
	double change;
	int err = 0;

	memcpy(t->sums, t->value->total, sizeof(t->sums));
	if (t->within)
		err = diff_within(d, t->value, t->within, t->sums, error);
	change = (t->sums[ALIGN_NEW] - t->sums[ALIGN_OLD]) * (t->is_fall ? -1 : 1);
	/* From nothing to something is more than any share. */
	t->is_crossed = change > (t->is_relative ? t->limit * t->sums[ALIGN_OLD] : t->limit);
	return err;
}

int thresholds_judge(struct thresholds *t, const char *text, const struct diff *d, struct buf *error)
{
	int err = 0;

	for (const char *at = text; !err && *at;) {
		size_t len = strcspn(at, ","), lead = strspn(at, " ");
		struct threshold *one;

		if (list_grow((void **)&t->list, &t->cap, t->len, sizeof(*t->list)))
			return -ENOMEM;
		one = &t->list[t->len];
		*one = (struct threshold){ .text = lead < len ? strndup(at + lead, len - lead) : strdup("") };
		if (!one->text)
			return -ENOMEM;
		t->len++;
		err = parse_one(one, d, error);
		err = err ? err : judge(one, d, error);
		at += len + (at[len] == ',');
	}
	return err;
}

void thresholds_release(struct thresholds *t)
{
	for (size_t i = 0; i < t->len; i++) {
		free(t->list[i].text);
		free(t->list[i].within);
	}
	free(t->list);
	*t = (struct thresholds){ 0 };
}

void diff_number(struct buf *out, enum unit unit, double value)
{
	char number[RENDER_NUMBER_MAX];

	if (unit == UNIT_COUNT && value != floor(value))
		buf_printf(out, "%.6g", value);
	else
		buf_add_string(out, render_value(number, unit, llround(value)));
}

/* Who is to blame: the place that changed most in the direction that was forbidden. */
static void add_place(const struct threshold *t, const struct diff *d, struct buf *out)
{
	size_t len = 0;
	const struct diff_row **rows = t->within ? NULL : diff_order(d, t->value, &len);

	for (size_t i = 0; i < len; i++) {
		double change = diff_of(d, t->value, rows[i], ALIGN_NEW) - diff_of(d, t->value, rows[i], ALIGN_OLD);

		if ((change < 0) != t->is_fall)
			continue;
		buf_printf(out, ", most by ");
		diff_row_name(d, t->value, rows[i], out);
		buf_printf(out, " (%s", change > 0 ? "+" : "");
		diff_number(out, t->value->unit, change);
		buf_printf(out, "%s%s)", *diff_row_state(rows[i]) ? ", " : "", diff_row_state(rows[i]));
		break;
	}
	free(rows);
}

void threshold_words(const struct threshold *t, const struct diff *d, struct buf *out)
{
	char share[RENDER_NUMBER_MAX];
	double old = t->sums[ALIGN_OLD], change = t->sums[ALIGN_NEW] - old;

	buf_add_safe(out, t->text, strlen(t->text));
	buf_add_string(out, ": ");
	diff_number(out, t->value->unit, old);
	buf_add_string(out, " to ");
	diff_number(out, t->value->unit, t->sums[ALIGN_NEW]);
	if (old > 0)
		buf_printf(out, " (%s%s)", change > 0 ? "+" : "", render_percent(share, change / old));
	if (t->is_crossed)
		add_place(t, d, out);
}
