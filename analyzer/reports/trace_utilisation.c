/* SPDX-License-Identifier: MIT */
/*
 * trace_utilisation.c - how much of their time threads were on a CPU, in the worst window of each length: the idea of
 * Go's minimum mutator utilisation, for threads and for all that run the same function. A pool at 90 % over the run
 * that stood still for 100 ms somewhere shows 0 % at 100 ms.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"

#define BINS_MAX 65536u
#define BINS_OF_ALL_MAX (1u << 21) /* of all crews together: a damaged recording may know as many as threads */
#define BIN_MIN_NS 100000u

static const uint64_t windows_ns[] = { 1000000, 10000000, 100000000, 1000000000, 10000000000 };
#define WINDOWS (sizeof(windows_ns) / sizeof(windows_ns[0]))

/* The threads of one start routine. */
struct crew {
	uint64_t routine;
	uint32_t first, threads;
	double *busy, *alive; /* by bin, ns: at first by how much it differs from the bin before */
};

struct utilisation {
	struct report_run *r;
	struct report_window window;
	uint64_t bin_ticks, bin_ns;
	size_t bins;
	struct crew *crews;
	size_t len, cap;
	struct map crew_of;
	bool failed;
};

static struct crew *crew_at(struct utilisation *u, uint32_t thread)
{
	uint64_t routine = u->r->a->rec.threads[thread].start_routine;
	bool is_new;
	uint64_t *at = map_at(&u->crew_of, routine, &is_new);
	struct crew *c;

	if (!at || (is_new && list_grow((void **)&u->crews, &u->cap, u->len, sizeof(*u->crews)))) {
		u->failed = true;
		return NULL;
	}
	if (!is_new)
		return &u->crews[*at];
	*at = u->len;
	c = &u->crews[u->len++];
	*c = (struct crew){ .routine = routine,
			    .first = thread,
			    .busy = calloc(u->bins + 1, sizeof(*c->busy)),
			    .alive = calloc(u->bins + 1, sizeof(*c->alive)) };
	u->failed |= !c->busy || !c->alive;
	return u->failed ? NULL : c;
}

static uint64_t bin_begin(const struct utilisation *u, size_t bin)
{
	return u->window.from + bin * u->bin_ticks;
}

/* To bins from..to-1, each what the stretch did between these ticks. */
static void add(struct utilisation *u, struct crew *c, const struct stretch *s, size_t from, size_t to, uint64_t begin,
		uint64_t end)
{
	uint64_t ns[DOINGS] = { 0 };
	double alive = 0;

	stretch_share(s, &u->r->a->rec.clock, begin, end, false, ns);
	for (unsigned d = 0; d < DOINGS; d++)
		alive += (double)ns[d];
	c->busy[from] += (double)ns[DOING_CPU];
	c->busy[to] -= (double)ns[DOING_CPU];
	c->alive[from] += alive;
	c->alive[to] -= alive;
}

/* What lies between its first and its last bin is the same in each: a long stretch costs no more than a short one. */
static void stretch(void *self, const struct stretch *s)
{
	struct utilisation *u = self;
	struct crew *c = s->end > u->window.from && s->begin < u->window.to ? crew_at(u, s->thread) : NULL;
	const bool *chosen = u->r->a->filter.threads;
	uint64_t from, to;
	size_t first, last;

	if (!c || (chosen && !chosen[s->thread]))
		return;
	from = s->begin > u->window.from ? s->begin : u->window.from;
	to = s->end < u->window.to ? s->end : u->window.to;
	if (to <= from)
		return;
	first = (from - u->window.from) / u->bin_ticks;
	last = (to - 1 - u->window.from) / u->bin_ticks;
	if (first == last) {
		add(u, c, s, first, first + 1, from, to);
		return;
	}
	add(u, c, s, first, first + 1, from, bin_begin(u, first + 1));
	add(u, c, s, last, last + 1, bin_begin(u, last), to);
	if (last > first + 1)
		add(u, c, s, first + 1, last, bin_begin(u, first + 1), bin_begin(u, first + 2));
}

/* Steps become what each bin has. */
static void sum_up(const struct utilisation *u, struct crew *c)
{
	for (size_t i = 1; i < u->bins; i++) {
		c->busy[i] += c->busy[i - 1];
		c->alive[i] += c->alive[i - 1];
	}
}

/* The least share of `width` bins in a row during which all of the crew's present threads count. */
static double least(const struct utilisation *u, const struct crew *c, size_t width, size_t *at)
{
	double busy = 0, alive = 0, best = 2;

	for (size_t i = 0; i < u->bins; i++) {
		busy += c->busy[i];
		alive += c->alive[i];
		if (i >= width) {
			busy -= c->busy[i - width];
			alive -= c->alive[i - width];
		}
		/* A window that hangs over the life of the threads is none. */
		if (i + 1 < width || alive < 0.99 * (double)width * (double)u->bin_ns || busy / alive >= best)
			continue;
		best = busy > 0 ? busy / alive : 0;
		*at = i + 1 - width;
	}
	return best;
}

