/* SPDX-License-Identifier: MIT */
/*
 * heap_timeline.c - the heap over time: live bytes and blocks, how fast blocks are made, and beside them what the
 * process holds of memory in all, as far as the recorder has looked.
 *
 * Nobody knows how long a recording is before it was read to its end. Points begin with very short times; when there
 * are too many, each two become one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/reports/report.h"
#include "analyzer/util/whole.h"

#define POINTS_MOST 256u /* at least half of them in the end */
#define FIRST_WIDTH_NS 1000u

/* What happened in one part of the time, and how it stood at its end. */
struct point {
	bool has_live, has_memory, has_mapped;
	uint64_t peak_bytes, live_bytes, allocated_bytes;
	uint64_t live_ones, allocated_ones;  /* WEIGHT_ONEths */
	uint64_t rss_bytes, file_bytes, brk; /* of the last reading */
	uint64_t mapped_bytes;
};

struct timeline {
	const struct report_run *r;
	struct lives lives;
	uint64_t begin_ns, width_ns;
	struct point points[POINTS_MOST];
	size_t len;
	/* Now, while a pass runs. */
	uint64_t bytes, ones, mapped;
	/* Of the whole. */
	uint64_t peak_bytes, peak_ns, peak_ones, allocated_ones, allocated_bytes;
	uint64_t rss_peak, rss_peak_ns, first_brk;
	bool has_memory, has_most, has_mapped;
};

/* ---- points --------------------------------------------------------------------------------------------------- */

static struct point both(const struct point *a, const struct point *b)
{
	struct point p = *b;

	p.peak_bytes = a->peak_bytes > b->peak_bytes ? a->peak_bytes : b->peak_bytes;
	p.allocated_bytes += a->allocated_bytes;
	p.allocated_ones += a->allocated_ones;
	if (!b->has_live) {
		p.live_bytes = a->live_bytes;
		p.live_ones = a->live_ones;
	}
	if (!b->has_memory) {
		p.rss_bytes = a->rss_bytes;
		p.file_bytes = a->file_bytes;
		p.brk = a->brk;
	}
	if (!b->has_mapped)
		p.mapped_bytes = a->mapped_bytes;
	p.has_live |= a->has_live;
	p.has_memory |= a->has_memory;
	p.has_mapped |= a->has_mapped;
	return p;
}

static void halve(struct timeline *t)
{
	for (size_t i = 0; i < POINTS_MOST / 2; i++)
		t->points[i] = both(&t->points[2 * i], &t->points[2 * i + 1]);
	memset(t->points + POINTS_MOST / 2, 0, POINTS_MOST / 2 * sizeof(t->points[0]));
	t->len = (t->len + 1) / 2;
	t->width_ns *= 2;
}

static struct point *point_at(struct timeline *t, uint64_t tick)
{
	uint64_t ns = report_ns(t->r, tick), at;

	ns = ns > t->begin_ns ? ns - t->begin_ns : 0;
	while ((at = ns / t->width_ns) >= POINTS_MOST)
		halve(t);
	if (at >= t->len)
		t->len = at + 1;
	return &t->points[at];
}

/* ---- blocks --------------------------------------------------------------------------------------------------- */

static void stand(struct timeline *t, uint64_t tick)
{
	struct point *p = point_at(t, tick);

	p->has_live = true;
	p->live_bytes = t->bytes;
	p->live_ones = t->ones;
	if (t->bytes > p->peak_bytes)
		p->peak_bytes = t->bytes;
	if (t->ones > t->peak_ones)
		t->peak_ones = t->ones;
	if (t->bytes > t->peak_bytes) {
		t->peak_bytes = t->bytes;
		t->peak_ns = report_ns(t->r, tick);
	}
}

static void born(void *self, struct life *life)
{
	struct timeline *t = self;
	struct weight w = lives_weight(&t->lives, life);
	struct point *p = point_at(t, life->born);

	p->allocated_bytes += w.bytes;
	p->allocated_ones += w.ones;
	t->allocated_bytes += w.bytes;
	t->allocated_ones += w.ones;
	t->bytes += w.bytes;
	t->ones += w.ones;
	stand(t, life->born);
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct timeline *t = self;
	struct weight w = lives_weight(&t->lives, life);

	if (end->fate == LIFE_GOES_ON)
		return;
	t->bytes -= w.bytes < t->bytes ? w.bytes : t->bytes;
	t->ones -= w.ones < t->ones ? w.ones : t->ones;
	stand(t, end->tick);
}

