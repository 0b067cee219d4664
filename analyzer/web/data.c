/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "analyzer/util/json.h"
#include "analyzer/web/data.h"
#include "analyzer/web/page.h"

#define NAME_MOST 1000u /* bytes of a function's name */

static void begin(struct json *j, FILE *out)
{
	json_init(j, out);
	j->is_for_html = true;
	j->pretty_depth = 1;
}

static void begin_array(struct json *j, const char *key)
{
	json_key(j, key);
	json_begin_array(j);
}

/* ---- the tree ------------------------------------------------------------------------------------------------- */

static void put_name(struct json *j, const char *name)
{
	size_t len = strlen(name), cut = NAME_MOST;
	char text[NAME_MOST + 8];

	if (len <= NAME_MOST) {
		json_string(j, name);
		return;
	}
	while (cut > NAME_MOST - 4 && ((unsigned char)name[cut] & 0xc0) == 0x80)
		cut--;
	memcpy(text, name, cut);
	memcpy(text + cut, "...", 4);
	json_string(j, text);
}

/* Modules and files are few: each once, and by number from then on. */
struct names {
	struct map number_of; /* interned text -> number */
	const char **list;
	size_t len;
};

static void names_collect(struct names *n, const struct web_tree *t, bool is_file)
{
	map_init(&n->number_of);
	n->list = calloc(t->frames_len + 1, sizeof(*n->list));
	for (size_t i = 0; n->list && i < t->frames_len; i++) {
		const char *text = is_file ? t->frames[i].file : t->frames[i].module;
		bool is_new = false;
		uint64_t *at = text ? map_at(&n->number_of, (uintptr_t)text, &is_new) : NULL;

		if (!at || !is_new)
			continue;
		*at = n->len;
		n->list[n->len++] = text;
	}
}

static void names_put(struct json *j, const struct names *n, const char *key)
{
	begin_array(j, key);
	for (size_t i = 0; i < n->len; i++)
		put_name(j, n->list[i]);
	json_end(j);
}

static void names_number(struct json *j, const struct names *n, const char *text)
{
	uint64_t number;

	json_i64(j, text && map_get(&n->number_of, (uintptr_t)text, &number) ? (int64_t)number : -1);
}

/* frames: function; module and file as indices, -1: unknown. Those of no node that is shown have an empty name. */
static void put_frames(struct json *j, const struct web_tree *t)
{
	struct names modules = { 0 }, files = { 0 };
	bool *is_used = calloc(t->frames_len, sizeof(*is_used));

	for (size_t i = 0; is_used && i < t->shown_len; i++)
		is_used[t->shown[i].frame] = true;
	names_collect(&modules, t, false);
	names_collect(&files, t, true);
	names_put(j, &modules, "modules");
	names_put(j, &files, "files");
	begin_array(j, "function");
	for (size_t i = 0; i < t->frames_len; i++)
		put_name(j, !is_used || is_used[i] ? t->frames[i].function : "");
	json_end(j);
	begin_array(j, "module");
	for (size_t i = 0; i < t->frames_len; i++)
		names_number(j, &modules, t->frames[i].module);
	json_end(j);
	begin_array(j, "file");
	for (size_t i = 0; i < t->frames_len; i++)
		names_number(j, &files, t->frames[i].file);
	json_end(j);
	free(is_used);
	free(modules.list);
	free(files.list);
	map_release(&modules.number_of);
	map_release(&files.number_of);
}

/* nodes: how far before a node its caller stands; its frame; the line in that function, negative when there are others.
 */
static void put_nodes(struct json *j, const struct web_tree *t)
{
	begin_array(j, "up");
	for (size_t i = 0; i < t->shown_len; i++)
		json_u64(j, i - t->shown[i].parent);
	json_end(j);
	begin_array(j, "frame");
	for (size_t i = 0; i < t->shown_len; i++)
		json_u64(j, t->shown[i].frame);
	json_end(j);
	begin_array(j, "line");
	for (size_t i = 0; i < t->shown_len; i++)
		json_i64(j, t->shown[i].has_lines ? -(int64_t)t->shown[i].line : (int64_t)t->shown[i].line);
	json_end(j);
}

