/* SPDX-License-Identifier: MIT */
/*
 * --tree and --peek: each entry between its callers (above) and what it called (below).
 *
 * An edge is what went through one call: once per stack, however often a recursion repeats it. Calls of an entry
 * by itself are no edge.
 */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/show/render.h"
#include "analyzer/views/views_model.h"
#include "analyzer/util/whole.h"

#define TREE_NODES 80
#define TREE_EDGES 12	 /* callers, and callees, shown of one entry */
#define TREE_SHARE 0.005 /* entries below this share of the total are left out */

struct edge {
	uint32_t caller, callee;
	int64_t value;
	uint32_t last_path;
};

struct edges {
	struct edge *list;
	size_t len, cap;
	struct map index;
	uint32_t *by_caller, *by_callee; /* orders of list, largest value first */
};

static struct edge *edge_of(struct edges *e, uint32_t caller, uint32_t callee)
{
	bool is_new;
	uint64_t *at;

	if (e->len == e->cap) {
		size_t cap = e->cap ? e->cap * 2 : 256;
		struct edge *list = realloc(e->list, cap * sizeof(*list));

		if (!list)
			return NULL;
		e->list = list;
		e->cap = cap;
	}
	at = map_at(&e->index, (uint64_t)caller << 32 | callee, &is_new);
	if (!at)
		return NULL;
	if (is_new) {
		e->list[e->len] = (struct edge){ .caller = caller, .callee = callee };
		*at = e->len++;
	}
	return &e->list[*at];
}

static int take_path(struct edges *e, const struct view *v, const struct view_path *path, uint32_t number)
{
	const struct view_step *steps = v->steps + path->first;

	for (uint32_t i = 0; i + 1 < path->len; i++) {
		struct edge *edge;

		if (steps[i].entry == steps[i + 1].entry)
			continue;
		edge = edge_of(e, steps[i + 1].entry, steps[i].entry);
		if (!edge)
			return -ENOMEM;
		if (edge->last_path != number)
			edge->value = view_add(edge->value, path->value);
		edge->last_path = number;
	}
	return 0;
}

static int64_t magnitude(int64_t value)
{
	return value == INT64_MIN ? INT64_MAX : value < 0 ? -value : value;
}

static int compare_by_caller(const void *pa, const void *pb, void *arg)
{
	const struct edge *a = (struct edge *)arg + *(const uint32_t *)pa,
			  *b = (struct edge *)arg + *(const uint32_t *)pb;

	if (a->caller != b->caller)
		return a->caller < b->caller ? -1 : 1;
	if (magnitude(a->value) != magnitude(b->value))
		return magnitude(a->value) > magnitude(b->value) ? -1 : 1;
	return a < b ? -1 : 1;
}

static int compare_by_callee(const void *pa, const void *pb, void *arg)
{
	const struct edge *a = (struct edge *)arg + *(const uint32_t *)pa,
			  *b = (struct edge *)arg + *(const uint32_t *)pb;

	if (a->callee != b->callee)
		return a->callee < b->callee ? -1 : 1;
	if (magnitude(a->value) != magnitude(b->value))
		return magnitude(a->value) > magnitude(b->value) ? -1 : 1;
	return a < b ? -1 : 1;
}

static int edges_init(struct edges *e, const struct view *v)
{
	int ret = 0;

	*e = (struct edges){ 0 };
	for (size_t i = 0; !ret && i < v->paths_len; i++)
		ret = take_path(e, v, &v->paths[i], (uint32_t)i + 1);
	e->by_caller = malloc((e->len + 1) * sizeof(*e->by_caller));
	e->by_callee = malloc((e->len + 1) * sizeof(*e->by_callee));
	if (ret || !e->by_caller || !e->by_callee)
		return -ENOMEM;
	for (size_t i = 0; i < e->len; i++)
		e->by_caller[i] = e->by_callee[i] = (uint32_t)i;
	qsort_r(e->by_caller, e->len, sizeof(*e->by_caller), compare_by_caller, e->list);
	qsort_r(e->by_callee, e->len, sizeof(*e->by_callee), compare_by_callee, e->list);
	return 0;
}

static void edges_release(struct edges *e)
{
	free(e->list);
	free(e->by_caller);
	free(e->by_callee);
	map_release(&e->index);
}

