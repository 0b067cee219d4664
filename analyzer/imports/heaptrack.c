/* SPDX-License-Identifier: MIT */
/*
 * heaptrack.c - what heaptrack writes once it has found the names, and our own export: a line for each string, frame,
 * stack, pair of size and stack, allocation and free.
 *
 * Lines refer to what stood before them by its number, hexadecimal and from 1 on (pairs: from 0). So the file is read
 * as a stream; what is kept grows with the distinct things, each of which has a bound. Counted is as models/heap.h
 * counts, the peak by stack too: a stack that changes after a new maximum first saves what it had. Temporary is what
 * heaptrack calls so: freed while the last event was an allocation of that size and stack.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/imports/import.h"
#include "analyzer/models/heap.h"
#include "analyzer/util/list.h"
#include "analyzer/util/nearest.h"
#include "analyzer/util/whole.h"

#define THINGS_MAX (1u << 24)
#define STACKS_MAX (1u << 26) /* 4 bytes each */
#define INLINED_MAX 256u
#define FILE_VERSION_LENGTHS 3u /* from this one on a string has its length before it */
#define NOTHING UINT32_MAX

/* In the order in which heap_profile defines them. */
enum { INUSE_SPACE, INUSE_OBJECTS, ALLOC_SPACE, ALLOC_OBJECTS, PEAK_SPACE, PEAK_OBJECTS, TEMPORARY, FREE_OBJECTS };

/* A stack that allocated. */
struct site {
	struct stack_id stack;
	int64_t allocations, allocated_bytes, frees, temporary, live_blocks, live_bytes;
	int64_t peak_blocks, peak_bytes;
	uint64_t epoch; /* of the maximum that peak_* was saved for */
};

/* Blocks of one size and stack. */
struct kind {
	int64_t size;
	uint32_t site;
};

struct heaptrack {
	struct import *im;
	struct input *in;
	struct buf *error;
	uint64_t version;
	const char **strings; /* interned; number - 1 */
	size_t strings_len, strings_cap;
	struct import_frames *frames;
	size_t frames_len, frames_cap;
	struct stack_id *stacks;
	size_t stacks_len, stacks_cap;
	struct site *sites;
	size_t sites_len, sites_cap;
	struct map site_of; /* stack -> site */
	struct kind *kinds;
	size_t kinds_len, kinds_cap;
	uint32_t last; /* kind of the last event if it was an allocation */
	int64_t live_bytes, peak_bytes;
	uint64_t epoch;
	uint64_t odd_frees, unknown; /* frees of what is not there; references to nothing */
	uint32_t nodes_before;
	bool is_cut;
};

/* ---- what it is ----------------------------------------------------------------------------------------------- */

/* "v 10400 3": the tool's version and the file's. */
bool heaptrack_is(const uint8_t *head, size_t len)
{
	size_t at = 2, spaces = 0;

	if (len < 6 || head[0] != 'v' || head[1] != ' ')
		return false;
	for (; at < len && at < 40 && head[at] != '\n'; at++) {
		bool is_digit = (head[at] >= '0' && head[at] <= '9') || (head[at] >= 'a' && head[at] <= 'f');

		if (!is_digit && head[at] != ' ')
			return false;
		spaces += head[at] == ' ';
	}
	return at < len && head[at] == '\n' && spaces == 1;
}

/* ---- lines ---------------------------------------------------------------------------------------------------- */

/* The next hexadecimal number of a line. */
static bool next_number(const char **at, uint64_t *value)
{
	const char *p = *at;
	unsigned digits = 0;

	*value = 0;
	while (*p == ' ')
		p++;
	for (; digits <= 16; p++, digits++) {
		int digit = *p >= '0' && *p <= '9' ? *p - '0' : *p >= 'a' && *p <= 'f' ? *p - 'a' + 10 : -1;

		if (digit < 0)
			break;
		*value = *value << 4 | (unsigned)digit;
	}
	if (!digits || digits > 16 || (*p && *p != ' '))
		return false;
	*at = p;
	return true;
}

static int damaged(struct heaptrack *h, const char *what)
{
	buf_printf(h->error, "offset %" PRIu64 ": %s", input_offset(h->in), what);
	return -EBADMSG;
}

