/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/profile.h"
#include "analyzer/util/whole.h"

void profile_init(struct profile *p, const char *title)
{
	memset(p, 0, sizeof(*p));
	p->title = title;
}

static void free_texts(char **texts, size_t len)
{
	for (size_t i = 0; i < len; i++)
		free(texts[i]);
	free(texts);
}

void profile_release(struct profile *p)
{
	free_texts(p->labels, p->labels_len);
	free_texts(p->notes, p->notes_len);
	free(p->rows);
	map_release(&p->index);
	map_release(&p->label_index);
	profile_init(p, p->title);
}

int profile_define(struct profile *p, const char *name, enum unit unit, const char *words)
{
	if (p->values_len == PROFILE_VALUES)
		return -ENOSPC;
	p->values[p->values_len] = (struct profile_value){ name, unit, words };
	return (int)p->values_len++;
}

int profile_value_index(const struct profile *p, const char *name)
{
	for (size_t i = 0; i < p->values_len; i++)
		if (!strcmp(p->values[i].name, name))
			return (int)i;
	return -ENOENT;
}

/* Append `text` (taken over) to a list of texts. */
static int add_text(char ***texts, size_t *len, size_t *cap, char *text)
{
	if (text && *len == *cap) {
		size_t wanted = *cap ? *cap * 2 : 8;
		char **grown = realloc(*texts, wanted * sizeof(*grown));

		if (grown) {
			*texts = grown;
			*cap = wanted;
		}
	}
	if (!text || *len == *cap) {
		free(text);
		return -ENOMEM;
	}
	(*texts)[(*len)++] = text;
	return 0;
}

uint32_t profile_label(struct profile *p, const char *text)
{
	uint64_t key = hash_bytes(text, strlen(text)), id;

	for (; map_get(&p->label_index, key, &id); key++)
		if (!strcmp(p->labels[id - 1], text))
			return (uint32_t)id;
	if (map_put(&p->label_index, key, p->labels_len + 1))
		return 0;
	if (add_text(&p->labels, &p->labels_len, &p->labels_cap, strdup(text))) {
		map_remove(&p->label_index, key, NULL);
		return 0;
	}
	return (uint32_t)p->labels_len;
}

const char *profile_label_text(const struct profile *p, uint32_t label)
{
	return label && label <= p->labels_len ? p->labels[label - 1] : "";
}

static struct profile_row *row_of(struct profile *p, struct stack_id stack, uint32_t label)
{
	bool is_new;
	uint64_t *at;

	if (p->rows_len == p->rows_cap) {
		size_t cap = p->rows_cap ? p->rows_cap * 2 : 64;
		struct profile_row *rows = realloc(p->rows, cap * sizeof(*rows));

		if (!rows)
			return NULL;
		p->rows = rows;
		p->rows_cap = cap;
	}
	at = map_at(&p->index, (uint64_t)label << 32 | stack.v, &is_new);
	if (!at)
		return NULL;
	if (is_new) {
		p->rows[p->rows_len] = (struct profile_row){ .stack = stack, .label = label };
		*at = p->rows_len++;
	}
	return &p->rows[*at];
}

int profile_add(struct profile *p, struct stack_id stack, uint32_t label, const int64_t *values)
{
	struct profile_row *row = row_of(p, stack, label);

	if (!row)
		return -ENOMEM;
	for (size_t i = 0; i < p->values_len; i++)
		row->values[i] = whole_add(row->values[i], values[i]);
	return 0;
}

/* Where `value` is in `p`; -ENOENT. */
static int same_value(const struct profile *p, const struct profile_value *value)
{
	int index = profile_value_index(p, value->name);

	return index >= 0 && p->values[index].unit == value->unit ? index : -ENOENT;
}

size_t profile_keep_shared(struct profile *p, const struct profile *other)
{
	const struct profile was = *p;
	size_t from[PROFILE_VALUES];

	p->values_len = p->main_value = 0;
	for (size_t i = 0; i < other->values_len; i++) {
		int index = same_value(&was, &other->values[i]);

		if (index < 0)
			continue;
		if ((size_t)index == was.main_value)
			p->main_value = p->values_len;
		from[p->values_len] = (size_t)index;
		p->values[p->values_len] = was.values[index];
		if (!p->values[p->values_len].words)
			p->values[p->values_len].words = other->values[i].words;
		p->values_len++;
	}
	for (size_t r = 0; r < p->rows_len; r++) {
		struct profile_row *row = &p->rows[r];
		const struct profile_row old = *row;

		for (size_t i = 0; i < PROFILE_VALUES; i++)
			row->values[i] = i < p->values_len ? old.values[from[i]] : 0;
	}
	return p->values_len;
}

int profile_define_like(struct profile *p, const struct profile *from)
{
	int err = 0;

	profile_init(p, from->title);
	p->main_value = from->main_value;
	p->drop_frames = from->drop_frames;
	p->duration_ns = from->duration_ns;
	memcpy(p->values, from->values, sizeof(p->values));
	p->values_len = from->values_len;
	for (size_t i = 0; !err && i < from->notes_len; i++)
		err = profile_note(p, "%s", from->notes[i]);
	return err;
}

static bool is_alike(const struct profile *a, const struct profile *b)
{
	for (size_t i = 0; i < a->values_len && i < b->values_len; i++)
		if (strcmp(a->values[i].name, b->values[i].name) || a->values[i].unit != b->values[i].unit)
			return false;
	return a->values_len == b->values_len;
}

int profile_merge(struct profile *p, const struct profile *from, int sign)
{
	if (!is_alike(p, from))
		return -EINVAL;
	for (size_t r = 0; r < from->rows_len; r++) {
		const struct profile_row *row = &from->rows[r];
		uint32_t label = row->label ? profile_label(p, profile_label_text(from, row->label)) : 0;
		int64_t values[PROFILE_VALUES] = { 0 };

		for (size_t i = 0; i < p->values_len; i++)
			values[i] = sign < 0 ? -row->values[i] : row->values[i];
		if (profile_add(p, row->stack, label, values))
			return -ENOMEM;
	}
	for (size_t i = 0; i < from->notes_len; i++)
		if (profile_note(p, "%s", from->notes[i]))
			return -ENOMEM;
	return 0;
}

int profile_note(struct profile *p, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	for (size_t i = 0; text && i < p->notes_len; i++) {
		if (!strcmp(p->notes[i], text)) {
			free(text); /* merged recordings say the same */
			return 0;
		}
	}
	return add_text(&p->notes, &p->notes_len, &p->notes_cap, text);
}

int64_t profile_total(const struct profile *p, size_t index)
{
	int64_t total = 0;

	for (size_t i = 0; index < p->values_len && i < p->rows_len; i++)
		total = whole_add(total, p->rows[i].values[index]);
	return total;
}