static uint32_t own_end(const struct edge *edge, bool callers)
{
	return callers ? edge->callee : edge->caller;
}

/* The edges of one entry: a stretch of by_callee (its callers) or by_caller (its callees). */
static const uint32_t *edges_of(const struct edges *e, uint32_t entry, bool callers, size_t *len)
{
	const uint32_t *order = callers ? e->by_callee : e->by_caller;
	size_t low = 0, high = e->len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (own_end(&e->list[order[mid]], callers) < entry)
			low = mid + 1;
		else
			high = mid;
	}
	*len = 0;
	while (low + *len < e->len && own_end(&e->list[order[low + *len]], callers) == entry)
		++*len;
	return order + low;
}

/* ---- which entries ---- */

struct shown {
	uint32_t *order;
	size_t len;    /* to show */
	size_t all;    /* with something in them */
	int64_t least; /* cum below this was left out; 0: nothing was */
	bool is_peek;
};

/* Keep what matches --peek's pattern, else what weighs enough. */
static int choose(struct shown *s, const struct view *v, const struct view_pattern *pattern)
{
	const struct view_options *o = v->options;
	size_t limit = o->nodecount ? o->nodecount : TREE_NODES, len = 0;

	s->least = pattern || o->is_unlimited ? 0 : whole_i64((double)v->total * TREE_SHARE);
	s->is_peek = pattern;
	s->order = view_order(v, o->sort_cum, &s->all);
	if (!s->order)
		return -ENOMEM;
	if (pattern || o->is_unlimited)
		limit = s->all;
	for (size_t i = 0; i < s->all && len < limit; i++) {
		const struct view_entry *e = &v->entries[s->order[i]];

		if (magnitude(e->cum) >= s->least && (!pattern || view_pattern_matches_function(pattern, e->frame)))
			s->order[len++] = s->order[i];
	}
	s->len = len;
	return 0;
}

/* ---- text ---- */

static const char rule[] = "----------------------------------------------------------+-------------\n";

static void put_edges(const struct view *v, const struct edges *e, uint32_t entry, bool callers, FILE *out)
{
	size_t len, limit;
	const uint32_t *list = edges_of(e, entry, callers, &len);
	char value[RENDER_NUMBER_MAX], share[RENDER_NUMBER_MAX];
	struct buf name = { 0 };

	limit = v->options->is_unlimited || len <= TREE_EDGES ? len : TREE_EDGES;
	for (size_t i = 0; i < limit; i++) {
		const struct edge *edge = &e->list[list[i]];

		buf_clear(&name);
		view_entry_name(&name, v, &v->entries[callers ? edge->caller : edge->callee]);
		fprintf(out, "%50s %6s |   %s\n", render_scaled(value, v->unit, edge->value, v->total),
			render_percent(share, view_share(edge->value, v->entries[entry].cum)), buf_string(&name));
	}
	if (limit < len)
		fprintf(out, "%57s |   ... %zu more\n", "", len - limit);
	buf_release(&name);
}

static void put_entry(const struct view *v, const struct view_entry *e, int64_t sum, FILE *out)
{
	char flat[RENDER_NUMBER_MAX], cum[RENDER_NUMBER_MAX], share[3][RENDER_NUMBER_MAX];
	struct buf name = { 0 };

	view_entry_name(&name, v, e);
	fprintf(out, "%10s %6s %6s %10s %6s%15s | %s\n", render_scaled(flat, v->unit, e->flat, v->total),
		render_percent(share[0], view_share(e->flat, v->total)),
		render_percent(share[1], view_share(sum, v->total)), render_scaled(cum, v->unit, e->cum, v->total),
		render_percent(share[2], view_share(e->cum, v->total)), "", buf_string(&name));
	buf_release(&name);
}

static void put_summary(const struct view *v, const struct shown *s, FILE *out)
{
	char flat[RENDER_NUMBER_MAX], total[RENDER_NUMBER_MAX], share[RENDER_NUMBER_MAX];
	int64_t sum = 0;

	for (size_t i = 0; i < s->len; i++)
		sum = view_add(sum, v->entries[s->order[i]].flat);
	fprintf(out, "Showing nodes accounting for %s, %s of %s total\n", render_scaled(flat, v->unit, sum, v->total),
		render_percent(share, view_share(sum, v->total)), render_value(total, v->unit, v->total));
	if (s->len < s->all)
		fprintf(out, "Showing %zu nodes out of %zu\n", s->len, s->all);
}

