/* SPDX-License-Identifier: MIT */
/*
 * heap_peaks.c - the moments at which most was allocated, and who held it then.
 *
 * The first pass finds the moments and numbers the changes of the heap; the second one stops behind those numbers and
 * looks at what is alive. So the shares add up to the peak exactly, however close to each other changes are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/reports/report.h"
#include "analyzer/reports/summits.h"
#include "analyzer/util/list.h"

#define PEAKS 5u
#define MARKS_MAX 64u
/* A peak that is less prominent than this share of the highest one is a wave. */
#define PROMINENT 20u

/* Between two marks of the program, or between one and an end of the recording. */
struct interval {
	uint64_t from, to; /* ticks */
	uint32_t name;	   /* string id of the mark at its beginning; 0: the start of the recording */
	struct summit peak;
};

/* One moment to look at. */
struct moment {
	struct summit at;
	struct interval *interval; /* NULL: of the whole recording */
	uint64_t *bytes, *blocks;  /* by group; blocks are WEIGHT_ONEths */
	size_t len;		   /* groups met until then: others have nothing alive */
};

struct peaks {
	const struct report_run *r;
	struct lives lives;
	uint64_t changes, live_bytes;
	struct summits summits;
	struct interval intervals[MARKS_MAX + 1];
	size_t intervals_len;
	struct moment moments[PEAKS + MARKS_MAX + 1]; /* by number of change */
	size_t moments_len, moment;
	uint64_t *bytes, *blocks; /* by group, now */
	size_t bytes_len, blocks_len;
};

/* ---- the first pass: when ------------------------------------------------------------------------------------- */

static void change(struct peaks *p, uint64_t tick)
{
	struct interval *now = &p->intervals[p->intervals_len - 1];

	p->changes++;
	summits_add(&p->summits, p->live_bytes, tick, p->changes);
	if (p->live_bytes > now->peak.value)
		now->peak = (struct summit){ .value = p->live_bytes, .when = tick, .ordinal = p->changes };
}

static void born_first(void *self, struct life *life)
{
	struct peaks *p = self;

	p->live_bytes += lives_weight(&p->lives, life).bytes;
	change(p, life->born);
}

static void ended_first(void *self, const struct life *life, const struct life_end *end)
{
	struct peaks *p = self;

	if (end->fate == LIFE_GOES_ON)
		return;
	p->live_bytes -= lives_weight(&p->lives, life).bytes;
	change(p, end->tick);
}

static void on_mark(void *self, const struct pass_event *e)
{
	struct peaks *p = self;

	if (p->intervals_len > MARKS_MAX)
		return;
	p->intervals[p->intervals_len - 1].to = e->tick;
	/* What is alive at the mark is alive in the interval it begins. */
	p->intervals[p->intervals_len++] =
		(struct interval){ .from = e->tick,
				   .name = e->ev->note.name,
				   .peak = { .value = p->live_bytes, .when = e->tick, .ordinal = p->changes } };
}

static void first_pass(struct peaks *p)
{
	p->lives.watcher = (struct life_watcher){ .self = p, .born = born_first, .ended = ended_first };
	p->changes = p->live_bytes = 0;
	p->intervals_len = 1;
}

/* ---- the second pass: who ------------------------------------------------------------------------------------- */

static void look(struct peaks *p)
{
	for (; p->moment < p->moments_len && p->moments[p->moment].at.ordinal == p->changes; p->moment++) {
		struct moment *m = &p->moments[p->moment];

		m->bytes = calloc(p->bytes_len + 1, sizeof(*m->bytes));
		m->blocks = calloc(p->bytes_len + 1, sizeof(*m->blocks));
		if (!m->bytes || !m->blocks) {
			p->lives.failed = true;
			return;
		}
		m->len = p->bytes_len < p->blocks_len ? p->bytes_len : p->blocks_len;
		memcpy(m->bytes, p->bytes, m->len * sizeof(*m->bytes));
		memcpy(m->blocks, p->blocks, m->len * sizeof(*m->blocks));
	}
}

static void count(struct peaks *p, const struct life *life, bool is_birth)
{
	struct weight w = lives_weight(&p->lives, life);
	uint64_t *bytes = list_reach((void **)&p->bytes, &p->bytes_len, life->group, sizeof(*bytes));
	uint64_t *blocks = list_reach((void **)&p->blocks, &p->blocks_len, life->group, sizeof(*blocks));

	if (!bytes || !blocks) {
		p->lives.failed = true;
		return;
	}
	*bytes += is_birth ? w.bytes : -w.bytes;
	*blocks += is_birth ? w.ones : -w.ones;
	p->changes++;
	look(p);
}

static void born_second(void *self, struct life *life)
{
	count(self, life, true);
}

static void ended_second(void *self, const struct life *life, const struct life_end *end)
{
	if (end->fate != LIFE_GOES_ON)
		count(self, life, false);
}

static int by_ordinal(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	return x->at.ordinal < y->at.ordinal ? -1 : x->at.ordinal > y->at.ordinal;
}

/* What the first pass found, in the order in which the second one will come by. */
static void choose_moments(struct peaks *p)
{
	struct summit tops[PEAKS];
	size_t len = summits_highest(&p->summits, tops, PEAKS);

	for (size_t i = 0; i < len; i++)
		if (tops[i].value && tops[i].prominence >= tops[0].value / PROMINENT)
			p->moments[p->moments_len++] = (struct moment){ .at = tops[i] };
	for (size_t i = 0; p->intervals_len > 1 && i < p->intervals_len; i++)
		if (p->intervals[i].peak.value)
			p->moments[p->moments_len++] =
				(struct moment){ .at = p->intervals[i].peak, .interval = &p->intervals[i] };
	if (p->moments_len > 1)
		qsort(p->moments, p->moments_len, sizeof(*p->moments), by_ordinal);
}