/* ---- the rest of the process ---------------------------------------------------------------------------------- */

static void on_memory(void *self, const struct pass_event *e)
{
	struct timeline *t = self;
	const struct rec_memory *memory = &e->ev->memory;
	struct point *p = point_at(t, e->tick);

	if (!t->has_memory)
		t->first_brk = memory->brk;
	t->has_memory = p->has_memory = true;
	t->has_most |= memory->flags & RSD_MEMORY_MOST;
	p->rss_bytes = memory->rss_bytes;
	p->file_bytes = memory->file_bytes;
	p->brk = memory->brk;
	if (memory->rss_bytes > t->rss_peak) {
		t->rss_peak = memory->rss_bytes;
		t->rss_peak_ns = report_ns(t->r, e->tick);
	}
}

static void map(struct timeline *t, uint64_t tick)
{
	struct point *p = point_at(t, tick);

	t->has_mapped = p->has_mapped = true;
	p->mapped_bytes = t->mapped;
}

static void on_map(void *self, const struct pass_event *e)
{
	struct timeline *t = self;

	t->mapped += e->ev->alloc.size;
	map(t, e->tick);
}

static void on_unmap(void *self, const struct pass_event *e)
{
	struct timeline *t = self;
	uint64_t size = e->ev->pages.size;

	t->mapped -= size < t->mapped ? size : t->mapped;
	map(t, e->tick);
}

/* To the end, and what did not change in a point is what it was before. */
static void finish(struct timeline *t)
{
	uint64_t end = t->r->a->rec.end_tick;
	struct point before = { 0 };

	if (!t->r->a->filter.to_ns && report_ns(t->r, end) > t->begin_ns)
		point_at(t, end);
	for (size_t i = 0; i < t->len; i++) {
		struct point *p = &t->points[i];

		if (before.live_bytes > p->peak_bytes)
			p->peak_bytes = before.live_bytes;
		*p = both(&before, p);
		before = *p;
		before.peak_bytes = before.allocated_bytes = before.allocated_ones = 0;
	}
}

/* ---- the page ------------------------------------------------------------------------------------------------- */

static uint64_t per_second(const struct timeline *t, uint64_t ones)
{
	return whole_u64((double)weight_count(ones) * 1e9 / (double)t->width_ns);
}

static void put_point(struct table *table, const struct timeline *t, size_t i)
{
	const struct point *p = &t->points[i];
	uint64_t brk = p->brk > t->first_brk ? p->brk - t->first_brk : 0;

	table_row(table);
	table_number(table, (int64_t)(t->begin_ns + i * t->width_ns));
	table_number(table, (int64_t)p->live_bytes);
	table_number(table, (int64_t)p->peak_bytes);
	table_number(table, (int64_t)weight_count(p->live_ones));
	table_number(table, (int64_t)weight_count(p->allocated_ones));
	table_number(table, (int64_t)p->allocated_bytes);
	for (int k = 0; k < 3; k++) {
		uint64_t memory[] = { p->rss_bytes, p->file_bytes, brk };

		if (p->has_memory)
			table_number(table, (int64_t)memory[k]);
		else
			table_skip(table);
	}
	if (p->has_mapped)
		table_number(table, (int64_t)p->mapped_bytes);
}

static void put_points(const struct timeline *t, struct page *page)
{
	struct table *table = page_table(page, "Points", "points");

	table->is_data = true;
	table_column(table, "from", "ns", UNIT_NS);
	table_column(table, "live bytes", "live_bytes", UNIT_BYTES);
	table_column(table, "peak bytes", "peak_bytes", UNIT_BYTES);
	table_column(table, "live blocks", "live_blocks", UNIT_COUNT);
	table_column(table, "allocations", "allocations", UNIT_COUNT);
	table_column(table, "allocated", "allocated_bytes", UNIT_BYTES);
	table_column(table, "RSS", "rss_bytes", UNIT_BYTES);
	table_column(table, "of files", "file_bytes", UNIT_BYTES);
	table_column(table, "data segment", "brk_bytes", UNIT_BYTES);
	table_column(table, "mapped", "mapped_bytes", UNIT_BYTES);
	for (size_t i = 0; i < t->len; i++)
		put_point(table, t, i);
}

