/* SPDX-License-Identifier: MIT */
/*
 * heap_scopes.c - blocks that live no longer than one call of some function, and what could be made of them: a variable
 * on its stack, a buffer that is used again, or an arena that is thrown away as a whole when it returns.
 *
 * The first pass finds for each stack that allocates the function in which most of its blocks are freed. The second one
 * follows all blocks of such stacks: how many are alive at once in a thread, and how often there is none. Between two
 * such moments lies a call of the function, or several in which nothing else happened.
 */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/models/scopes.h"
#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "analyzer/util/map.h"

#define CALLS_LEAST 16u	 /* of the function: once is no pattern */
#define BLOCKS_LEAST 64u /* of a place, or of an arena */
#define SEEN_LEAST 3u	 /* frees with a stack that a verdict rests on */
#define SHARE_LEAST 0.9	 /* of a place's blocks that end in the function */
#define SMALL_BYTES 1024u
#define ARENA_LEAST 4u /* blocks of one call */

/* A function in which blocks end. */
struct ending {
	const struct frame *function;
	uint64_t calls, blocks, bytes, saved;
	uint64_t at_once; /* bytes, most in one thread */
};

/* Where the blocks of one stack end: in one function. */
struct fate {
	struct stack_id stack;
	struct scope scope;
	uint32_t ending;
	uint64_t ones, seen;
};

/* One stack that allocates. */
struct origin {
	uint64_t ones; /* ends that are known, and blocks that did not end */
	uint32_t best; /* fate + 1 with most of them; 0: none */
	uint32_t row;  /* + 1 */
};

/* A place and a function in which its blocks end. */
struct row {
	uint32_t group, ending;
	uint64_t blocks, calls, bytes, least, most, at_once;
	double in_it; /* blocks, as far as the share tells */
	uint32_t distance;
};

struct scopes {
	const struct report_run *r;
	struct lives *lives; /* of the pass that runs */
	struct map by_stack, by_fate, by_row, live_rows, live_calls, live_bytes;
	struct map endless; /* blocks of the first pass that had no end */
	struct origin *origins;
	struct fate *fates;
	struct ending *endings;
	struct row *rows;
	size_t origins_len, origins_cap, fates_len, fates_cap, endings_len, endings_cap, rows_len, rows_cap;
	uint64_t elsewhere; /* WEIGHT_ONEths: freed by another thread */
	bool failed;
};

/* The number of what `key` stands for, a new one at the end of a list when it is not there; UINT32_MAX without memory.
 */
static uint32_t number_of(struct scopes *s, struct map *m, uint64_t key, void **list, size_t *len, size_t *cap,
			  size_t size, bool *is_new)
{
	uint64_t *at = map_at(m, key, is_new);

	if (!at || (*is_new && list_grow(list, cap, *len, size))) {
		s->failed = true;
		return UINT32_MAX;
	}
	if (*is_new)
		*at = (*len)++;
	return (uint32_t)*at;
}

/* ---- first pass: where blocks end ----------------------------------------------------------------------------- */

static struct origin *origin_of(struct scopes *s, struct stack_id stack)
{
	bool is_new;
	uint32_t i = number_of(s, &s->by_stack, stack.v, (void **)&s->origins, &s->origins_len, &s->origins_cap,
			       sizeof(*s->origins), &is_new);

	if (i != UINT32_MAX && is_new)
		s->origins[i] = (struct origin){ 0 };
	return i == UINT32_MAX ? NULL : &s->origins[i];
}

static uint32_t ending_of(struct scopes *s, const struct frame *function)
{
	for (uint32_t i = 0; i < s->endings_len; i++)
		if (scope_is_same(s->endings[i].function, function))
			return i;
	if (list_grow((void **)&s->endings, &s->endings_cap, s->endings_len, sizeof(*s->endings))) {
		s->failed = true;
		return 0;
	}
	s->endings[s->endings_len] = (struct ending){ .function = function };
	return (uint32_t)s->endings_len++;
}

static struct fate *fate_of(struct scopes *s, struct stack_id stack, const struct scope *scope)
{
	uint32_t ending = ending_of(s, scope->function), i;
	bool is_new;

	i = number_of(s, &s->by_fate, (uint64_t)stack.v << 32 | ending, (void **)&s->fates, &s->fates_len,
		      &s->fates_cap, sizeof(*s->fates), &is_new);
	if (i != UINT32_MAX && is_new)
		s->fates[i] = (struct fate){ .stack = stack, .scope = *scope, .ending = ending };
	return i == UINT32_MAX ? NULL : &s->fates[i];
}

