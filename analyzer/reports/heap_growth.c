/* SPDX-License-Identifier: MIT */
/*
 * heap_growth.c - which places grow, told from those that have only filled up, before the program ends.
 *
 * The time is cut into POINTS equal stretches. Of each place and stretch the lowest number of live bytes is kept, its
 * floor: what comes and goes within a stretch is not there, what is never freed stays. A leak raises the floor to the
 * end, a cache until it is full. The words come from the second half of a place's time, see verdict_of; they describe
 * the recorded time, and a cache that fills slowly enough looks like a leak in it.
 *
 * Memory: a row of POINTS numbers for each place.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "analyzer/util/trend.h"
#include "analyzer/util/whole.h"

#define POINTS 64u
#define YOUNG 16u   /* points: fewer say nothing */
#define SURE 0.01   /* probability of a trend by chance */
#define LEVEL 0.05  /* of the largest floor: less is no rise unless nothing ever falls */
#define SLOWER 0.25 /* late slope to early slope: less is levelling off */
#define RISES 4u    /* a rise is made of at least so many */
#define GONE 8u	    /* one in so many stretches with next to nothing, at the end: it is over */
#define TEETH 3u    /* drops by a third of the largest floor */
#define COURSE_CHARS 16u

enum verdict { GROWS, STEPS, SAW_TOOTH, SHRINKS, COMES_AND_GOES, LEVELLED_OFF, STEADY, YOUNG_YET };

static const char *const words[] = { [GROWS] = "grows steadily",
				     [STEPS] = "grows in steps",
				     [SAW_TOOTH] = "saw-tooth",
				     [SHRINKS] = "shrinks",
				     [COMES_AND_GOES] = "comes and goes",
				     [LEVELLED_OFF] = "levelled off",
				     [STEADY] = "steady",
				     [YOUNG_YET] = "too young" };

struct course {
	uint64_t live_blocks, live_bytes; /* blocks: WEIGHT_ONEths */
	uint64_t floor;			  /* lowest live_bytes since the last stop */
	double floors[POINTS];
	/* After the pass. */
	enum verdict verdict;
	double chance, slope; /* of the late half; bytes per stretch */
	double max;
	uint32_t group;
};

struct growth {
	const struct report_run *r;
	struct lives lives;
	struct course all;
	struct course *places; /* by group */
	size_t places_len;
	uint64_t stops[POINTS];
	uint64_t from, to; /* ticks */
};

/* ---- counting ------------------------------------------------------------------------------------------------- */

static void fall(struct course *c, struct weight w)
{
	c->live_blocks -= w.ones;
	c->live_bytes -= w.bytes;
	if (c->live_bytes < c->floor)
		c->floor = c->live_bytes;
}

static void born(void *self, struct life *life)
{
	struct growth *g = self;
	struct weight w = lives_weight(&g->lives, life);
	struct course *c = list_reach((void **)&g->places, &g->places_len, life->group, sizeof(*c));

	if (!c) {
		g->lives.failed = true;
		return;
	}
	c->live_blocks += w.ones;
	c->live_bytes += w.bytes;
	g->all.live_blocks += w.ones;
	g->all.live_bytes += w.bytes;
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct growth *g = self;
	struct weight w = lives_weight(&g->lives, life);

	if (end->fate == LIFE_GOES_ON || life->group >= g->places_len)
		return;
	fall(&g->places[life->group], w);
	fall(&g->all, w);
}

static void note_floor(struct course *c, size_t stop)
{
	c->floors[stop] = (double)c->floor;
	c->floor = c->live_bytes;
}

static void stopped(void *self, size_t stop)
{
	struct growth *g = self;

	note_floor(&g->all, stop);
	for (size_t i = 0; i < g->places_len; i++)
		note_floor(&g->places[i], stop);
}

/* When the recording has no end of its own, it is found by reading it once. */
static int set_stops(struct growth *g)
{
	struct analysis *a = g->r->a;
	const struct pass_filter *f = &a->filter;
	int err = a->rec.reader.header.end.tick ? 0 : analysis_pass(a, NULL, 0);

	g->from = clock_tick(&a->rec.clock, f->from_ns);
	g->to = f->to_ns ? clock_tick(&a->rec.clock, f->to_ns) : a->rec.end_tick;
	if (g->to > a->rec.end_tick)
		g->to = a->rec.end_tick;
	if (g->to < g->from)
		g->to = g->from;
	for (unsigned i = 0; i < POINTS; i++)
		g->stops[i] = g->from + whole_u64((double)(g->to - g->from) * (i + 1) / POINTS);
	g->stops[POINTS - 1] = UINT64_MAX; /* told at the end, whatever comes */
	g->lives.stops = g->stops;
	g->lives.stops_len = POINTS;
	return err;
}