static void put_mark(const struct timeline *t, struct page *page, uint64_t value, uint64_t ns)
{
	char number[RENDER_NUMBER_MAX], moment[RENDER_NUMBER_MAX], text[2 * RENDER_NUMBER_MAX + 8];

	snprintf(text, sizeof(text), "%s at %s", render_bytes(number, (int64_t)value),
		 render_duration(moment, (int64_t)ns));
	page_spark_mark(page, (ns - t->begin_ns) / t->width_ns, text);
}

static void put_lines(const struct timeline *t, struct page *page)
{
	uint64_t values[5][POINTS_MOST];

	for (size_t i = 0; i < t->len; i++) {
		const struct point *p = &t->points[i];

		values[0][i] = p->peak_bytes;
		values[1][i] = weight_count(p->live_ones);
		values[2][i] = per_second(t, p->allocated_ones);
		values[3][i] = p->rss_bytes;
		values[4][i] = p->mapped_bytes;
	}
	page_spark(page, "live bytes", UNIT_BYTES, values[0], t->len);
	if (t->peak_bytes)
		put_mark(t, page, t->peak_bytes, t->peak_ns);
	page_spark(page, "live blocks", UNIT_COUNT, values[1], t->len);
	page_spark(page, "allocations/s", UNIT_COUNT, values[2], t->len);
	if (t->has_memory) {
		page_spark(page, "RSS", UNIT_BYTES, values[3], t->len);
		put_mark(t, page, t->rss_peak, t->rss_peak_ns);
	}
	if (t->has_mapped)
		page_spark(page, "mapped", UNIT_BYTES, values[4], t->len);
}

static void print(const struct timeline *t, struct page *page)
{
	page_fact(page, "most live bytes", "peak_bytes", UNIT_BYTES, t->peak_bytes);
	page_fact(page, "at", "peak_ns", UNIT_NS, t->peak_ns);
	page_fact(page, "most live blocks", "peak_blocks", UNIT_COUNT, weight_count(t->peak_ones));
	page_fact(page, "live at the end", "live_bytes", UNIT_BYTES, t->bytes);
	page_fact(page, "allocations", "allocations", UNIT_COUNT, weight_count(t->allocated_ones));
	page_fact(page, "allocated", "allocated_bytes", UNIT_BYTES, t->allocated_bytes);
	if (t->has_memory) {
		page_fact(page, "most resident (RSS)", "rss_peak_bytes", UNIT_BYTES, t->rss_peak);
		page_fact(page, "RSS peak at", "rss_peak_ns", UNIT_NS, t->rss_peak_ns);
	}
	page_fact(page, "a point covers", "point_ns", UNIT_NS, t->width_ns);
	put_lines(t, page);
	put_points(t, page);
	if (t->has_memory)
		page_note(page, "RSS is that of the process with the recorder in it, read while it runs, at most every "
				"10ms.");
	else
		page_note(page,
			  "what the process holds besides the heap was not read: that comes with CPU samples (cpu=99)");
	if (t->has_most)
		page_note(page, "while the process had several threads, RSS is the most that it was so far; -t rss=1 "
				"notes it as it is.");
	if (t->has_mapped)
		page_note(page, "mapped: by the program's own calls of mmap, without those of libc for threads and for "
				"malloc.");
	report_sampled_note(t->r, &t->lives, page);
}

int report_heap_timeline(struct report_run *r, struct page *page)
{
	struct timeline *t = calloc(1, sizeof(*t));
	const struct pass_sink memory = {
		.self = t,
		.on = { [EV_MEMORY] = on_memory, [EV_PAGES_MAP] = on_map, [EV_PAGES_UNMAP] = on_unmap },
	};
	struct groups groups;
	int err;

	if (!t)
		return -ENOMEM;
	t->r = r;
	t->begin_ns = r->a->filter.from_ns;
	t->width_ns = FIRST_WIDTH_NS;
	t->lives.watcher = (struct life_watcher){ .self = t, .born = born, .ended = ended };
	t->lives.also[0] = &memory;
	err = report_lives(r, BY_PLACE, &groups, &t->lives);
	if (!err) {
		finish(t);
		print(t, page);
	}
	groups_release(&groups);
	free(t);
	return err;
}