/* step, value: the nodes that have some of a number, as distances, and how much. */
static void put_values(struct json *j, const struct web_tree *t, unsigned v, const char *step, const char *value)
{
	size_t last = 0;

	begin_array(j, step);
	for (size_t i = 0; i < t->shown_len; i++)
		if (t->shown[i].self[v]) {
			json_u64(j, i - last);
			last = i;
		}
	json_end(j);
	begin_array(j, value);
	for (size_t i = 0; i < t->shown_len; i++)
		if (t->shown[i].self[v])
			json_i64(j, t->shown[i].self[v]);
	json_end(j);
}

/* metrics: a number of the recording; base_...: of the one that it is compared with. */
static void put_metric(struct json *j, const struct web_tree *t, unsigned m)
{
	static const struct {
		const char *group, *name, *unit, *words;
	} metrics[WEB_METRICS] = {
#define WEB_METRIC(id, group, name, unit, words) { #group, name, #unit, words },
#include "analyzer/web/metrics.def"
	};

	json_begin_object(j);
	json_field_string(j, "group", metrics[m].group);
	json_field_string(j, "name", metrics[m].name);
	json_field_string(j, "unit", metrics[m].unit);
	json_field_string(j, "words", metrics[m].words);
	json_field_i64(j, "total", t->total[m]);
	put_values(j, t, m, "step", "value");
	if (t->align) {
		json_field_i64(j, "base_total", t->total[m + WEB_METRICS]);
		put_values(j, t, m + WEB_METRICS, "base_step", "base_value");
	}
	json_end(j);
}

static void put_base(struct json *j, const struct web_base *base)
{
	json_key(j, "base");
	json_begin_object(j);
	json_field_string(j, "path", base->path);
	json_field_string(j, "exe", base->a->rec.exe);
	json_field_u64(j, "pid", base->a->rec.reader.header.pid);
	json_field_u64(j, "duration_ns", clock_ns(&base->a->rec.clock, base->a->rec.end_tick));
	json_end(j);
}

int web_data_tree(const struct web_tree *t, const struct web_base *base, FILE *out)
{
	struct json j;

	begin(&j, out);
	json_begin_object(&j);
	json_field_string(&j, "schema", "ringside.html.tree/1");
	json_field_u64(&j, "page_bytes_most", WEB_PAGE_BYTES);
	json_field_u64(&j, "name_most", NAME_MOST);
	json_field_u64(&j, "nodes_recorded", t->nodes_len);
	json_field_f64(&j, "least_share", t->least_share);
	if (base)
		put_base(&j, base);
	json_key(&j, "frames");
	json_begin_object(&j);
	put_frames(&j, t);
	json_end(&j);
	json_key(&j, "nodes");
	json_begin_object(&j);
	put_nodes(&j, t);
	json_end(&j);
	begin_array(&j, "metrics");
	for (unsigned m = 0; m < WEB_METRICS; m++)
		put_metric(&j, t, m);
	json_end(&j);
	json_end(&j);
	return json_finish(&j);
}

/* ---- time ----------------------------------------------------------------------------------------------------- */

/* A column in percent of its time; equal ones that follow each other are one run. */
static void put_run(struct json *j, unsigned columns, const unsigned percent[DOINGS])
{
	unsigned mask = 0;

	for (unsigned d = 0; d < DOINGS; d++)
		mask |= percent[d] ? 1u << d : 0;
	json_u64(j, columns);
	json_u64(j, mask);
	for (unsigned d = 0; d < DOINGS; d++)
		if (percent[d])
			json_u64(j, percent[d]);
}