/* ---- verdicts ------------------------------------------------------------------------------------------------- */

/* How values go up and down from one to the next. */
struct moves {
	double up, down, largest;
	unsigned ups, teeth;
};

static struct moves moves_of(const double *y, size_t len, double tooth)
{
	struct moves m = { 0 };

	for (size_t i = 1; i < len; i++) {
		double by = y[i] - y[i - 1];

		if (by > 0) {
			m.up += by;
			m.ups++;
			if (by > m.largest)
				m.largest = by;
		} else {
			m.down -= by;
			m.teeth += -by >= tooth;
		}
	}
	return m;
}

static bool is_saw(const struct moves *all)
{
	return all->teeth >= TEETH && all->down >= all->up / 2;
}

/*
 * The late half rises: for certain, and not as something does that only wanders about. Where little falls, that is seen
 * from the moves; else the test has to say so with the floors' likeness to their neighbours taken into account.
 */
static bool is_rising(const struct course *c, const struct moves *moves, const double *late, size_t len, long sign)
{
	bool is_much = c->slope * (double)(len - 1) >= LEVEL * c->max;

	if (c->chance >= SURE || sign <= 0 || c->slope <= 0)
		return false;
	if (moves->down <= moves->up / 2)
		return is_much || moves->down <= moves->up / 10;
	return is_much && trend_test(late, len, trend_related(late, len, c->slope), &sign) < SURE;
}

static bool is_falling(const struct course *c, const struct moves *moves, const double *late, size_t len, long sign)
{
	if (c->chance >= SURE || sign >= 0 || -c->slope * (double)(len - 1) < LEVEL * c->max)
		return false;
	return moves->up <= moves->down / 2 || trend_test(late, len, trend_related(late, len, c->slope), &sign) < SURE;
}