static void print_text(const struct view *v, const struct shown *s, const struct edges *e, FILE *out)
{
	int64_t sum = 0;

	view_head_text(v, out);
	if (!s->is_peek)
		put_summary(v, s, out);
	fprintf(out, "%s%10s %6s %6s %10s %6s %6s %6s + context\n%s", rule, "flat", "flat%", "sum%", "cum", "cum%",
		"calls", "calls%", rule);
	for (size_t i = 0; i < s->len; i++) {
		const struct view_entry *entry = &v->entries[s->order[i]];

		sum = view_add(sum, entry->flat);
		put_edges(v, e, s->order[i], true, out);
		put_entry(v, entry, sum, out);
		put_edges(v, e, s->order[i], false, out);
		fputs(rule, out);
	}
	view_notes_text(v, out);
}

/* ---- JSON and CSV ---- */

static void put_edges_json(const struct view *v, const struct edges *e, uint32_t entry, bool callers, struct json *j)
{
	size_t len;
	const uint32_t *list = edges_of(e, entry, callers, &len);

	json_key(j, callers ? "callers" : "callees");
	json_begin_array(j);
	for (size_t i = 0; i < len; i++) {
		const struct edge *edge = &e->list[list[i]];

		json_begin_object(j);
		view_entry_json(&v->entries[callers ? edge->caller : edge->callee], j);
		json_field_i64(j, "value", edge->value);
		json_end(j);
	}
	json_end(j);
}

static void print_json(const struct view *v, const char *name, const struct shown *s, const struct edges *e, FILE *out)
{
	struct json j;

	json_init(&j, out);
	j.pretty_depth = 2;
	view_head_json(v, name, &j);
	json_begin_array(&j);
	for (size_t i = 0; i < s->len; i++) {
		const struct view_entry *entry = &v->entries[s->order[i]];

		json_begin_object(&j);
		view_entry_json(entry, &j);
		json_field_i64(&j, "flat", entry->flat);
		json_field_f64(&j, "flat_share", view_share(entry->flat, v->total));
		json_field_i64(&j, "cum", entry->cum);
		json_field_f64(&j, "cum_share", view_share(entry->cum, v->total));
		put_edges_json(v, e, s->order[i], true, &j);
		put_edges_json(v, e, s->order[i], false, &j);
		json_end(&j);
	}
	json_end(&j);
	view_notes_json(v, &j);
	json_finish(&j);
}

static void put_edges_csv(const struct view *v, const struct edges *e, uint32_t entry, bool callers, struct table *t)
{
	size_t len;
	const uint32_t *list = edges_of(e, entry, callers, &len);

	for (size_t i = 0; i < len; i++) {
		table_row(t);
		table_text(t, v->entries[e->list[list[i]].caller].frame->function);
		table_text(t, v->entries[e->list[list[i]].callee].frame->function);
		table_number(t, e->list[list[i]].value);
	}
}

/* Each edge once in the tree; with --peek also those into the functions looked at. */
static int print_csv(const struct view *v, const struct shown *s, const struct edges *e, FILE *out)
{
	struct table t;
	int ret;

	table_init(&t, "edges");
	table_column(&t, "caller", "caller", UNIT_TEXT);
	table_column(&t, "callee", "callee", UNIT_TEXT);
	table_column(&t, "value", "value", v->unit);
	for (size_t i = 0; i < s->len; i++) {
		if (s->is_peek)
			put_edges_csv(v, e, s->order[i], true, &t);
		put_edges_csv(v, e, s->order[i], false, &t);
	}
	ret = render_csv(&t, out);
	table_release(&t);
	return ret;
}

int view_print_tree(const struct view *v, const char *view_name, const struct view_pattern *pattern, FILE *out)
{
	struct shown shown = { 0 };
	struct edges edges;
	int ret = edges_init(&edges, v);

	if (!ret)
		ret = choose(&shown, v, pattern);
	if (!ret) {
		if (v->options->format == VIEW_JSON)
			print_json(v, view_name, &shown, &edges, out);
		else if (v->options->format == VIEW_CSV)
			ret = print_csv(v, &shown, &edges, out);
		else
			print_text(v, &shown, &edges, out);
	}
	free(shown.order);
	edges_release(&edges);
	return ret;
}
