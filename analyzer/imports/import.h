/* SPDX-License-Identifier: MIT */
/*
 * import.h - the file of another tool as a struct profile, so that people can compare with what they have.
 *
 * A format is one row of imports.def and one file. Its stacks are made of the names in the file (symbols_give), in the
 * struct stacks of the analysis: views, --diff-base and `ringside diff` then treat it as a profile of ours. It has
 * sums, no events: what needs those is refused, never guessed.
 *
 * What is in the file is not believed: every length, number and reference is checked where it is read, references go
 * only to what was read before or are looked up, so nothing recurses or loops, and what is kept has a bound.
 */
#ifndef RINGSIDE_IMPORT_H
#define RINGSIDE_IMPORT_H

#include "analyzer/imports/input.h"
#include "analyzer/models/align.h"
#include "analyzer/models/profile.h"
#include "analyzer/util/buf.h"

/* Which of our profiles it is like, and so which command shows it. */
enum import_subject { IMPORT_HEAP, IMPORT_CPU, IMPORT_BLOCK, IMPORT_OTHER };

struct import;

struct import_format {
	const char *name, *words; /* "pprof", "a pprof profile" */
	bool (*is)(const uint8_t *head, size_t len);
	/* 0, -EBADMSG or -EFBIG with a sentence without the path in *error, -ENOMEM. */
	int (*read)(struct import *im, struct input *in, struct buf *error);
};

/* What was loaded, as far as the file says. */
struct import_module {
	const char *path; /* interned, unsafe text */
	uint8_t build_id[RSD_BUILD_ID_MAX];
	uint32_t build_id_len;
};

/* Texts are interned in the symbols of the stacks, and unsafe. */
struct import {
	const struct import_format *format;
	struct stacks *stacks;
	struct profile profile; /* its notes say what the file tells of itself and what is missing */
	enum import_subject subject;
	const char *program; /* base name; "" unknown */
	uint64_t start_realtime_ns;
	struct import_module *modules;
	size_t modules_len, modules_cap;
};

/* import_recognise - what `path` is, by its content; NULL: no file of a format that is known here. */
const struct import_format *import_recognise(const char *path);

/*
 * import_open - read all of it.
 *
 * stacks:   kept, must outlive the import.
 * Returns:  0 or -errno with one sentence in *error; after an error nothing is left to release.
 */
int import_open(struct import *im, const struct import_format *format, const char *path, struct stacks *stacks,
		struct buf *error);
void import_release(struct import *im);

/* import_align - tell `align` what the file says of its modules. 0 or -ENOMEM. */
int import_align(const struct import *im, struct align *align, enum align_side side);

/* import_command - the command that shows such a profile: "heap". */
const char *import_command(enum import_subject subject);

/* ---- for the formats ---- */

/* import_text - interned, cut at the first NUL; "" without memory. */
const char *import_text(struct import *im, const char *text, size_t len);

/*
 * import_add_module - what is loaded; an id that is no hexadecimal number is left out. Its place in modules, or
 * -ENOMEM.
 */
long import_add_module(struct import *im, const char *path, const char *build_id_hex, size_t hex_len);

/* The frames of one place in the code, see symbols_give. 0: none. */
struct import_frames {
	uint32_t object;
	uint64_t number;
};

/* import_give - texts are those of import_text, frames[0] to [len - 2] are inlined into the last. 0 or -ENOMEM. */
int import_give(struct import *im, const char *module_path, const struct frame *frames, size_t len,
		struct import_frames *out);

/* import_push - the stack in which `parent` called these frames, see stacks_push. {0} without memory. */
struct stack_id import_push(struct import *im, struct stack_id parent, const struct import_frames *frames,
			    enum rsd_cut cut);

#define IMPORT(name, words)                                                                                            \
	bool name##_is(const uint8_t *head, size_t len);                                                               \
	int import_##name(struct import *im, struct input *in, struct buf *error);
#include "analyzer/imports/imports.def"

#endif