static int too_many(struct heaptrack *h, const char *what)
{
	buf_printf(h->error, "offset %" PRIu64 ": more %s than any recording has", input_offset(h->in), what);
	return -EFBIG;
}

static const char *string_at(struct heaptrack *h, uint64_t number)
{
	h->unknown += number > h->strings_len;
	return number && number <= h->strings_len ? h->strings[number - 1] : NULL;
}

/* ---- what events refer to ------------------------------------------------------------------------------------- */

static int read_version(struct heaptrack *h, const char *at)
{
	uint64_t tool;

	if (!next_number(&at, &tool) || !next_number(&at, &h->version))
		return damaged(h, "no version");
	if (h->version >= 1 && h->version <= 3)
		return 0;
	buf_printf(h->error, "version %" PRIu64 " of the file; known are 1 to 3", h->version);
	return -EBADMSG;
}

/* A name may hold a line end; then the text goes on, as long as its length says. */
static int read_string(struct heaptrack *h, const char *at, const char *end)
{
	struct buf text = { 0 };
	uint64_t len = 0;
	int err = 0;

	if (h->strings_len == THINGS_MAX)
		return too_many(h, "texts");
	if (h->version >= FILE_VERSION_LENGTHS && !next_number(&at, &len))
		return damaged(h, "a text without its length");
	at += *at == ' ';
	buf_add(&text, at, (size_t)(end - at));
	while (!err && h->version >= FILE_VERSION_LENGTHS && text.len < len) {
		size_t more;
		char *line;
		int got = input_line(h->in, &line, &more);

		err = got > 0 && text.len < INPUT_LINE_MAX ? 0 : got < 0 ? got : damaged(h, "a text that does not end");
		if (!err) {
			buf_add_char(&text, '\n');
			buf_add(&text, line, more);
		}
	}
	err = err ? err : text.failed ? -ENOMEM : 0;
	err = err ? err : list_grow((void **)&h->strings, &h->strings_cap, h->strings_len, sizeof(*h->strings));
	if (!err)
		h->strings[h->strings_len++] = import_text(h->im, buf_string(&text), text.len);
	buf_release(&text);
	return err;
}

/* Nobody knew the function: the address tells at least one from the other. */
static void name_by_address(struct heaptrack *h, const char *module, struct frame *frame)
{
	struct buf text = { 0 };

	buf_printf(&text, "%s@0x%" PRIx64, module ? path_base(module) : "", frame->address);
	frame->function = import_text(h->im, buf_string(&text), text.len);
	frame->source = FRAME_OFFSET;
	buf_release(&text);
}

/* "i ADDRESS MODULE [FUNCTION FILE LINE]...": the innermost first, what it was inlined into behind it. */
static int read_frames(struct heaptrack *h, const char *at)
{
	struct frame frames[INLINED_MAX];
	uint64_t address, module_number, number;
	const char *module;
	size_t len = 0;

	if (h->frames_len == THINGS_MAX)
		return too_many(h, "frames");
	if (!next_number(&at, &address) || !next_number(&at, &module_number))
		return damaged(h, "a frame without address or module");
	module = string_at(h, module_number);
	do {
		struct frame *frame = &frames[len++];

		*frame = (struct frame){ .address = address, .source = FRAME_SYMBOL };
		frame->function = next_number(&at, &number) ? string_at(h, number) : NULL;
		frame->linkage = frame->function;
		if (!frame->function)
			name_by_address(h, module, frame);
		if (!next_number(&at, &number))
			break;
		frame->file = string_at(h, number);
		if (next_number(&at, &number) && number <= UINT32_MAX)
			frame->line = (uint32_t)number;
		if (frame->file)
			frame->source = FRAME_DWARF;
	} while (len < INLINED_MAX && *at == ' ');
	if (list_grow((void **)&h->frames, &h->frames_cap, h->frames_len, sizeof(*h->frames)))
		return -ENOMEM;
	return import_give(h->im, module, frames, len, &h->frames[h->frames_len++]);
}

