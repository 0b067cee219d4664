/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/util/list.h"
#include "analyzer/web/strips.h"

#define COLUMNS_MOST 800u
#define COLUMNS_LEAST 100u
#define DID_MOST 240000u /* threads times columns */
#define CELL_COLUMNS 400u
#define CELLS_MOST 150000u

/* ---- columns -------------------------------------------------------------------------------------------------- */

static uint64_t column_begin(const struct web_strips *s, unsigned columns, unsigned column)
{
	return s->window.from + (uint64_t)((unsigned __int128)(s->window.to - s->window.from) * column / columns);
}

static unsigned column_of(const struct web_strips *s, unsigned columns, uint64_t tick)
{
	if (tick <= s->window.from)
		return 0;
	if (tick >= s->window.to)
		return columns - 1;
	return (unsigned)((unsigned __int128)(tick - s->window.from) * columns / (s->window.to - s->window.from));
}

static void choose_columns(struct web_strips *s)
{
	const struct recording *rec = &s->r->a->rec;
	size_t threads = rec->threads_len ? rec->threads_len : 1;

	if (s->window.from < rec->clock.start_tick)
		s->window.from = rec->clock.start_tick;
	if (s->window.to > rec->end_tick)
		s->window.to = rec->end_tick;
	if (s->window.to <= s->window.from)
		s->window.to = s->window.from + 1;
	s->cell_columns = CELL_COLUMNS;
	s->columns = COLUMNS_MOST;
	while (s->columns > COLUMNS_LEAST && threads * s->columns > DID_MOST)
		s->columns /= 2;
}

/* ---- stacks --------------------------------------------------------------------------------------------------- */

static struct web_cell *cell_at(struct web_strips *s, unsigned column, uint32_t node)
{
	bool is_new;
	uint64_t *at = map_at(&s->cell_of, (uint64_t)column << 32 | node, &is_new);

	if (!at || (is_new && list_grow((void **)&s->cells, &s->cells_cap, s->cells_len, sizeof(*s->cells)))) {
		s->failed = true;
		return NULL;
	}
	if (is_new) {
		s->cells[s->cells_len] = (struct web_cell){ .column = column, .node = node };
		*at = s->cells_len++;
	}
	return &s->cells[*at];
}

static void cell_add(struct web_strips *s, const struct web_cell *more)
{
	struct web_cell *cell = cell_at(s, more->column, more->node);

	if (!cell)
		return;
	cell->samples += more->samples;
	cell->blocked_ns += more->blocked_ns;
	cell->busy_ns += more->busy_ns;
}

/* Each two columns become one. */
static void halve(struct web_strips *s)
{
	struct web_cell *old = s->cells;
	size_t len = s->cells_len;

	s->cells = NULL;
	s->cells_len = s->cells_cap = 0;
	map_clear(&s->cell_of);
	s->cell_columns /= 2;
	for (size_t i = 0; i < len; i++) {
		old[i].column /= 2;
		cell_add(s, &old[i]);
	}
	free(old);
}

static void make_room(struct web_strips *s)
{
	while (s->cells_len > CELLS_MOST && s->cell_columns > 1)
		halve(s);
}

static void on_sample(void *self, const struct pass_event *e)
{
	struct web_strips *s = self;
	uint32_t weight = e->ev->sample.weight ? e->ev->sample.weight : 1;
	struct web_cell more = { .column = column_of(s, s->cell_columns, e->tick), .samples = weight };

	/* A sample before the first column, when the library was loaded, is in the first. */
	if (e->tick < s->asked.from || e->tick >= s->asked.to)
		return;
	more.node = web_tree_at(s->tree, recording_stack(&s->r->a->rec, e->ev->sample.stack));
	cell_add(s, &more);
	make_room(s);
}

