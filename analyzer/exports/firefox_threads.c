/* SPDX-License-Identifier: MIT */
/* firefox_threads.c - threads of a profile with their columns of samples, markers and allocations, and its counters. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/exports/firefox.h"
#include "analyzer/symbols/place.h"
#include "analyzer/util/list.h"
#include "format/kinds.h"

enum { PHASE_INSTANT = 0, PHASE_INTERVAL = 1, PHASE_BEGIN = 2 };

/* ---- columns -------------------------------------------------------------------------------------------------- */

void firefox_column(struct firefox *f, const char *key)
{
	json_key(&f->j, key);
	json_begin_array(&f->j);
}

static void put_ms(struct firefox *f, uint64_t ns)
{
	json_f64(&f->j, (double)ns / 1e6);
}

void firefox_index(struct firefox *f, uint32_t number)
{
	if (number)
		json_u64(&f->j, number - 1);
	else
		json_null(&f->j);
}

static void put_stack(struct firefox *f, struct stack_id stack)
{
	firefox_index(f, frame_tree_of(&f->tree, stack));
}

/* A column of equal values. */
void firefox_same(struct firefox *f, const char *key, size_t len, const char *value)
{
	firefox_column(f, key);
	for (size_t i = 0; i < len; i++)
		if (!value)
			json_null(&f->j);
		else if (*value == 't' || *value == 'f')
			json_bool(&f->j, *value == 't');
		else
			json_i64(&f->j, strtoll(value, NULL, 10));
	json_end(&f->j);
}

/* ---- markers -------------------------------------------------------------------------------------------------- */

static enum category category_of(const struct marker *m)
{
	const char *domain = wait_domain(m->wait);

	if (m->type != OF_WAIT)
		return OF_NOTES;
	return !strcmp(domain, "lock")	 ? OF_LOCKS
	       : !strcmp(domain, "sync") ? OF_SYNC
	       : !strcmp(domain, "io")	 ? OF_IO
	       : !strcmp(domain, "time") ? OF_TIME
					 : IN_OTHER;
}

static void field_address(struct firefox *f, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_field_string(&f->j, key, text);
}

static void put_wait_fields(struct firefox *f, const struct marker *m)
{
	if (!strcmp(wait_domain(m->wait), "io"))
		json_field_i64(&f->j, "fd", (int64_t)m->object);
	else if (m->object)
		field_address(f, "object", m->object);
	if (m->amount)
		json_field_u64(&f->j, "amount", m->amount);
	if (m->peer)
		json_field_u64(&f->j, "holder", m->peer);
	if (m->err)
		json_field_u64(&f->j, "errno", m->err);
	if (!m->is_unfinished)
		json_field_f64(&f->j, "blocked", (double)m->blocked_ns / 1e6);
}

static void put_note_fields(struct firefox *f, const struct marker *m)
{
	struct buf text = { 0 };
	double value;

	memcpy(&value, &m->amount, sizeof(value));
	if (m->object)
		field_address(f, "task", m->object);
	if (m->type == OF_COUNTER)
		json_field_f64(&f->j, "value", value);
	recording_string(f->rec, m->text, &text);
	if (text.len) {
		json_key(&f->j, "message");
		json_string_n(&f->j, buf_string(&text), text.len);
	}
	f->failed |= text.failed;
	buf_release(&text);
}

static void put_cause(struct firefox *f, const struct marker *m)
{
	uint32_t node = frame_tree_of(&f->tree, m->stack);
	struct buf at = { 0 };

	if (!node)
		return;
	place_name(&at, f->r->stacks, m->stack);
	json_field_string(&f->j, "at", buf_string(&at));
	json_key(&f->j, "cause");
	json_begin_object(&f->j);
	json_field_f64(&f->j, "time", (double)m->begin / 1e6);
	json_field_u64(&f->j, "stack", node - 1);
	json_end(&f->j);
	f->failed |= at.failed;
	buf_release(&at);
}

static void put_marker_data(struct firefox *f, const struct marker *m)
{
	json_begin_object(&f->j);
	json_field_string(&f->j, "type", firefox_types[m->type]);
	if (m->type == OF_WAIT)
		put_wait_fields(f, m);
	else
		put_note_fields(f, m);
	if (m->is_unfinished)
		json_field_string(&f->j, "unfinished", "yes");
	put_cause(f, m);
	json_end(&f->j);
}

static unsigned phase_of(const struct marker *m)
{
	if (m->type == OF_LOG || m->type == OF_MARK || m->type == OF_COUNTER)
		return PHASE_INSTANT;
	return m->is_unfinished ? PHASE_BEGIN : PHASE_INTERVAL;
}