/* What realloc makes out of a block has the stack of the first one. */
static struct stack_id first_stack(const struct life *life)
{
	return life->tag ? (struct stack_id){ (uint32_t)life->tag } : life->stack;
}

static uint64_t key_of(const struct life *life)
{
	return life->born * UINT64_C(0x9e3779b97f4a7c15) ^ life->addr;
}

static void learn_resized(void *self, const struct life *old, const struct life_end *end, struct life *now)
{
	(void)self;
	(void)end;
	now->tag = first_stack(old).v;
}

static void learn_ended(void *self, const struct life *life, const struct life_end *end)
{
	struct scopes *s = self;
	struct weight w = lives_known(s->lives, life, end);
	struct stack_id first = first_stack(life);
	struct origin *origin;
	struct scope scope;
	struct fate *fate;

	if (end->fate == LIFE_GOES_ON || end->fate == LIFE_LOST) {
		w = lives_weight(s->lives, life);
		s->failed |= map_put(&s->endless, key_of(life), 1) != 0;
	}
	origin = w.ones ? origin_of(s, first) : NULL;
	if (!origin)
		return;
	origin->ones += w.ones;
	if (end->fate != LIFE_FREED)
		return;
	if (end->thread != life->thread) {
		s->elsewhere += w.ones;
		return;
	}
	if (!scope_of(s->r->stacks, first, end->stack, &scope))
		return;
	fate = fate_of(s, first, &scope);
	if (!fate)
		return;
	fate->ones += w.ones;
	fate->seen++;
}

/* Each stack's function is the one where most of its blocks end, if nearly all do. */
static void choose(struct scopes *s)
{
	for (uint32_t i = 0; i < s->fates_len; i++) {
		struct origin *origin = origin_of(s, s->fates[i].stack);

		if (origin && (!origin->best || s->fates[i].ones > s->fates[origin->best - 1].ones))
			origin->best = i + 1;
	}
	for (size_t i = 0; i < s->origins_len; i++) {
		struct origin *origin = &s->origins[i];

		if (origin->best && (double)s->fates[origin->best - 1].ones < SHARE_LEAST * (double)origin->ones)
			origin->best = 0;
	}
}

/* ---- second pass: what is alive at once ----------------------------------------------------------------------- */

/*
 * A block that never ends is a leak in the midst of others that do. It belongs to no call, and would make all calls
 * after it look like one.
 */
static bool is_endless(const struct scopes *s, const struct life *life)
{
	return map_get(&s->endless, key_of(life), NULL);
}

static uint64_t change(struct scopes *s, struct map *m, uint32_t what, uint32_t thread, int64_t by)
{
	uint64_t *at = map_at(m, (uint64_t)what << 32 | thread, NULL);

	if (!at) {
		s->failed = true;
		return 0;
	}
	*at = by < 0 && *at < (uint64_t)-by ? 0 : *at + (uint64_t)by;
	return *at;
}

static void raise_to(uint64_t *most, uint64_t value)
{
	if (value > *most)
		*most = value;
}

static void enter(struct scopes *s, uint32_t row, const struct life *life)
{
	struct ending *ending = &s->endings[s->rows[row].ending];
	uint32_t number = s->rows[row].ending;

	raise_to(&s->rows[row].at_once, change(s, &s->live_rows, row, life->thread, 1));
	ending->calls += change(s, &s->live_calls, number, life->thread, 1) == 1;
	raise_to(&ending->at_once, change(s, &s->live_bytes, number, life->thread, (int64_t)life->size));
}

static void leave(struct scopes *s, uint32_t row, const struct life *life)
{
	uint32_t number = s->rows[row].ending;

	change(s, &s->live_rows, row, life->thread, -1);
	change(s, &s->live_calls, number, life->thread, -1);
	change(s, &s->live_bytes, number, life->thread, -(int64_t)life->size);
}

/* The row of a stack that has a function; + 1, 0: none. */
static uint32_t row_of(struct scopes *s, struct origin *origin, const struct life *life)
{
	const struct fate *fate;
	uint32_t i;
	bool is_new;

	if (origin->row || !origin->best)
		return origin->row;
	fate = &s->fates[origin->best - 1];
	i = number_of(s, &s->by_row, (uint64_t)life->group << 32 | fate->ending, (void **)&s->rows, &s->rows_len,
		      &s->rows_cap, sizeof(*s->rows), &is_new);
	if (i == UINT32_MAX)
		return 0;
	if (is_new)
		s->rows[i] = (struct row){ .group = life->group,
					   .ending = fate->ending,
					   .least = UINT64_MAX,
					   .distance = scope_distance(s->r->stacks, &fate->scope, fate->stack) };
	return origin->row = i + 1;
}

