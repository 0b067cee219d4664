/* SPDX-License-Identifier: MIT */
/*
 * callgrind.c - callgrind's profile format: what a function took itself by line, and what its calls took, for
 * kcachegrind and callgrind_annotate. All numbers of the profile are events. A recursive call counts once in what it
 * took in all.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/export.h"
#include "analyzer/util/list.h"
#include "analyzer/util/map.h"
#include "analyzer/util/whole.h"

/* What one function took at one line (callee 0), or in calls of another one from there. */
struct cost {
	uint32_t function, callee; /* numbers from 1; callee 0: itself */
	uint32_t line, callee_line;
	int64_t values[PROFILE_VALUES];
	uint64_t calls;
};

struct function {
	const struct frame *frame;
};

struct callgrind {
	struct export_run *r;
	struct function *functions;
	size_t functions_len, functions_cap;
	struct map function_of;
	struct cost *costs;
	size_t costs_len, costs_cap;
	struct map cost_of;
	bool failed;
};

static uint32_t function_number(struct callgrind *c, const struct frame *frame)
{
	const char *name = export_frame_name(frame), *file = frame->file ? frame->file : "";
	const char *module = frame->module_path ? frame->module_path : "";
	const uint64_t key[] = { hash_bytes(name, strlen(name)), hash_bytes(file, strlen(file)),
				 hash_bytes(module, strlen(module)) };
	bool is_new;
	uint64_t *at = map_at(&c->function_of, hash_bytes(key, sizeof(key)), &is_new);

	if (!at ||
	    (is_new && list_grow((void **)&c->functions, &c->functions_cap, c->functions_len, sizeof(*c->functions)))) {
		c->failed = true;
		return 1;
	}
	if (is_new) {
		c->functions[c->functions_len++].frame = frame;
		*at = c->functions_len;
	}
	return (uint32_t)*at;
}

static void add(struct callgrind *c, uint32_t function, uint32_t line, uint32_t callee, uint32_t callee_line,
		const struct profile_row *row)
{
	const uint32_t key[] = { function, callee, line, callee_line };
	bool is_new;
	uint64_t *at = map_at(&c->cost_of, hash_bytes(key, sizeof(key)), &is_new);

	if (!at || (is_new && list_grow((void **)&c->costs, &c->costs_cap, c->costs_len, sizeof(*c->costs)))) {
		c->failed = true;
		return;
	}
	if (is_new) {
		c->costs[c->costs_len] = (struct cost){
			.function = function, .callee = callee, .line = line, .callee_line = callee_line
		};
		*at = c->costs_len++;
	}
	for (size_t i = 0; i < c->r->profile->values_len; i++)
		c->costs[*at].values[i] = whole_add(c->costs[*at].values[i], row->values[i]);
	c->costs[*at].calls++;
}

/* Is the same call already further out in this stack? Then it is in that one's sum. */
static bool is_repeated(struct callgrind *c, const struct frames *frames, size_t at)
{
	uint32_t caller = function_number(c, frames->list[at + 1]), callee = function_number(c, frames->list[at]);

	for (size_t i = at + 1; i + 1 < frames->len; i++)
		if (function_number(c, frames->list[i + 1]) == caller && function_number(c, frames->list[i]) == callee)
			return true;
	return false;
}

static int add_row(struct callgrind *c, const struct profile_row *row, struct frames *frames)
{
	int err = stacks_frames(c->r->stacks, row->stack, frames);

	if (err || !frames->len)
		return err;
	add(c, function_number(c, frames->list[0]), frames->list[0]->line, 0, 0, row);
	for (size_t i = 0; i + 1 < frames->len; i++)
		if (!is_repeated(c, frames, i))
			add(c, function_number(c, frames->list[i + 1]), frames->list[i + 1]->line,
			    function_number(c, frames->list[i]), frames->list[i]->line, row);
	return 0;
}

static int by_function(const void *a, const void *b)
{
	const struct cost *x = a, *y = b;

	if (x->function != y->function)
		return x->function < y->function ? -1 : 1;
	if (!x->callee != !y->callee)
		return x->callee ? 1 : -1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* A line of the format: no newline may be in a name, and "(1)" at its beginning is the number of another one. */
static void put_name(struct callgrind *c, const char *key, const char *name)
{
	bool is_number = name[0] == '(' && name[1] >= '0' && name[1] <= '9';

	fprintf(c->r->out, "%s=%s", key, is_number ? "?" : "");
	safe_puts(name, c->r->out);
	fputc('\n', c->r->out);
}

static void put_place(struct callgrind *c, const char *prefix, uint32_t function)
{
	const struct frame *frame = c->functions[function - 1].frame;
	char object[8], file[8], name[8];

	snprintf(object, sizeof(object), "%sob", prefix);
	snprintf(file, sizeof(file), *prefix ? "%sfi" : "%sfl", prefix);
	snprintf(name, sizeof(name), "%sfn", prefix);
	put_name(c, object, frame->module_path ? frame->module_path : "???");
	put_name(c, file, frame->file ? frame->file : "???");
	put_name(c, name, export_frame_name(frame));
}

static void put_values(struct callgrind *c, uint32_t line, const struct cost *cost)
{
	fprintf(c->r->out, "%" PRIu32, line);
	for (size_t i = 0; i < c->r->profile->values_len; i++)
		fprintf(c->r->out, " %" PRId64, cost->values[i]);
	fputc('\n', c->r->out);
}

static void put_head(struct callgrind *c)
{
	const struct profile *p = c->r->profile;

	fprintf(c->r->out, "# callgrind format\nversion: 1\ncreator: ringside\n");
	fputs("cmd: ", c->r->out);
	safe_puts(recording_name(&c->r->a->rec), c->r->out);
	fputs("\npositions: line\nevents:", c->r->out);
	for (size_t i = 0; i < p->values_len; i++)
		fprintf(c->r->out, " %s", p->values[i].name);
	fputs("\nsummary:", c->r->out);
	for (size_t i = 0; i < p->values_len; i++)
		fprintf(c->r->out, " %" PRId64, profile_total(p, i));
	fputs("\n\n", c->r->out);
}

int export_callgrind(struct export_run *r)
{
	struct callgrind c = { .r = r };
	struct frames frames = { 0 };
	uint32_t function = 0;
	int err = 0;

	map_init(&c.function_of);
	map_init(&c.cost_of);
	for (size_t i = 0; i < r->profile->rows_len && !err; i++)
		err = add_row(&c, &r->profile->rows[i], &frames);
	if (c.costs_len > 1)
		qsort(c.costs, c.costs_len, sizeof(*c.costs), by_function);
	put_head(&c);
	for (size_t i = 0; i < c.costs_len && !err; i++) {
		const struct cost *cost = &c.costs[i];

		if (cost->function != function)
			put_place(&c, "", function = cost->function);
		if (cost->callee) {
			put_place(&c, "c", cost->callee);
			fprintf(r->out, "calls=%" PRIu64 " %" PRIu32 "\n", cost->calls, cost->callee_line);
		}
		put_values(&c, cost->line, cost);
	}
	frames_release(&frames);
	map_release(&c.function_of);
	map_release(&c.cost_of);
	free(c.functions);
	free(c.costs);
	if (!err && c.failed)
		err = -ENOMEM;
	return err ? err : ferror(r->out) ? -EIO : 0;
}
