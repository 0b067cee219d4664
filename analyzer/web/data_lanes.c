/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "analyzer/symbols/place.h"
#include "analyzer/util/json.h"
#include "analyzer/web/data.h"
#include "format/kinds.h"

struct lanes_json {
	struct json j;
	struct report_run *r;
	const struct web_strips *strips;
};

/* Times of spans are ns since the span before began, so that most are short. */
static void put_begins(struct lanes_json *l, const struct web_longest *spans)
{
	uint64_t last = report_ns(l->r, l->strips->window.from);

	json_key(&l->j, "begin");
	json_begin_array(&l->j);
	for (size_t i = 0; i < spans->len; i++) {
		uint64_t ns = report_ns(l->r, spans->list[i].begin);

		json_u64(&l->j, ns > last ? ns - last : 0);
		last = ns > last ? ns : last;
	}
	json_end(&l->j);
}

static uint64_t length_ns(const struct lanes_json *l, const struct web_span *span)
{
	return report_span_ns(l->r, span->begin, span->end);
}

/* A list of one number of every span. */
#define PUT_LIST(l, spans, key, number)                                                                                \
	do {                                                                                                           \
		json_key(&(l)->j, key);                                                                                \
		json_begin_array(&(l)->j);                                                                             \
		for (size_t i = 0; i < (spans)->len; i++) {                                                            \
			const struct web_span *span = &(spans)->list[i];                                               \
			json_i64(&(l)->j, (int64_t)(number));                                                          \
		}                                                                                                      \
		json_end(&(l)->j);                                                                                     \
	} while (0)

/* all: how many there were; the longest are here. */
static void begin_spans(struct lanes_json *l, const char *key, const struct web_longest *spans)
{
	json_key(&l->j, key);
	json_begin_object(&l->j);
	json_field_u64(&l->j, "all", spans->all);
	put_begins(l, spans);
	PUT_LIST(l, spans, "length", length_ns(l, span));
	PUT_LIST(l, spans, "what", span->what);
}

static void put_types(struct lanes_json *l, const char *key, const struct work_type *types, size_t len)
{
	json_key(&l->j, key);
	json_begin_array(&l->j);
	for (size_t i = 0; i < len; i++) {
		struct buf name = { 0 };

		recording_string(&l->r->a->rec, types[i].name, &name);
		json_string(&l->j, buf_string(&name));
		buf_release(&name);
	}
	json_end(&l->j);
}

/* rest: by row of a thread, columns in percent of short regions that are not here, as distance and percentage. */
static void put_rest(struct lanes_json *l, const struct web_lanes *lanes)
{
	const struct web_strips *s = l->strips;
	double column_ns = (double)report_span_ns(l->r, s->window.from, s->window.to) / WEB_REST_COLUMNS + 1e-9;

	json_field_u64(&l->j, "rest_columns", WEB_REST_COLUMNS);
	json_key(&l->j, "rest");
	json_begin_array(&l->j);
	for (uint32_t i = 0; i < l->r->a->rec.threads_len; i++) {
		unsigned last = 0;

		if (s->row[i] < 0)
			continue;
		json_begin_array(&l->j);
		for (unsigned c = 0; c < WEB_REST_COLUMNS; c++) {
			double percent = (double)lanes->rest[i][c] * 100 / column_ns + 0.5;

			if (percent < 1)
				continue;
			json_u64(&l->j, c - last);
			json_u64(&l->j, percent < 100 ? (uint64_t)percent : 100);
			last = c;
		}
		json_end(&l->j);
	}
	json_end(&l->j);
}

/* A place stands once; waits and wake-ups have its number. */
struct places {
	struct map number_of;
	struct stack_id *list;
	size_t len;
};

static int64_t place_number(struct places *p, struct stack_id stack)
{
	bool is_new = false;
	uint64_t *at = stack.v ? map_at(&p->number_of, stack.v, &is_new) : NULL;

	if (!at)
		return -1;
	if (is_new) {
		*at = p->len;
		p->list[p->len++] = stack;
	}
	return (int64_t)*at;
}

static void put_places(struct lanes_json *l, const struct places *p)
{
	json_key(&l->j, "places");
	json_begin_array(&l->j);
	for (size_t i = 0; i < p->len; i++) {
		struct buf text = { 0 };

		place_name_and_caller(&text, l->r->stacks, p->list[i]);
		json_string(&l->j, buf_string(&text));
		buf_release(&text);
	}
	json_end(&l->j);
}

/* row, waker: numbers of threads, -1: not shown; woken: ns after begin; at, by: places, -1: no stack. */
static void put_wakes(struct lanes_json *l, const struct web_longest *wakes)
{
	struct places places = { .list = calloc(2 * wakes->len + 1, sizeof(*places.list)) };

	map_init(&places.number_of);
	for (size_t i = 0; places.list && i < 2 * wakes->len; i++)
		stacks_want(l->r->stacks, i % 2 ? wakes->list[i / 2].at : wakes->list[i / 2].by);
	begin_spans(l, "wakes", wakes);
	PUT_LIST(l, wakes, "row", l->strips->row[span->thread]);
	PUT_LIST(l, wakes, "waker", l->strips->row[span->waker]);
	PUT_LIST(l, wakes, "woken", span->woken > span->begin ? report_span_ns(l->r, span->begin, span->woken) : 0);
	PUT_LIST(l, wakes, "at", places.list ? place_number(&places, span->at) : -1);
	PUT_LIST(l, wakes, "by", places.list ? place_number(&places, span->by) : -1);
	json_end(&l->j);
	put_places(l, &places);
	map_release(&places.number_of);
	free(places.list);
}

