/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/imports/import.h"
#include "analyzer/models/heap.h"
#include "analyzer/util/list.h"
#include "analyzer/util/nearest.h"

static const struct import_format formats[] = {
#define IMPORT(name, words) { #name, words, name##_is, import_##name },
#include "analyzer/imports/imports.def"
};

static const struct import_format *format_of(struct input *in)
{
	size_t len;
	const uint8_t *head = input_head(in, &len);

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i].is(head, len))
			return &formats[i];
	return NULL;
}

const struct import_format *import_recognise(const char *path)
{
	const struct import_format *format;
	struct input *in;

	if (input_open(&in, path))
		return NULL;
	format = format_of(in);
	input_close(in);
	return format;
}

/* ---- for the formats ------------------------------------------------------------------------------------------ */

const char *import_text(struct import *im, const char *text, size_t len)
{
	const char *kept = symbols_intern_text(stacks_symbols(im->stacks), text, len);

	return kept ? kept : "";
}

static int nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Go writes ids of its own that are no hexadecimal number: they are left out. */
static void set_build_id(struct import_module *m, const char *hex, size_t len)
{
	if (len % 2 || len / 2 > sizeof(m->build_id))
		return;
	for (size_t i = 0; i < len / 2; i++) {
		int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return;
		m->build_id[i] = (uint8_t)(high << 4 | low);
	}
	m->build_id_len = (uint32_t)(len / 2);
}

long import_add_module(struct import *im, const char *path, const char *build_id_hex, size_t hex_len)
{
	struct import_module *m;

	if (list_grow((void **)&im->modules, &im->modules_cap, im->modules_len, sizeof(*im->modules)))
		return -ENOMEM;
	m = &im->modules[im->modules_len];
	*m = (struct import_module){ .path = path };
	set_build_id(m, build_id_hex, hex_len);
	return (long)im->modules_len++;
}

int import_give(struct import *im, const char *module_path, const struct frame *frames, size_t len,
		struct import_frames *out)
{
	return symbols_give(stacks_symbols(im->stacks), module_path, frames, len, &out->object, &out->number);
}

struct stack_id import_push(struct import *im, struct stack_id parent, const struct import_frames *frames,
			    enum rsd_cut cut)
{
	return stacks_push(im->stacks, parent, frames->object, frames->number, true, cut);
}

/* ---- what it is of -------------------------------------------------------------------------------------------- */

static bool has_one_of(const struct profile *p, const char *const *names)
{
	for (; *names; names++)
		if (profile_value_index(p, *names) >= 0)
			return true;
	return false;
}

static bool has_unit(const struct profile *p, enum unit unit)
{
	for (size_t i = 0; i < p->values_len; i++)
		if (p->values[i].unit == unit)
			return true;
	return false;
}

/* By the names that profilers agree on, then by units. */
static enum import_subject subject_of(const struct profile *p)
{
	static const char *const block[] = { "delay", "contentions", "blocked", NULL };
	static const char *const cpu[] = { "cpu", NULL };

	if (has_one_of(p, block))
		return IMPORT_BLOCK;
	if (has_one_of(p, cpu))
		return IMPORT_CPU;
	return has_unit(p, UNIT_BYTES) ? IMPORT_HEAP : IMPORT_OTHER;
}

const char *import_command(enum import_subject subject)
{
	return subject == IMPORT_HEAP ? "heap" : subject == IMPORT_BLOCK ? "block" : "cpu";
}

int import_align(const struct import *im, struct align *align, enum align_side side)
{
	int err = align_program(align, side, im->program);

	for (size_t i = 0; !err && i < im->modules_len; i++)
		err = align_module(align, side, im->modules[i].path, im->modules[i].build_id,
				   im->modules[i].build_id_len);
	return err;
}

/* ---- the whole ------------------------------------------------------------------------------------------------ */

static int read_all(struct import *im, struct input *in, const char *path, struct buf *error)
{
	struct buf reason = { 0 };
	int err = im->format->read(im, in, &reason);

	if (err)
		buf_printf(error, "%s: %s: %s", path, im->format->words,
			   reason.len	     ? buf_string(&reason)
			   : err == -EBADMSG ? "it is damaged or cut short"
					     : strerror(-err));
	buf_release(&reason);
	return err;
}

int import_open(struct import *im, const struct import_format *format, const char *path, struct stacks *stacks,
		struct buf *error)
{
	struct input *in;
	int err = input_open(&in, path);

	if (err) {
		buf_printf(error, "%s: %s", path, strerror(-err));
		return err;
	}
	*im = (struct import){ .format = format, .stacks = stacks, .program = "" };
	profile_init(&im->profile, format->name);
	err = read_all(im, in, path, error);
	input_close(in);
	if (err) {
		import_release(im);
		return err;
	}
	im->subject = subject_of(&im->profile);
	if (im->subject == IMPORT_HEAP)
		im->profile.drop_frames = heap_drop_frames;
	im->profile.title = import_command(im->subject);
	return 0;
}

void import_release(struct import *im)
{
	profile_release(&im->profile);
	free(im->modules);
	*im = (struct import){ 0 };
}