/* runs: columns, which doings as bits, and the percentage of each of these. */
static void put_runs(struct json *j, const struct web_strips *s, uint32_t thread, double column_ns)
{
	unsigned last[DOINGS] = { 0 }, columns = 0;

	begin_array(j, "runs");
	for (unsigned c = 0; c < s->columns; c++) {
		unsigned percent[DOINGS];

		for (unsigned d = 0; d < DOINGS; d++)
			percent[d] =
				(unsigned)((double)s->did[(size_t)thread * s->columns + c][d] * 100 / column_ns + 0.5);
		if (columns && memcmp(percent, last, sizeof(last))) {
			put_run(j, columns, last);
			columns = 0;
		}
		memcpy(last, percent, sizeof(last));
		columns++;
	}
	put_run(j, columns, last);
	json_end(j);
}

static void put_thread(struct json *j, const struct web_strips *s, uint32_t thread, double column_ns)
{
	uint64_t sum[DOINGS];
	struct buf name = { 0 };

	web_strips_sum(s, thread, sum);
	report_thread_name(s->r, thread, &name);
	json_begin_object(j);
	json_field_string(j, "name", buf_string(&name));
	begin_array(j, "ns");
	for (unsigned d = 0; d < DOINGS; d++)
		json_u64(j, sum[d]);
	json_end(j);
	put_runs(j, s, thread, column_ns);
	json_end(j);
	buf_release(&name);
}

static void put_threads(struct json *j, const struct web_strips *s, double column_ns)
{
	begin_array(j, "threads");
	for (uint32_t i = 0; i < s->r->a->rec.threads_len; i++)
		if (s->row[i] >= 0)
			put_thread(j, s, i, column_ns);
	json_end(j);
	json_field_u64(j, "threads_left_out", s->rows_left_out);
}

/* cells: by column a list of node, samples, time blocked, time blocked without waits for work. */
static void put_cells(struct json *j, const struct web_strips *s)
{
	const struct web_node *nodes = s->tree->nodes;
	size_t i = 0;

	json_field_u64(j, "cell_columns", s->cell_columns);
	begin_array(j, "cells");
	for (unsigned c = 0; c < s->cell_columns; c++) {
		json_begin_array(j);
		while (i < s->cells_len && s->cells[i].column == c) {
			struct web_cell sum = s->cells[i++];

			for (; i < s->cells_len && s->cells[i].column == c &&
			       nodes[s->cells[i].node].shown == nodes[sum.node].shown;
			     i++) {
				sum.samples += s->cells[i].samples;
				sum.blocked_ns += s->cells[i].blocked_ns;
				sum.busy_ns += s->cells[i].busy_ns;
			}
			json_u64(j, nodes[sum.node].shown);
			json_u64(j, sum.samples);
			json_u64(j, sum.blocked_ns);
			json_u64(j, sum.busy_ns);
		}
		json_end(j);
	}
	json_end(j);
}

int web_data_strips(struct web_strips *s, const struct page *heap, FILE *out)
{
	uint64_t from = report_ns(s->r, s->window.from), to = report_ns(s->r, s->window.to);
	struct json j;

	web_strips_order(s);
	begin(&j, out);
	json_begin_object(&j);
	json_field_string(&j, "schema", "ringside.html.time/1");
	json_field_u64(&j, "from_ns", from);
	json_field_u64(&j, "to_ns", to);
	json_field_u64(&j, "columns", s->columns);
	begin_array(&j, "doings");
	for (unsigned d = 0; d < DOINGS; d++)
		json_string_n(&j, doing_key((enum doing)d), strlen(doing_key((enum doing)d)) - strlen("_ns"));
	json_end(&j);
	put_threads(&j, s, (double)(to - from) / s->columns + 1e-9);
	put_cells(&j, s);
	json_key(&j, "heap");
	json_begin_object(&j);
	if (heap)
		page_json(heap, &j);
	json_end(&j);
	json_end(&j);
	return json_finish(&j);
}
