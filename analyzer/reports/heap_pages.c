/* SPDX-License-Identifier: MIT */
/*
 * heap_pages.c - how full the pages of the heap are, at its peak, when most memory was resident, and at the end, and
 * who keeps pages that are nearly empty: a page can't be given back while one block is on it, and the heap of brk can't
 * shrink below its last block.
 *
 * Two passes: the first one finds the moments, the second stops there and looks at every block.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/crest.h"
#include "analyzer/models/occupancy.h"
#include "analyzer/reports/report.h"
#include "analyzer/util/whole.h"

#define TOP_STEPS 10u
#define BRK_REACH (UINT64_C(1) << 40) /* from the program's end: everything else is tens of TiB away */

enum moment { AT_PEAK, AT_RSS_PEAK, AT_END, MOMENTS };

static const struct {
	const char *title, *key, *column, *pages, *pages_key, *occupied_key, *empty_key;
} words[MOMENTS] = {
	[AT_PEAK] = { "Who holds sparse pages at the peak", "at_peak", "at peak", "pages at peak", "peak_pages",
		      "peak_occupied", "peak_empty_bytes" },
	[AT_RSS_PEAK] = { "Who holds sparse pages when most memory is resident", "at_rss_peak", "at RSS peak",
			  "pages at RSS peak", "rss_peak_pages", "rss_peak_occupied", "rss_peak_empty_bytes" },
	[AT_END] = { "Who holds sparse pages at the end", "at_end", "at the end", "pages at the end", "end_pages",
		     "end_occupied", "end_empty_bytes" },
};

struct pages {
	const struct report_run *r;
	struct lives lives;
	struct crest all;
	uint64_t peak_bytes; /* second pass: where to stop */
	bool has_peak;
	uint64_t rss_bytes, rss_tick; /* most that was resident, and when that was read first */
	struct occupancy moments[MOMENTS];
};

/* ---- counting ------------------------------------------------------------------------------------------------- */

static void look(struct pages *p, enum moment moment)
{
	const struct life *life;

	for (size_t at = 0; (life = lives_next(&p->lives, &at));)
		occupancy_add(&p->moments[moment], life->addr, life->size, life->group);
	occupancy_count(&p->moments[moment]);
	p->lives.failed |= p->moments[moment].failed;
}

static void born(void *self, struct life *life)
{
	struct pages *p = self;

	crest_rise_all(&p->all, lives_weight(&p->lives, life), life->born);
	if (!p->peak_bytes || p->has_peak || p->all.live_bytes != p->peak_bytes)
		return;
	p->has_peak = true;
	look(p, AT_PEAK);
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct pages *p = self;

	if (end->fate != LIFE_GOES_ON)
		crest_fall_all(&p->all, lives_weight(&p->lives, life));
}

static void on_memory(void *self, const struct pass_event *e)
{
	struct pages *p = self;
	const struct rec_memory *m = &e->ev->memory;
	/* The recording itself is a mapped file, and grows. */
	uint64_t bytes = m->rss_bytes > m->file_bytes ? m->rss_bytes - m->file_bytes : 0;

	if (bytes <= p->rss_bytes)
		return;
	p->rss_bytes = bytes;
	p->rss_tick = e->tick;
}

/* The last stop is the end. */
static void stopped(void *self, size_t stop)
{
	struct pages *p = self;

	look(p, stop + 1 == p->lives.stops_len ? AT_END : AT_RSS_PEAK);
}

static int count(struct pages *p, struct groups *groups)
{
	struct pass_sink memory = { .self = p, .on[EV_MEMORY] = on_memory };
	uint64_t stops[] = { 0, UINT64_MAX };
	int err;

	p->lives.watcher = (struct life_watcher){ .self = p, .born = born, .ended = ended };
	p->lives.also[0] = &memory;
	err = report_lives(p->r, BY_PLACE, groups, &p->lives);
	if (err)
		return err;
	p->peak_bytes = p->all.peak_bytes;
	p->all = (struct crest){ 0 };
	stops[0] = p->rss_tick;
	p->lives = (struct lives){ .groups = groups,
				   .stops = p->rss_tick ? stops : stops + 1,
				   .stops_len = p->rss_tick ? 2 : 1 };
	p->lives.watcher = (struct life_watcher){ .self = p, .born = born, .ended = ended, .stopped = stopped };
	return lives_run(&p->lives, p->r->a);
}

/* ---- the page ------------------------------------------------------------------------------------------------- */

static double occupied(const struct occupancy *o)
{
	return o->pages ? o->bytes / ((double)o->pages * OCCUPANCY_PAGE) : 0;
}

static bool is_known(const struct pages *p, enum moment moment)
{
	return moment != AT_RSS_PEAK || p->rss_tick;
}

static void print_facts(const struct pages *p, struct page *page)
{
	page_fact(page, "peak after", "peak_ns", UNIT_NS, report_ns(p->r, p->all.peak_tick));
	if (p->rss_tick)
		page_fact(page, "RSS peak after", "rss_peak_ns", UNIT_NS, report_ns(p->r, p->rss_tick));
	for (unsigned i = 0; i < MOMENTS; i++) {
		const struct occupancy *o = &p->moments[i];

		if (!is_known(p, i))
			continue;
		page_fact(page, words[i].pages, words[i].pages_key, UNIT_COUNT, o->pages);
		page_fact_real(page, "occupied", words[i].occupied_key, UNIT_PERCENT, occupied(o));
		page_fact(page, "empty on sparse ones", words[i].empty_key, UNIT_BYTES, whole_u64(o->empty));
	}
}