static void rows_of(const struct utilisation *u, struct table *t, const struct crew *c)
{
	double busy = 0, alive = 0;
	struct buf name = { 0 };

	for (size_t i = 0; i < u->bins; i++) {
		busy += c->busy[i];
		alive += c->alive[i];
	}
	report_routine_name(u->r, c->first, &name);
	for (size_t w = 0; w < WINDOWS && alive > 0; w++) {
		size_t width = (size_t)(windows_ns[w] / u->bin_ns), at = 0;
		double share = width ? least(u, c, width, &at) : 2;

		if (share > 1.5)
			continue;
		table_row(t);
		table_text(t, buf_string(&name));
		table_number(t, c->threads);
		table_real(t, busy > 0 ? busy / alive : 0);
		table_number(t, (int64_t)windows_ns[w]);
		table_real(t, share > 1 ? 1 : share);
		table_number(t, (int64_t)report_ns(u->r, u->window.from + at * u->bin_ticks));
	}
	buf_release(&name);
}

static int print(struct utilisation *u, struct page *page)
{
	struct table *t = page_table(page, "Worst windows", "windows");

	for (uint32_t i = 0; i < u->r->a->rec.threads_len; i++) {
		uint64_t at;

		if (recording_thread(&u->r->a->rec, i) &&
		    map_get(&u->crew_of, u->r->a->rec.threads[i].start_routine, &at))
			u->crews[at].threads++;
	}
	table_column(t, "runs", "routine", UNIT_TEXT);
	table_column(t, "threads", "threads", UNIT_COUNT);
	table_column(t, "on average", "mean_share", UNIT_PERCENT);
	table_column(t, "window", "window_ns", UNIT_NS);
	table_column(t, "least", "least_share", UNIT_PERCENT);
	table_column(t, "at", "at_ns", UNIT_NS);
	for (size_t i = 0; i < u->len; i++) {
		sum_up(u, &u->crews[i]);
		rows_of(u, t, &u->crews[i]);
	}
	page_fact(page, "finest step", "bin_ns", UNIT_NS, u->bin_ns);
	page_note(page,
		  "least: the smallest share of a window of this length that its threads were on a CPU, of the time in "
		  "which they were there. `ringside trace --timeline --time A-B` shows what happened at that time");
	if (!u->r->options->order)
		return 0;
	return report_order(u->r, t, 4);
}

static uint64_t most_bins(const struct recording *rec)
{
	struct map routines;
	uint64_t most = BINS_OF_ALL_MAX;

	map_init(&routines);
	for (uint32_t i = 0; i < rec->threads_len; i++) {
		if (map_put(&routines, rec->threads[i].start_routine, i))
			break;
	}
	most /= routines.len + 1;
	map_release(&routines);
	return most < BINS_MAX ? most + 1 : BINS_MAX;
}

static void choose_bins(struct utilisation *u)
{
	const struct recording *rec = &u->r->a->rec;
	uint64_t ns, most = most_bins(rec);

	if (u->window.from < rec->clock.start_tick)
		u->window.from = rec->clock.start_tick;
	if (u->window.to > rec->end_tick)
		u->window.to = rec->end_tick;
	if (u->window.to <= u->window.from)
		u->window.to = u->window.from + 1;
	ns = report_span_ns(u->r, u->window.from, u->window.to);
	u->bin_ns = ns / most + 1 > BIN_MIN_NS ? ns / most + 1 : BIN_MIN_NS;
	u->bin_ticks = clock_tick(&rec->clock, u->bin_ns) - rec->clock.start_tick;
	/* A damaged clock may know more ticks than nanoseconds, or fewer. */
	if (u->bin_ticks <= (u->window.to - u->window.from) / most)
		u->bin_ticks = (u->window.to - u->window.from) / most + 1;
	u->bins = (size_t)((u->window.to - u->window.from) / u->bin_ticks + 1);
}

int report_trace_utilisation(struct report_run *r, struct page *page)
{
	struct utilisation u = { .r = r, .window = report_window(r) };
	struct activity a = { .self = &u, .stretch = stretch };
	int err;

	map_init(&u.crew_of);
	choose_bins(&u);
	err = report_activity(r, &a, NULL);
	err = !err && u.failed ? -ENOMEM : err;
	err = err ? err : print(&u, page);
	for (size_t i = 0; i < u.len; i++) {
		free(u.crews[i].busy);
		free(u.crews[i].alive);
	}
	free(u.crews);
	map_release(&u.crew_of);
	return err;
}