static void put_markers(struct firefox *f, const struct markers *all)
{
	json_key(&f->j, "markers");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", all->len);
	firefox_column(f, "name");
	for (size_t i = 0; i < all->len; i++)
		json_u64(&f->j, all->list[i].name);
	json_end(&f->j);
	firefox_column(f, "startTime");
	for (size_t i = 0; i < all->len; i++)
		put_ms(f, all->list[i].begin);
	json_end(&f->j);
	firefox_column(f, "endTime");
	for (size_t i = 0; i < all->len; i++)
		if (phase_of(&all->list[i]) == PHASE_INTERVAL)
			put_ms(f, all->list[i].end);
		else
			json_null(&f->j);
	json_end(&f->j);
	firefox_column(f, "phase");
	for (size_t i = 0; i < all->len; i++)
		json_u64(&f->j, phase_of(&all->list[i]));
	json_end(&f->j);
	firefox_column(f, "category");
	for (size_t i = 0; i < all->len; i++)
		json_u64(&f->j, category_of(&all->list[i]));
	json_end(&f->j);
	firefox_column(f, "data");
	for (size_t i = 0; i < all->len; i++)
		put_marker_data(f, &all->list[i]);
	json_end(&f->j);
	json_end(&f->j);
}

/* ---- samples and allocations ---------------------------------------------------------------------------------- */

static void put_samples(struct firefox *f, const struct track *t)
{
	json_key(&f->j, "samples");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", t->samples_len);
	json_field_string(&f->j, "weightType", "tracing-ms");
	firefox_column(f, "stack");
	for (size_t i = 0; i < t->samples_len; i++)
		put_stack(f, t->samples[i].stack);
	json_end(&f->j);
	firefox_column(f, "time");
	for (size_t i = 0; i < t->samples_len; i++)
		put_ms(f, t->samples[i].ns);
	json_end(&f->j);
	firefox_column(f, "weight");
	for (size_t i = 0; i < t->samples_len; i++)
		json_f64(&f->j, t->samples[i].weight * firefox_interval_ms(f));
	json_end(&f->j);
	firefox_column(f, "threadCPUDelta");
	for (size_t i = 0; i < t->samples_len; i++) {
		uint64_t before = i ? t->samples[i - 1].cpu_ns : t->samples[0].cpu_ns;

		json_u64(&f->j, t->samples[i].cpu_ns > before ? t->samples[i].cpu_ns - before : 0);
	}
	json_end(&f->j);
	json_end(&f->j);
}

/*
 * A row as the viewer's allocations: what stayed alive, what did not, and its free. Pairs have an address, which is a
 * number of ours: the viewer finds by it what is still alive at the end of the time that is looked at.
 */
struct allocation {
	uint64_t ns, address;
	int64_t bytes;
	struct stack_id stack;
};

static int compare_allocations(const void *a, const void *b)
{
	const struct allocation *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return x->bytes == y->bytes ? 0 : x->bytes > y->bytes ? -1 : 1;
}

static size_t list_allocations(struct firefox *f, const struct track *t, struct allocation *list)
{
	size_t len = 0;

	for (size_t i = 0; i < t->rows_len; i++) {
		const struct heap_row *row = &t->rows[i];

		if (row->bytes > row->freed)
			list[len++] = (struct allocation){ row->first_ns, ++f->addresses,
							   (int64_t)(row->bytes - row->freed), row->stack };
		if (!row->freed)
			continue;
		list[len++] = (struct allocation){ row->first_ns, ++f->addresses, (int64_t)row->freed, row->stack };
		list[len++] = (struct allocation){ row->freed_ns, f->addresses, -(int64_t)row->freed, { 0 } };
	}
	if (len)
		qsort(list, len, sizeof(*list), compare_allocations);
	return len;
}

static void put_allocations(struct firefox *f, const struct track *t, uint32_t tid)
{
	struct allocation *list = calloc(t->rows_len * 3 + 1, sizeof(*list));
	size_t len = list ? list_allocations(f, t, list) : 0;
	char number[16];

	f->failed |= !list;
	snprintf(number, sizeof(number), "%" PRIu32, tid);
	json_key(&f->j, "nativeAllocations");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", len);
	json_field_string(&f->j, "weightType", "bytes");
	firefox_column(f, "time");
	for (size_t i = 0; i < len; i++)
		put_ms(f, list[i].ns);
	json_end(&f->j);
	firefox_column(f, "weight");
	for (size_t i = 0; i < len; i++)
		json_i64(&f->j, list[i].bytes);
	json_end(&f->j);
	firefox_column(f, "stack");
	for (size_t i = 0; i < len; i++)
		put_stack(f, list[i].stack);
	json_end(&f->j);
	firefox_column(f, "memoryAddress");
	for (size_t i = 0; i < len; i++)
		json_u64(&f->j, list[i].address);
	json_end(&f->j);
	firefox_same(f, "threadId", len, number);
	json_end(&f->j);
	free(list);
}

/* ---- threads -------------------------------------------------------------------------------------------------- */

static void put_pid(struct firefox *f)
{
	char text[16];

	snprintf(text, sizeof(text), "%" PRIu32, f->rec->reader.header.pid);
	json_field_string(&f->j, "pid", text);
}