static void count_call(struct scopes *s, uint32_t row, const struct life *life)
{
	struct row *of = &s->rows[row];

	of->calls++;
	of->bytes += life->size;
	raise_to(&of->most, life->size);
	if (life->size < of->least)
		of->least = life->size;
}

static void follow_born(void *self, struct life *life)
{
	struct scopes *s = self;
	struct origin *origin = origin_of(s, life->stack);
	uint32_t row = origin && life->thread != PASS_NO_THREAD ? row_of(s, origin, life) : 0;

	if (!row)
		return;
	life->tag = row;
	s->rows[row - 1].blocks++;
	s->rows[row - 1].in_it += (double)s->fates[origin->best - 1].ones / (double)origin->ones;
	count_call(s, row - 1, life);
	if (!is_endless(s, life))
		enter(s, row - 1, life);
}

static void follow_resized(void *self, const struct life *old, const struct life_end *end, struct life *now)
{
	struct scopes *s = self;
	uint32_t row = (uint32_t)now->tag;

	(void)end;
	if (!row)
		return;
	count_call(s, row - 1, now);
	if (old->thread != now->thread || is_endless(s, now)) {
		leave(s, row - 1, old);
		if (!is_endless(s, now))
			enter(s, row - 1, now);
		return;
	}
	raise_to(&s->endings[s->rows[row - 1].ending].at_once,
		 change(s, &s->live_bytes, s->rows[row - 1].ending, now->thread, (int64_t)(now->size - old->size)));
}

static void follow_ended(void *self, const struct life *life, const struct life_end *end)
{
	struct scopes *s = self;

	if (!life->tag || end->fate != LIFE_FREED)
		return;
	leave(s, (uint32_t)life->tag - 1, life);
	s->rows[life->tag - 1].calls++;
}

/* ---- verdicts ------------------------------------------------------------------------------------------------- */

static uint64_t seen_of(const struct scopes *s, uint32_t row)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < s->origins_len; i++)
		if (s->origins[i].row == row + 1)
			seen += s->fates[s->origins[i].best - 1].seen;
	return seen;
}

static bool is_pattern(const struct scopes *s, uint32_t row)
{
	return s->rows[row].blocks >= BLOCKS_LEAST && s->endings[s->rows[row].ending].calls >= CALLS_LEAST &&
	       seen_of(s, row) >= SEEN_LEAST;
}

static const char *verdict(const struct row *row)
{
	if (row->at_once > 1)
		return "arena";
	if (row->least == row->most && row->most <= SMALL_BYTES && row->distance <= 1)
		return "stack variable";
	return "reused buffer";
}

static void add_up(struct scopes *s)
{
	for (uint32_t i = 0; i < s->rows_len; i++) {
		struct ending *ending = &s->endings[s->rows[i].ending];

		if (!is_pattern(s, i))
			continue;
		ending->blocks += s->rows[i].blocks;
		ending->bytes += s->rows[i].bytes;
		ending->saved += s->rows[i].calls;
	}
}

static void put_function(struct table *table, const struct frame *function)
{
	struct buf name = { 0 };

	scope_name(&name, function);
	table_stack(table, buf_string(&name), (struct stack_id){ 0 }, function);
	table->failed |= name.failed;
	buf_release(&name);
}

static void print_arenas(const struct scopes *s, struct page *page)
{
	struct table *table = page_table(page, "An arena for each call of", "arenas");

	table_column(table, "calls saved", "saved_calls", UNIT_COUNT);
	table_column(table, "calls of it", "calls", UNIT_COUNT);
	table_column(table, "blocks", "blocks", UNIT_COUNT);
	table_column(table, "bytes", "bytes", UNIT_BYTES);
	table_column(table, "blocks a call", "blocks_per_call", UNIT_NUMBER);
	table_column(table, "most at once", "at_once_bytes", UNIT_BYTES);
	table_column(table, "function", "stack", UNIT_STACK);
	for (size_t i = 0; i < s->endings_len; i++) {
		const struct ending *e = &s->endings[i];

		if (e->calls < CALLS_LEAST || e->blocks < ARENA_LEAST * e->calls)
			continue;
		table_row(table);
		table_number(table, (int64_t)e->saved);
		table_number(table, (int64_t)e->calls);
		table_number(table, (int64_t)e->blocks);
		table_number(table, (int64_t)e->bytes);
		table_real(table, (double)e->blocks / (double)e->calls);
		table_number(table, (int64_t)e->at_once);
		put_function(table, e->function);
	}
	table_sort(table, 0, true);
	if (s->r->options->top)
		table_cut(table, s->r->options->top);
}