static bool is_even(const struct moves *late)
{
	return late->ups >= RISES && late->largest <= late->up / 2;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double median(const double *y, size_t len)
{
	double sorted[POINTS];

	memcpy(sorted, y, len * sizeof(*y));
	qsort(sorted, len, sizeof(sorted[0]), compare);
	return sorted[len / 2];
}

/* From the first floor above 0 to the last that is not next to nothing: y[len], cut into two halves. */
static enum verdict verdict_of(struct course *c, const double *y, size_t len)
{
	size_t half = len / 2;
	const double *late = y + len - half;
	struct moves all = moves_of(y, len, c->max / 3), moves = moves_of(late, half, c->max);
	double early_slope = trend_slope(y, half);
	long sign;

	c->slope = trend_slope(late, half);
	c->chance = trend_test(late, half, 0, &sign);
	if (is_saw(&all))
		return SAW_TOOTH;
	if (is_rising(c, &moves, late, half, sign)) {
		if (c->slope < SLOWER * early_slope)
			return LEVELLED_OFF;
		return is_even(&moves) ? GROWS : STEPS;
	}
	if (is_falling(c, &moves, late, half, sign))
		return SHRINKS;
	if (all.down >= c->max / 2)
		return COMES_AND_GOES;
	return y[0] < (1 - LEVEL) * median(late, half) ? LEVELLED_OFF : STEADY;
}

/*
 * Programs free what they have when they end: the last stretch says nothing, nor do a few before it when next to
 * nothing is left. More of them mean that the program went on without.
 */
static enum verdict verdict_before_the_end(struct course *c, const double *y, size_t len)
{
	size_t gone = 0;

	while (gone < len && y[len - 1 - gone] < LEVEL * c->max)
		gone++;
	if (len < YOUNG)
		return YOUNG_YET;
	return gone > len / GONE ? COMES_AND_GOES : verdict_of(c, y, len - gone);
}

static void judge(struct course *c)
{
	size_t first = 0;

	c->chance = 1;
	for (size_t i = 0; i < POINTS; i++)
		if (c->floors[i] > c->max)
			c->max = c->floors[i];
	while (first < POINTS && c->floors[first] <= 0)
		first++;
	if (first < POINTS)
		c->verdict = verdict_before_the_end(c, c->floors + first, POINTS - 1 - first);
}

/* ---- the page ------------------------------------------------------------------------------------------------- */

static double stretch_ns(const struct growth *g)
{
	return (double)report_span_ns(g->r, g->from, g->to) / POINTS;
}

static double per_hour(const struct growth *g, const struct course *c)
{
	double ns = stretch_ns(g);

	return ns > 0 ? c->slope * 3600e9 / ns : 0;
}

/* The floors as a row of characters, each the largest of its few points. */
static const char *spell(char out[COURSE_CHARS + 1], const struct course *c)
{
	static const char levels[] = " .:-=+*#%@";

	for (unsigned i = 0; i < COURSE_CHARS; i++) {
		double most = 0;

		for (unsigned k = i * POINTS / COURSE_CHARS; k < (i + 1) * POINTS / COURSE_CHARS; k++)
			if (c->floors[k] > most)
				most = c->floors[k];
		out[i] = levels[c->max > 0 ? (unsigned)whole_u64(most / c->max * 9 + 0.999) % 10 : 0];
	}
	out[COURSE_CHARS] = 0;
	return out;
}

static int by_urgency(const void *a, const void *b)
{
	const struct course *x = a, *y = b;

	if ((x->verdict == GROWS) != (y->verdict == GROWS))
		return x->verdict == GROWS ? -1 : 1;
	if (x->verdict == GROWS && x->slope != y->slope)
		return x->slope > y->slope ? -1 : 1;
	if (x->max != y->max)
		return x->max > y->max ? -1 : 1;
	return x->group < y->group ? -1 : x->group > y->group;
}

static void put_row(const struct growth *g, const struct groups *groups, struct table *t, const struct course *c)
{
	char course[COURSE_CHARS + 1];

	table_row(t);
	table_text(t, words[c->verdict]);
	if (c->verdict == GROWS || c->verdict == STEPS)
		table_number(t, whole_i64(per_hour(g, c)));
	else
		table_skip(t);
	if (c->verdict == YOUNG_YET)
		table_skip(t);
	else
		table_real(t, c->chance);
	table_number(t, whole_i64(c->max));
	table_number(t, (int64_t)weight_count(c->live_blocks));
	table_number(t, (int64_t)c->live_bytes);
	table_text(t, spell(course, c));
	groups_cell(groups, t, c->group);
}

static int print(struct growth *g, const struct groups *groups, struct page *page)
{
	struct table *t = page_table(page, "By place of allocation", "places");
	size_t len = g->places_len < groups->len ? g->places_len : groups->len, passing = 0;

	table_column(t, "verdict", "verdict", UNIT_TEXT);
	table_column(t, "per hour", "bytes_per_hour", UNIT_BYTES);
	table_column(t, "by chance", "chance", UNIT_PERCENT);
	table_column(t, "most", "max_bytes", UNIT_BYTES);
	table_column(t, "blocks at end", "alive", UNIT_COUNT);
	table_column(t, "bytes at end", "alive_bytes", UNIT_BYTES);
	table_column(t, "course", "course", UNIT_TEXT);
	groups_column(groups, t, "allocated by", "stack");
	for (size_t i = 0; i < len; i++) {
		g->places[i].group = (uint32_t)i;
		judge(&g->places[i]);
		passing += g->places[i].max <= 0;
	}
	if (len)
		qsort(g->places, len, sizeof(*g->places), by_urgency);
	for (size_t i = 0; i < len; i++)
		if (g->places[i].max > 0)
			put_row(g, groups, t, &g->places[i]);
	if (passing)
		page_note(page, "of %zu more places nothing stays longer than a stretch", passing);
	if (g->r->options->order)
		return report_order(g->r, t, 3);
	if (g->r->options->top)
		table_cut(t, g->r->options->top);
	return 0;
}

static void print_whole(struct growth *g, struct page *page)
{
	judge(&g->all);
	page_fact_text(page, "the heap", "verdict", words[g->all.verdict]);
	if (g->all.verdict == GROWS || g->all.verdict == STEPS)
		page_fact(page, "per hour", "bytes_per_hour", UNIT_BYTES, whole_u64(per_hour(g, &g->all)));
	else
		page_fact_text(page, "per hour", "bytes_per_hour", NULL);
	page_fact(page, "a stretch is", "stretch_ns", UNIT_NS, whole_u64(stretch_ns(g)));
}

int report_heap_growth(struct report_run *r, struct page *page)
{
	struct growth *g = calloc(1, sizeof(*g));
	struct groups groups = { 0 };
	int err;

	if (!g)
		return -ENOMEM;
	g->r = r;
	g->lives.watcher = (struct life_watcher){ .self = g, .born = born, .ended = ended, .stopped = stopped };
	err = set_stops(g);
	err = err ? err : report_lives(r, BY_PLACE, &groups, &g->lives);
	if (!err) {
		print_whole(g, page);
		err = print(g, &groups, page);
		page_note(page,
			  "judged by the floors of %u stretches: the least that was live in each. grows steadily: the "
			  "second half rises by many steps, at least a quarter as fast as the first. per hour: if it "
			  "goes on so. by chance: how likely such a rise or fall is without a trend.",
			  POINTS);
		report_sampled_note(r, &g->lives, page);
	}
	free(g->places);
	free(g);
	groups_release(&groups);
	return err;
}