static int print_places(const struct pages *p, const struct groups *g, enum moment moment, struct page *page)
{
	struct table *t = page_table(page, words[moment].title, words[moment].key);
	const struct occupancy *o = &p->moments[moment];

	table_column(t, "empty", "empty_bytes", UNIT_BYTES);
	table_column(t, "sparse pages", "sparse_pages", UNIT_COUNT);
	table_column(t, "pages", "pages", UNIT_COUNT);
	table_column(t, "alone on", "pages_alone", UNIT_COUNT);
	table_column(t, "blocks", "blocks", UNIT_COUNT);
	table_column(t, "bytes", "bytes", UNIT_BYTES);
	groups_column(g, t, "allocated by", "stack");
	for (uint32_t i = 0; i < o->groups_len && i < g->len; i++) {
		const struct group_pages *of = &o->groups[i];

		if (!of->blocks)
			continue;
		table_row(t);
		table_number(t, whole_i64(of->empty + 0.5));
		table_number(t, (int64_t)of->sparse);
		table_number(t, (int64_t)of->pages);
		table_number(t, (int64_t)of->alone);
		table_number(t, (int64_t)of->blocks);
		table_number(t, (int64_t)of->bytes);
		groups_cell(g, t, i);
	}
	table_sort(t, 2, true);
	return report_order(p->r, t, 0);
}

static void print_bins(const struct pages *p, struct page *page)
{
	struct table *t = page_table(page, "Pages by how full they are", "occupancy");

	table_column(t, "from", "min_share", UNIT_PERCENT);
	table_column(t, "to", "max_share", UNIT_PERCENT);
	for (unsigned m = 0; m < MOMENTS; m++)
		if (is_known(p, m))
			table_column(t, words[m].column, words[m].pages_key, UNIT_COUNT);
	for (unsigned i = 0; i < OCCUPANCY_BINS; i++) {
		table_row(t);
		table_real(t, (double)i / OCCUPANCY_BINS);
		table_real(t, (double)(i + 1) / OCCUPANCY_BINS);
		for (unsigned m = 0; m < MOMENTS; m++)
			if (is_known(p, m))
				table_number(t, (int64_t)p->moments[m].bins[i]);
	}
}

/* The heap of brk begins behind the program. 0: where that is was not recorded. */
static uint64_t brk_begin(const struct recording *rec)
{
	for (size_t i = 0; i < rec->modules.len; i++)
		if (!strcmp(rec->modules.list[i].path, rec->exe))
			return rec->modules.list[i].end;
	return 0;
}

static void print_top(const struct pages *p, const struct groups *g, struct page *page)
{
	struct table *t = page_table(page, "Who holds the top of the heap at the end", "brk_top");
	uint64_t begin = brk_begin(&p->r->a->rec), end = 0;
	struct top_step steps[TOP_STEPS];
	size_t len = begin ? occupancy_top(&p->moments[AT_END], begin, begin + BRK_REACH, steps, TOP_STEPS, &end) : 0;

	table_column(t, "could shrink by", "freed_bytes", UNIT_BYTES);
	table_column(t, "blocks", "blocks", UNIT_COUNT);
	table_column(t, "bytes", "bytes", UNIT_BYTES);
	groups_column(g, t, "without those of", "stack");
	for (size_t i = 0; i < len; i++) {
		table_row(t);
		table_number(t, (int64_t)steps[i].freed);
		table_number(t, (int64_t)steps[i].blocks);
		table_number(t, (int64_t)steps[i].bytes);
		groups_cell(g, t, steps[i].group);
	}
	if (!len)
		return;
	page_fact(page, "top of the heap", "brk_top", UNIT_ADDRESS, end);
	page_note(page,
		  "top of the heap: brk can only be lowered to the last block; each row leaves out the blocks of its "
		  "place and of those above it");
}

int report_heap_pages(struct report_run *r, struct page *page)
{
	struct pages *p = calloc(1, sizeof(*p));
	struct groups groups = { 0 };
	int err;

	if (!p)
		return -ENOMEM;
	p->r = r;
	err = count(p, &groups);
	if (!err) {
		print_facts(p, page);
		for (int i = MOMENTS; i-- > 0 && !err;)
			err = is_known(p, i) ? print_places(p, &groups, i, page) : 0;
		print_bins(p, page);
		print_top(p, &groups, page);
		page_note(page,
			  "pages of %u bytes that have blocks on them, counted with the bytes that were asked for. "
			  "sparse: less than a quarter is in blocks. empty: what is not, charged to the places that "
			  "have blocks on the page in proportion to their bytes.",
			  OCCUPANCY_PAGE);
		if (p->rss_tick)
			page_note(page,
				  "RSS peak: when the recorder, which looks now and then, first saw the most that was "
				  "resident");
		if (p->lives.sampled)
			page_note(page,
				  "only the %" PRIu64 " sampled blocks are known: pages look emptier than they are",
				  p->lives.sampled);
	}
	for (unsigned i = 0; i < MOMENTS; i++)
		occupancy_release(&p->moments[i]);
	free(p);
	groups_release(&groups);
	return err;
}