/* "t FRAME CALLER": the caller's stack stood before. */
static int read_stack(struct heaptrack *h, const char *at)
{
	uint64_t frame, parent;
	struct stack_id stack = { 0 };

	if (h->stacks_len == STACKS_MAX || stacks_len(h->im->stacks) - h->nodes_before > THINGS_MAX)
		return too_many(h, "stacks");
	if (!next_number(&at, &frame) || !next_number(&at, &parent))
		return damaged(h, "a stack without frame or caller");
	if (parent && parent <= h->stacks_len)
		stack = h->stacks[parent - 1];
	h->unknown += parent > h->stacks_len;
	if (frame && frame <= h->frames_len) {
		stack = import_push(h->im, stack, &h->frames[frame - 1], CUT_NONE);
		if (!stack.v)
			return -ENOMEM;
	}
	if (list_grow((void **)&h->stacks, &h->stacks_cap, h->stacks_len, sizeof(*h->stacks)))
		return -ENOMEM;
	h->stacks[h->stacks_len++] = stack;
	return 0;
}

static int site_at(struct heaptrack *h, struct stack_id stack, uint32_t *site)
{
	bool is_new;
	uint64_t *at;

	if (list_grow((void **)&h->sites, &h->sites_cap, h->sites_len, sizeof(*h->sites)))
		return -ENOMEM;
	at = map_at(&h->site_of, stack.v, &is_new);
	if (!at)
		return -ENOMEM;
	if (is_new) {
		h->sites[h->sites_len] = (struct site){ .stack = stack };
		*at = h->sites_len++;
	}
	*site = (uint32_t)*at;
	return 0;
}

/* "a SIZE STACK" */
static int read_kind(struct heaptrack *h, const char *at)
{
	uint64_t size, stack;
	struct kind *kind;

	if (h->kinds_len == THINGS_MAX)
		return too_many(h, "pairs of size and stack");
	if (!next_number(&at, &size) || !next_number(&at, &stack))
		return damaged(h, "a pair of size and stack without one of them");
	h->unknown += !stack || stack > h->stacks_len;
	if (list_grow((void **)&h->kinds, &h->kinds_cap, h->kinds_len, sizeof(*h->kinds)))
		return -ENOMEM;
	kind = &h->kinds[h->kinds_len++];
	kind->size = size <= INT64_MAX ? (int64_t)size : INT64_MAX;
	return site_at(h, stack && stack <= h->stacks_len ? h->stacks[stack - 1] : (struct stack_id){ 0 }, &kind->site);
}

/* ---- events --------------------------------------------------------------------------------------------------- */

static void save_peak(const struct heaptrack *h, struct site *s)
{
	if (s->epoch == h->epoch)
		return;
	s->epoch = h->epoch;
	s->peak_bytes = s->live_bytes;
	s->peak_blocks = s->live_blocks;
}

static void change(struct heaptrack *h, struct site *s, int64_t blocks, int64_t bytes)
{
	save_peak(h, s);
	s->live_blocks += blocks;
	s->live_bytes = whole_add(s->live_bytes, bytes);
	h->live_bytes = whole_add(h->live_bytes, bytes);
	if (h->live_bytes > h->peak_bytes) {
		h->peak_bytes = h->live_bytes;
		h->epoch++;
	}
}

static int read_event(struct heaptrack *h, const char *at, bool is_free)
{
	uint64_t number;
	struct site *s;
	int64_t size;

	if (!next_number(&at, &number))
		return damaged(h, "an allocation without its number");
	if (number >= h->kinds_len) {
		h->unknown++;
		return 0;
	}
	s = &h->sites[h->kinds[number].site];
	size = h->kinds[number].size;
	if (!is_free) {
		s->allocations++;
		s->allocated_bytes = whole_add(s->allocated_bytes, size);
		change(h, s, 1, size);
		h->last = (uint32_t)number;
	} else if (s->live_blocks) {
		s->frees++;
		s->temporary += h->last == number;
		change(h, s, -1, -size);
		h->last = NOTHING;
	} else {
		h->odd_frees++;
	}
	return 0;
}

static int read_time(struct heaptrack *h, const char *at)
{
	uint64_t ms;

	if (next_number(&at, &ms) && ms < INT64_MAX / 1000000)
		h->im->profile.duration_ns = ms * 1000000;
	return 0;
}

/* "X /usr/bin/program its arguments" */
static void read_program(struct heaptrack *h, const char *at)
{
	size_t len;
	char *path;

	at += *at == ' ';
	len = strcspn(at, " ");
	path = strndup(at, len);
	if (path)
		h->im->program = import_text(h->im, path_base(path), strlen(path_base(path)));
	free(path);
}

