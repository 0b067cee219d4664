/* SPDX-License-Identifier: MIT */
/*
 * heaptrack.c - heaptrack's event file, version 3, not compressed: every allocation and free with its stack.
 *
 * Strings, frames, stacks and pairs of size and stack are written when they are first needed and called by their number
 * from then on. What is kept grows with these, not with the events. A record stands for one block there, so a recording
 * of sampled blocks can't be told.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "analyzer/exports/export.h"
#include "analyzer/exports/frame_tree.h"
#include "analyzer/models/lives.h"
#include "format/kinds.h"

#define HEAPTRACK_VERSION 0x10400u /* whose reader knows this version of the file */
#define FILE_VERSION 3u

struct heaptrack {
	struct export_run *r;
	struct frame_tree tree;
	struct lives lives;
	struct map string_of; /* hash -> number */
	struct map kind_of;   /* hash of size and stack -> number */
	uint64_t strings, kinds;
	size_t frames_told, nodes_told;
	uint64_t ms;
	bool failed;
};

/* A string is told by its number, 0: none. */
static uint64_t string_number(struct heaptrack *h, const char *text)
{
	bool is_new;
	uint64_t *at = text && *text ? map_at(&h->string_of, hash_bytes(text, strlen(text)), &is_new) : NULL;
	struct buf safe = { 0 };

	if (!text || !*text)
		return 0;
	if (!at) {
		h->failed = true;
		return 0;
	}
	if (!is_new)
		return *at;
	*at = ++h->strings;
	buf_add_safe(&safe, text, strlen(text));
	fprintf(h->r->out, "s %zx %s\n", safe.len, buf_string(&safe));
	h->failed |= safe.failed;
	buf_release(&safe);
	return *at;
}

static void put_frame(struct heaptrack *h, const struct frame *frame)
{
	uint64_t module = string_number(h, frame->module_path), name = string_number(h, export_frame_name(frame));
	uint64_t file = string_number(h, frame->file);

	fprintf(h->r->out, "i %" PRIx64 " %" PRIx64 " %" PRIx64, frame->address, module, name);
	if (file)
		fprintf(h->r->out, " %" PRIx64 " %" PRIx32, file, frame->line);
	fputc('\n', h->r->out);
}

static uint32_t stack_number(struct heaptrack *h, struct stack_id stack)
{
	uint32_t number = frame_tree_of(&h->tree, stack);

	for (; h->frames_told < h->tree.distinct_len; h->frames_told++)
		put_frame(h, h->tree.distinct[h->frames_told]);
	for (; h->nodes_told < h->tree.len; h->nodes_told++) {
		const struct tree_node *node = &h->tree.nodes[h->nodes_told];

		fprintf(h->r->out, "t %" PRIx32 " %" PRIx32 "\n", node->frame_number, node->parent);
	}
	return number;
}

static uint64_t kind_number(struct heaptrack *h, const struct life *life)
{
	uint64_t key[] = { life->size, stack_number(h, life->stack) };
	bool is_new;
	uint64_t *at = map_at(&h->kind_of, hash_bytes(key, sizeof(key)), &is_new);

	if (!at) {
		h->failed = true;
		return 0;
	}
	if (is_new) {
		*at = h->kinds++;
		fprintf(h->r->out, "a %" PRIx64 " %" PRIx64 "\n", key[0], key[1]);
	}
	return *at;
}

static void put_time(struct heaptrack *h, uint64_t tick)
{
	uint64_t ms = clock_ns(&h->r->a->rec.clock, tick) / 1000000;

	if (ms > h->ms)
		fprintf(h->r->out, "c %" PRIx64 "\n", h->ms = ms);
}

static void born(void *self, struct life *life)
{
	struct heaptrack *h = self;

	put_time(h, life->born);
	life->tag = kind_number(h, life);
	fprintf(h->r->out, "+ %" PRIx64 "\n", life->tag);
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct heaptrack *h = self;

	put_time(h, end->tick);
	if (end->fate != LIFE_GOES_ON)
		fprintf(h->r->out, "- %" PRIx64 "\n", life->tag);
}

/* The heap may also have been sampled from some moment on only. */
static int refuse_sample(struct export_run *r)
{
	buf_add_string(r->error,
		       "a record of heaptrack is one block, and this recording has a sample of them; record with "
		       "-t heap=exact, or export pprof or dhat");
	return -EINVAL;
}

int export_heaptrack(struct export_run *r)
{
	struct heaptrack h = { .r = r };
	struct buf exe = { 0 };
	int err;

	if (r->a->rec.reader.header.heap_mode == RSD_HEAP_SAMPLE)
		return refuse_sample(r);
	frame_tree_init(&h.tree, r->stacks);
	map_init(&h.string_of);
	map_init(&h.kind_of);
	buf_add_safe(&exe, r->a->rec.exe, strlen(r->a->rec.exe));
	fprintf(r->out, "v %x %x\nX %s\n", HEAPTRACK_VERSION, FILE_VERSION, buf_string(&exe));
	h.lives.watcher = (struct life_watcher){ .self = &h, .born = born, .ended = ended };
	err = lives_run(&h.lives, r->a);
	put_time(&h, r->a->rec.end_tick);
	buf_release(&exe);
	map_release(&h.string_of);
	map_release(&h.kind_of);
	if (!err && (h.failed || h.tree.failed))
		err = -ENOMEM;
	frame_tree_release(&h.tree);
	if (!err && h.lives.sampled)
		err = refuse_sample(r);
	return err ? err : ferror(r->out) ? -EIO : 0;
}