static int print_places(const struct scopes *s, const struct groups *g, struct page *page)
{
	struct table *table = page_table(page, "What each place could have instead", "places");

	table_column(table, "instead", "instead", UNIT_TEXT);
	table_column(table, "calls saved", "saved_calls", UNIT_COUNT);
	table_column(table, "blocks", "blocks", UNIT_COUNT);
	table_column(table, "bytes", "bytes", UNIT_BYTES);
	table_column(table, "smallest", "min_bytes", UNIT_BYTES);
	table_column(table, "largest", "max_bytes", UNIT_BYTES);
	table_column(table, "at once", "at_once", UNIT_COUNT);
	table_column(table, "end in it", "share", UNIT_PERCENT);
	groups_column(g, table, "allocated by", "stack");
	table_column(table, "in each call of", "scope", UNIT_STACK);
	for (uint32_t i = 0; i < s->rows_len; i++) {
		const struct row *row = &s->rows[i];

		if (!is_pattern(s, i))
			continue;
		table_row(table);
		table_text(table, verdict(row));
		table_number(table, (int64_t)row->calls);
		table_number(table, (int64_t)row->blocks);
		table_number(table, (int64_t)row->bytes);
		table_number(table, (int64_t)row->least);
		table_number(table, (int64_t)row->most);
		table_number(table, (int64_t)row->at_once);
		table_real(table, row->in_it / (double)row->blocks);
		groups_cell(g, table, row->group);
		put_function(table, s->endings[row->ending].function);
	}
	return report_order(s->r, table, 1);
}

static int print(struct scopes *s, const struct groups *g, struct page *page)
{
	int err;

	add_up(s);
	page_fact(page, "freed by another thread", "elsewhere", UNIT_COUNT, weight_count(s->elsewhere));
	err = print_places(s, g, page);
	print_arenas(s, page);
	page_note(page,
		  "calls saved: of malloc, realloc and free. stack variable: one small block of one size at a time; "
		  "reused buffer: one block at a time; arena: several. Places count when they have at least %u "
		  "blocks, nearly all freed during a call of the function that is named, and it had at least %u "
		  "such calls.",
		  BLOCKS_LEAST, CALLS_LEAST);
	page_note(page, "stacks do not tell two calls of a function from one place apart: a block that is kept in a "
			"static variable until the next call looks the same.");
	report_frees_note(s->r, page);
	return err;
}

/* ---- the report ----------------------------------------------------------------------------------------------- */

static int learn(struct scopes *s, struct groups *g)
{
	struct lives lives = { .watcher = { .self = s, .resized = learn_resized, .ended = learn_ended } };
	int err;

	s->lives = &lives;
	err = report_lives(s->r, BY_PLACE, g, &lives);
	choose(s);
	return err;
}

static int follow(struct scopes *s, struct groups *g)
{
	struct lives lives = {
		.watcher = { .self = s, .born = follow_born, .resized = follow_resized, .ended = follow_ended },
		.groups = g,
	};

	s->lives = &lives;
	return lives_run(&lives, s->r->a);
}

static void release(struct scopes *s)
{
	struct map *const maps[] = { &s->by_stack,   &s->by_fate,    &s->by_row, &s->live_rows,
				     &s->live_calls, &s->live_bytes, &s->endless };

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		map_release(maps[i]);
	free(s->origins);
	free(s->fates);
	free(s->endings);
	free(s->rows);
}

int report_heap_scopes(struct report_run *r, struct page *page)
{
	struct scopes s = { .r = r };
	struct groups g = { 0 };
	int err = 0;

	if (r->a->rec.reader.header.heap_mode != RSD_HEAP_EXACT) {
		page_note(page, "what is alive at once is known only of a heap that is recorded exactly (heap=exact)");
		return 0;
	}
	err = learn(&s, &g);
	err = err ? err : follow(&s, &g);
	err = err ? err : s.failed ? -ENOMEM : 0;
	if (!err)
		err = print(&s, &g, page);
	release(&s);
	groups_release(&g);
	return err;
}