/* ---- the whole ------------------------------------------------------------------------------------------------ */

static int read_line(struct heaptrack *h, const char *line, size_t len)
{
	const char *at = line + (len > 0);

	switch (*line) {
	case 'v':
		return read_version(h, at);
	case 's':
		return *at == ' ' ? read_string(h, at + 1, line + len) : 0;
	case 'i':
		return read_frames(h, at);
	case 't':
		return read_stack(h, at);
	case 'a':
		return read_kind(h, at);
	case '+':
		return read_event(h, at, false);
	case '-':
		return read_event(h, at, true);
	case 'c':
		return read_time(h, at);
	case 'X':
		read_program(h, at);
		return 0;
	case 'x':
	case 'm':
		buf_add_string(h->error,
			       "it has no names yet; `heaptrack --interpret FILE` makes the file that has them");
		return -EBADMSG;
	default:
		return 0; /* a comment, resident memory, the system, suppressions */
	}
}

/* A program that was killed leaves a file that ends somewhere: what is there is still right. */
static int read_lines(struct heaptrack *h)
{
	char *line;
	size_t len;
	int err = 0, got = 0;

	while (!err && (got = input_line(h->in, &line, &len)) > 0)
		err = read_line(h, line, len);
	if (err || !got)
		return err;
	h->is_cut = got == -EBADMSG;
	return h->is_cut && h->kinds_len ? 0 : got;
}

static int fill_profile(struct heaptrack *h)
{
	static const struct heap nothing;
	struct profile *p = &h->im->profile;
	int err = heap_profile(&nothing, p);

	p->main_value = PEAK_SPACE;
	for (size_t i = 0; !err && i < h->sites_len; i++) {
		struct site *s = &h->sites[i];

		save_peak(h, s);
		err = profile_add(p, s->stack, 0,
				  (int64_t[PROFILE_VALUES]){
					  [INUSE_SPACE] = s->live_bytes,
					  [INUSE_OBJECTS] = s->live_blocks,
					  [ALLOC_SPACE] = s->allocated_bytes,
					  [ALLOC_OBJECTS] = s->allocations,
					  [PEAK_SPACE] = s->peak_bytes,
					  [PEAK_OBJECTS] = s->peak_blocks,
					  [TEMPORARY] = s->temporary,
					  [FREE_OBJECTS] = s->frees,
				  });
	}
	return err;
}

static int add_notes(struct heaptrack *h)
{
	struct profile *p = &h->im->profile;
	int err = profile_note(
		p, "temporary here is heaptrack's: freed while the last event of any thread was an allocation "
		   "of that size and stack");

	if (!err && h->is_cut)
		err = profile_note(p, "the file is cut short: what happened later is missing");
	if (!err && h->odd_frees)
		err = profile_note(p, "%" PRIu64 " frees of blocks that it does not have are not counted",
				   h->odd_frees);
	if (!err && h->unknown)
		err = profile_note(p, "%" PRIu64 " lines refer to something that is not there", h->unknown);
	return err;
}

/* The modules are those of its frames. */
static int add_modules(struct heaptrack *h)
{
	struct map seen = MAP_INIT;
	int err = 0;

	for (size_t i = 0; !err && i < h->frames_len; i++) {
		const char *path = symbols_path(stacks_symbols(h->im->stacks), h->frames[i].object);
		bool is_new;

		if (!map_at(&seen, h->frames[i].object, &is_new))
			err = -ENOMEM;
		else if (is_new && *path)
			err = import_add_module(h->im, path, "", 0) < 0 ? -ENOMEM : 0;
	}
	map_release(&seen);
	return err;
}

int import_heaptrack(struct import *im, struct input *in, struct buf *error)
{
	struct heaptrack h = {
		.im = im, .in = in, .error = error, .last = NOTHING, .nodes_before = stacks_len(im->stacks)
	};
	int err = read_lines(&h);

	err = err ? err : fill_profile(&h);
	err = err ? err : add_modules(&h);
	err = err ? err : add_notes(&h);
	free(h.strings);
	free(h.frames);
	free(h.stacks);
	free(h.sites);
	free(h.kinds);
	map_release(&h.site_of);
	return err;
}