/* A wait is spread evenly over the columns it lies in. */
static void add_wait(struct web_strips *s, const struct stretch *w, bool is_idle)
{
	uint64_t from = w->begin > s->window.from ? w->begin : s->window.from;
	uint64_t to = w->end < s->window.to ? w->end : s->window.to;
	unsigned first = column_of(s, s->cell_columns, from), last = column_of(s, s->cell_columns, to);
	struct web_cell more = { .node = web_tree_at(s->tree, w->stack) };

	for (unsigned c = first; c <= last; c++) {
		uint64_t begin = column_begin(s, s->cell_columns, c), end = column_begin(s, s->cell_columns, c + 1);

		begin = begin > from ? begin : from;
		end = end < to ? end : to;
		if (end <= begin)
			continue;
		more.column = c;
		more.blocked_ns =
			(uint64_t)((double)w->blocked_ns * (double)(end - begin) / (double)(w->end - w->begin));
		more.busy_ns = is_idle ? 0 : more.blocked_ns;
		cell_add(s, &more);
	}
	make_room(s);
}

/* ---- threads -------------------------------------------------------------------------------------------------- */

static void on_stretch(void *self, const struct stretch *w)
{
	struct web_strips *s = self;
	bool is_idle = activity_is_idle(w->wait, s->in_pool[w->thread]);
	unsigned first, last;

	if (w->end <= s->window.from || w->begin >= s->window.to)
		return;
	first = column_of(s, s->columns, w->begin);
	last = column_of(s, s->columns, w->end);
	for (unsigned c = first; c <= last; c++)
		stretch_share(w, &s->r->a->rec.clock, column_begin(s, s->columns, c),
			      column_begin(s, s->columns, c + 1), is_idle, s->did[(size_t)w->thread * s->columns + c]);
	if (w->wait && w->blocked_ns)
		add_wait(s, w, is_idle);
}

void web_strips_sum(const struct web_strips *s, uint32_t thread, uint64_t sum[DOINGS])
{
	memset(sum, 0, DOINGS * sizeof(*sum));
	for (unsigned c = 0; c < s->columns; c++)
		for (unsigned d = 0; d < DOINGS; d++)
			sum[d] += s->did[(size_t)thread * s->columns + c][d];
}

static bool is_there(const struct web_strips *s, uint32_t thread)
{
	const bool *chosen = s->r->a->filter.threads;
	uint64_t sum[DOINGS], all = 0;

	web_strips_sum(s, thread, sum);
	for (unsigned d = 0; d < DOINGS; d++)
		all += sum[d];
	return recording_thread(&s->r->a->rec, thread) && (!chosen || chosen[thread]) && all;
}

/* The first WEB_THREADS_MOST that did something; of the others it is said how many there are. */
static void choose_rows(struct web_strips *s)
{
	for (uint32_t i = 0; i < s->r->a->rec.threads_len; i++) {
		bool is_row = is_there(s, i);

		s->row[i] = is_row && s->rows < WEB_THREADS_MOST ? (int32_t)s->rows++ : -1;
		s->rows_left_out += is_row && s->row[i] < 0;
	}
}

int web_strips_make(struct web_strips *s, struct report_run *r, struct web_tree *tree)
{
	struct activity a = { .self = s, .stretch = on_stretch };
	struct pass_sink samples = { .self = s, .on = { [EV_SAMPLE] = on_sample } };
	int err;

	*s = (struct web_strips){ .r = r, .tree = tree, .asked = report_window(r) };
	s->window = s->asked;
	map_init(&s->cell_of);
	choose_columns(s);
	s->did = calloc((r->a->rec.threads_len + 1) * (size_t)s->columns, sizeof(*s->did));
	s->in_pool = threads_in_pools(&r->a->rec);
	s->row = calloc(r->a->rec.threads_len + 1, sizeof(*s->row));
	err = s->did && s->in_pool && s->row ? report_activity(r, &a, &samples) : -ENOMEM;
	if (!err)
		choose_rows(s);
	return err ? err : s->failed ? -ENOMEM : 0;
}

void web_strips_release(struct web_strips *s)
{
	free(s->did);
	free(s->in_pool);
	free(s->row);
	free(s->cells);
	map_release(&s->cell_of);
}

static const struct web_node *ordered_nodes;

static int by_column(const void *a, const void *b)
{
	const struct web_cell *x = a, *y = b;
	uint32_t xn = ordered_nodes[x->node].shown, yn = ordered_nodes[y->node].shown;

	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return xn < yn ? -1 : xn > yn;
}

void web_strips_order(struct web_strips *s)
{
	ordered_nodes = s->tree->nodes;
	if (s->cells_len)
		qsort(s->cells, s->cells_len, sizeof(*s->cells), by_column);
}