static void field_ms_or_null(struct firefox *f, const char *key, bool is_known, uint64_t tick)
{
	json_key(&f->j, key);
	if (is_known)
		put_ms(f, firefox_ns(f, tick));
	else
		json_null(&f->j);
}

static void put_thread(struct firefox *f, uint32_t i)
{
	const struct rsd_thread *t = recording_thread(f->rec, i);
	char name[sizeof(t->name) + 1] = "";

	memcpy(name, t->name, sizeof(t->name));
	json_begin_object(&f->j);
	json_field_string(&f->j, "name", *name ? name : recording_name(f->rec));
	json_field_bool(&f->j, "isMainThread", t->tid == f->rec->reader.header.pid);
	json_field_string(&f->j, "processType", "default");
	json_field_string(&f->j, "processName", recording_name(f->rec));
	json_field_u64(&f->j, "processStartupTime", 0);
	field_ms_or_null(f, "processShutdownTime", f->rec->reader.header.end_kind, f->rec->end_tick);
	field_ms_or_null(f, "registerTime", true, t->start_tick);
	field_ms_or_null(f, "unregisterTime", t->end_tick, t->end_tick);
	json_field_bool(&f->j, "showMarkersInTimeline", true);
	firefox_column(f, "pausedRanges");
	json_end(&f->j);
	put_pid(f);
	json_field_u64(&f->j, "tid", t->tid);
	put_samples(f, &f->tracks[i]);
	put_markers(f, &f->tracks[i].waits);
	if (f->tracks[i].rows_len)
		put_allocations(f, &f->tracks[i], t->tid);
	json_end(&f->j);
}

void firefox_threads(struct firefox *f)
{
	firefox_column(f, "threads");
	for (uint32_t i = 0; i < f->rec->threads_len; i++)
		if (recording_thread(f->rec, i) && (!f->r->a->filter.threads || f->r->a->filter.threads[i]))
			put_thread(f, i);
	json_end(&f->j);
}

/* ---- counters ------------------------------------------------------------------------------------------------- */

static void put_display(struct firefox *f, const char *label, const char *color, unsigned order)
{
	json_key(&f->j, "display");
	json_begin_object(&f->j);
	json_field_string(&f->j, "graphType", "line-accumulated");
	json_field_string(&f->j, "unit", "bytes");
	json_field_string(&f->j, "color", color);
	json_field_string(&f->j, "markerSchemaLocation", NULL);
	json_field_u64(&f->j, "sortWeight", order);
	json_field_string(&f->j, "label", label);
	firefox_column(f, "tooltipRows");
	json_begin_object(&f->j);
	json_field_string(&f->j, "type", "value");
	json_field_string(&f->j, "source", "accumulated");
	json_key(&f->j, "format");
	json_begin_object(&f->j);
	json_field_string(&f->j, "unit", "bytes");
	json_end(&f->j);
	json_field_string(&f->j, "label", label);
	json_end(&f->j);
	json_end(&f->j);
	json_end(&f->j);
}

/* Values of a curve: each part of the time has its highest and its last one. */
struct point {
	uint64_t ns, bytes;
};

static size_t list_points(const struct curve *c, struct point *list)
{
	size_t len = 0;

	for (size_t i = 0; i < c->len; i++) {
		const struct curve_point *p = &c->points[i];

		if (!p->is_set)
			continue;
		list[len++] = (struct point){ p->top_ns, p->top_bytes };
		if (p->last_ns > p->top_ns)
			list[len++] = (struct point){ p->last_ns, p->last_bytes };
	}
	return len;
}

/* A sample of a counter is what it grew by. */
static void put_counter(struct firefox *f, const struct curve *c, const char *name, const char *label,
			const char *color, unsigned order)
{
	struct point list[2 * CURVE_POINTS];
	size_t len = list_points(c, list);

	if (!len)
		return;
	json_begin_object(&f->j);
	json_field_string(&f->j, "name", name);
	json_field_string(&f->j, "category", "Memory");
	json_field_string(&f->j, "description", label);
	put_pid(f);
	json_field_u64(&f->j, "mainThreadIndex", 0);
	json_key(&f->j, "samples");
	json_begin_object(&f->j);
	json_field_u64(&f->j, "length", len);
	firefox_column(f, "time");
	for (size_t i = 0; i < len; i++)
		put_ms(f, list[i].ns);
	json_end(&f->j);
	firefox_column(f, "count");
	for (size_t i = 0; i < len; i++)
		json_i64(&f->j, (int64_t)(list[i].bytes - (i ? list[i - 1].bytes : 0)));
	json_end(&f->j);
	json_end(&f->j);
	put_display(f, label, color, order);
	json_end(&f->j);
}

void firefox_counters(struct firefox *f)
{
	firefox_column(f, "counters");
	put_counter(f, &f->heap, "heap", "Heap: live bytes", "orange", 20);
	put_counter(f, &f->rss, "rss", "Resident memory", "grey", 21);
	put_counter(f, &f->rss_most, "rss-most", "Most resident memory so far", "grey", 22);
	json_end(&f->j);
}