static void second_pass(struct peaks *p, struct groups *g)
{
	p->lives = (struct lives){ .watcher = { .self = p, .born = born_second, .ended = ended_second }, .groups = g };
	p->changes = 0;
}

/* ---- the page ------------------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	const struct moment *const *x = a, *const *y = b;

	if (!(*x)->interval != !(*y)->interval)
		return (*x)->interval ? 1 : -1;
	if ((*x)->interval)
		return (*x)->interval < (*y)->interval ? -1 : 1;
	return (*x)->at.value > (*y)->at.value ? -1 : (*x)->at.value < (*y)->at.value;
}

static void row_of(const struct peaks *p, struct table *t, const struct moment *m, size_t number)
{
	struct buf name = { 0 };
	uint64_t blocks = 0;

	for (size_t i = 0; i < m->len; i++)
		blocks += m->blocks[i];
	table_row(t);
	table_number(t, (int64_t)number);
	table_number(t, (int64_t)report_ns(p->r, m->at.when));
	table_number(t, (int64_t)m->at.value);
	table_number(t, (int64_t)weight_count(blocks));
	if (m->interval)
		table_skip(t);
	else
		table_number(t, (int64_t)m->at.prominence);
	if (!m->interval)
		return;
	table_number(t, (int64_t)(m->interval->from ? report_ns(p->r, m->interval->from) : 0));
	table_number(t, (int64_t)report_ns(p->r, m->interval->to ? m->interval->to : p->r->a->rec.end_tick));
	recording_string(&p->r->a->rec, m->interval->name, &name);
	table_text(t, m->interval->name ? buf_string(&name) : "start");
	buf_release(&name);
}

/* Who held it: the largest first. */
static void sites_of(const struct peaks *p, struct table *t, const struct groups *g, const struct moment *m,
		     size_t number)
{
	size_t top = p->r->options->top ? p->r->options->top : SIZE_MAX;
	bool *shown = calloc(g->len + 1, 1);

	for (size_t rows = 0; shown && rows < top; rows++) {
		size_t best = SIZE_MAX;

		for (size_t i = 0; i < g->len && i < m->len; i++)
			if (!shown[i] && m->bytes[i] && (best == SIZE_MAX || m->bytes[i] > m->bytes[best]))
				best = i;
		if (best == SIZE_MAX)
			break;
		shown[best] = true;
		table_row(t);
		table_number(t, (int64_t)number);
		table_number(t, (int64_t)m->bytes[best]);
		table_real(t, (double)m->bytes[best] / (double)m->at.value);
		table_number(t, (int64_t)weight_count(m->blocks[best]));
		groups_cell(g, t, (uint32_t)best);
	}
	t->failed |= !shown;
	free(shown);
}

static void print(const struct peaks *p, const struct groups *g, struct page *page)
{
	struct moment const *order[PEAKS + MARKS_MAX + 1];
	struct table *list = page_table(page, "Peaks", "peaks"), *sites;

	for (size_t i = 0; i < p->moments_len; i++)
		order[i] = &p->moments[i];
	if (p->moments_len > 1)
		qsort(order, p->moments_len, sizeof(*order), by_value);
	table_column(list, "peak", "peak", UNIT_COUNT);
	table_column(list, "at", "at_ns", UNIT_NS);
	table_column(list, "bytes", "bytes", UNIT_BYTES);
	table_column(list, "blocks", "blocks", UNIT_COUNT);
	table_column(list, "prominence", "prominence_bytes", UNIT_BYTES);
	table_column(list, "from", "from_ns", UNIT_NS);
	table_column(list, "to", "to_ns", UNIT_NS);
	table_column(list, "after mark", "mark", UNIT_TEXT);
	sites = page_table(page, "Who held it", "sites");
	table_column(sites, "peak", "peak", UNIT_COUNT);
	table_column(sites, "bytes", "bytes", UNIT_BYTES);
	table_column(sites, "share", "share", UNIT_PERCENT);
	table_column(sites, "blocks", "blocks", UNIT_COUNT);
	groups_column(g, sites, "allocated by", "stack");
	for (size_t i = 0; i < p->moments_len; i++) {
		row_of(p, list, order[i], i + 1);
		sites_of(p, sites, g, order[i], i + 1);
	}
	page_note(page, "prominence: how far the heap shrank before it grew to something higher; peaks of less than a "
			"twentieth of the highest one are left out");
}

int report_heap_peaks(struct report_run *r, struct page *page)
{
	struct peaks *p = calloc(1, sizeof(*p));
	struct pass_sink marks = { .self = p, .on[EV_MARK] = on_mark };
	struct groups groups;
	int err = report_groups(r, BY_PLACE, &groups);

	if (!p)
		err = -ENOMEM;
	if (!err) {
		p->r = r;
		p->lives = (struct lives){ .groups = &groups, .also = { &marks } };
		first_pass(p);
		err = lives_run(&p->lives, r->a);
	}
	if (!err) {
		choose_moments(p);
		second_pass(p, &groups);
		err = lives_run(&p->lives, r->a);
	}
	if (!err) {
		print(p, &groups, page);
		report_sampled_note(r, &p->lives, page);
	}
	for (size_t i = 0; p && i < p->moments_len; i++) {
		free(p->moments[i].bytes);
		free(p->moments[i].blocks);
	}
	if (p) {
		free(p->bytes);
		free(p->blocks);
	}
	free(p);
	groups_release(&groups);
	return err;
}