static void put_lanes(struct lanes_json *l, const struct web_lanes *lanes)
{
	put_types(l, "task_types", lanes->working.task_types, lanes->working.task_types_len);
	put_types(l, "region_types", lanes->working.region_types, lanes->working.region_types_len);
	begin_spans(l, "regions", &lanes->regions);
	PUT_LIST(l, &lanes->regions, "row", l->strips->row[span->thread]);
	PUT_LIST(l, &lanes->regions, "depth", span->depth);
	put_rest(l, lanes);
	json_end(&l->j);
	begin_spans(l, "tasks", &lanes->tasks);
	PUT_LIST(l, &lanes->tasks, "id", span->id);
	json_end(&l->j);
	put_wakes(l, &lanes->wakes);
	json_key(&l->j, "waits");
	json_begin_array(&l->j);
	for (unsigned i = 0; i < RSD_WAITS; i++)
		json_string(&l->j, wait_name(i));
	json_end(&l->j);
}

/* ---- durations ------------------------------------------------------------------------------------------------ */

static void series_name(const struct lanes_json *l, const struct web_series *s, struct buf *name)
{
	const struct locks *locks = &l->r->a->locks;

	if (s->group == WEB_LATENCY_WAIT)
		buf_add_string(name, wait_name((unsigned)s->key));
	else if (s->group == WEB_LATENCY_LOCK)
		buf_add_string(name, locks->locks[s->key].name ? locks->locks[s->key].name : "?");
	else
		recording_string(&l->r->a->rec, (uint32_t)s->key, name);
}

/* cells: how far a cell is behind the one before (column times rows plus row), and how many ended in it. */
static void put_cells(struct json *j, const struct web_series *s)
{
	size_t last = 0;

	json_key(j, "cells");
	json_begin_array(j);
	for (size_t c = 0; c < WEB_LATENCY_COLUMNS; c++)
		for (size_t row = 0; row < WEB_LATENCY_ROWS; row++) {
			if (!s->grid[c][row])
				continue;
			json_u64(j, c * WEB_LATENCY_ROWS + row - last);
			json_u64(j, s->grid[c][row]);
			last = c * WEB_LATENCY_ROWS + row;
		}
	json_end(j);
}

static void put_series(struct lanes_json *l, const struct web_series *s)
{
	static const char *const groups[] = { "wait", "lock", "task", "region" };
	static const struct {
		const char *key;
		double percent;
	} percentiles[] = { { "p50_ns", 50 }, { "p90_ns", 90 }, { "p99_ns", 99 }, { "p99_9_ns", 99.9 } };
	struct buf name = { 0 };

	series_name(l, s, &name);
	json_begin_object(&l->j);
	json_field_string(&l->j, "group", groups[s->group]);
	json_field_string(&l->j, "name", buf_string(&name));
	json_field_u64(&l->j, "count", s->durations.count);
	json_field_u64(&l->j, "sum_ns", s->sum_ns);
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		json_field_u64(&l->j, percentiles[i].key, histogram_percentile(&s->durations, percentiles[i].percent));
	json_field_u64(&l->j, "max_ns", s->durations.max);
	put_cells(&l->j, s);
	json_end(&l->j);
	buf_release(&name);
}

static void put_latency(struct lanes_json *l, const struct web_latency *latency)
{
	size_t shown = latency->len < WEB_LATENCY_SERIES ? latency->len : WEB_LATENCY_SERIES;

	json_key(&l->j, "latency");
	json_begin_object(&l->j);
	json_field_u64(&l->j, "columns", WEB_LATENCY_COLUMNS);
	json_field_u64(&l->j, "rows", WEB_LATENCY_ROWS);
	json_field_u64(&l->j, "left_out", latency->len - shown);
	json_key(&l->j, "series");
	json_begin_array(&l->j);
	for (size_t i = 0; i < shown; i++)
		put_series(l, latency->list[i]);
	json_end(&l->j);
	json_end(&l->j);
}

int web_data_lanes(struct web_lanes *lanes, struct web_latency *latency, const struct web_strips *s, FILE *out)
{
	struct lanes_json l = { .r = lanes->r, .strips = s };

	web_latency_order(latency);
	json_init(&l.j, out);
	l.j.is_for_html = true;
	l.j.pretty_depth = 1;
	json_begin_object(&l.j);
	json_field_string(&l.j, "schema", "ringside.html.lanes/1");
	put_lanes(&l, lanes);
	put_latency(&l, latency);
	json_end(&l.j);
	return json_finish(&l.j);
}
