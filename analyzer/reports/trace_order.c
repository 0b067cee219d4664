/* SPDX-License-Identifier: MIT */
/*
 * trace_order.c - in which orders locks were taken, and where these orders contradict each other: threads that do both
 * at once wait for each other for ever.
 *
 * A lock is an address in one block of the heap: the next block at that address has another lock. An order is harmless
 * when a third lock was held each time in every step of the circle (a gate), or when only readers meet.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "analyzer/views/views.h"
#include "format/kinds.h"

#define CIRCLE_MAX 4u
#define CIRCLES_MAX 1000u
#define GATES_MAX (RSD_ORDER_OTHERS + 1)

struct node {
	uint64_t address, epoch; /* tick at which its block was born; 0: not in the heap */
	char *name;
};

/* `taken` while `held`, as first seen. */
struct edge {
	uint32_t held, taken; /* nodes */
	uint32_t held_wait, taken_wait, thread;
	uint64_t held_site, times;
	struct stack_id stack;
	uint32_t gates[GATES_MAX], gates_len; /* nodes + 1 held in every record of this order */
};

struct circle {
	uint32_t edges[CIRCLE_MAX], len;
	uint32_t gate; /* node + 1 */
	bool is_readers;
};

struct order {
	struct report_run *r;
	struct lives lives;
	struct node *nodes;
	size_t nodes_len, nodes_cap;
	struct edge *edges;
	size_t edges_len, edges_cap;
	struct circle *circles;
	size_t circles_len, circles_cap;
	struct map node_of, edge_of, circle_seen;
	bool failed;
};

/* ---- the graph ------------------------------------------------------------------------------------------------ */

static void name_in_block(struct order *o, const struct life *life, uint64_t address, struct buf *out)
{
	buf_add_string(out, "lock in a block of ");
	place_name(out, o->r->stacks, life->stack);
	buf_printf(out, " +0x%" PRIx64, address - life->addr);
}

static char *name_of(struct order *o, const struct life *life, uint64_t address)
{
	const char *symbol = symbols_addr_data_name(stacks_symbols(o->r->stacks), &o->r->a->rec.modules, address);
	struct buf out = { 0 };

	if (symbol)
		buf_add_safe(&out, symbol, strlen(symbol));
	else if (life)
		name_in_block(o, life, address, &out);
	else
		buf_printf(&out, "0x%" PRIx64, address);
	if (!out.failed && out.data)
		return out.data;
	buf_release(&out);
	return NULL;
}

/* A node's index + 1; 0 for no lock, or without memory. */
static uint32_t node_at(struct order *o, uint64_t address)
{
	const struct block *block = address && o->lives.live.cap ? live_containing(&o->lives.live, address) : NULL;
	const struct life *life = block ? &o->lives.slab[block->site] : NULL;
	const uint64_t key[] = { address, life ? life->born : 0 };
	bool is_new;
	uint64_t *at;

	if (!address)
		return 0;
	at = map_at(&o->node_of, hash_bytes(key, sizeof(key)), &is_new);
	if (!at || (is_new && list_grow((void **)&o->nodes, &o->nodes_cap, o->nodes_len, sizeof(*o->nodes)))) {
		o->failed = true;
		return 0;
	}
	if (is_new) {
		o->nodes[o->nodes_len] =
			(struct node){ .address = address, .epoch = key[1], .name = name_of(o, life, address) };
		o->failed |= !o->nodes[o->nodes_len].name;
		*at = o->nodes_len++;
	}
	return (uint32_t)*at + 1;
}

/* What was held each time stays a gate. */
static void keep_gates(struct edge *e, const uint32_t *others, uint32_t len)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < e->gates_len; i++)
		for (uint32_t k = 0; k < len; k++)
			if (e->gates[i] == others[k]) {
				e->gates[kept++] = e->gates[i];
				break;
			}
	e->gates_len = kept;
}

static void add_edge(struct order *o, const struct edge *like, const uint32_t *others, uint32_t len)
{
	bool is_new;
	uint64_t *at = map_at(&o->edge_of, (uint64_t)like->held << 32 | like->taken, &is_new);
	struct edge *e;

	if (!at || (is_new && list_grow((void **)&o->edges, &o->edges_cap, o->edges_len, sizeof(*o->edges)))) {
		o->failed = true;
		return;
	}
	if (is_new) {
		o->edges[o->edges_len] = *like;
		*at = o->edges_len++;
	}
	e = &o->edges[*at];
	e->times++;
	if (!is_new) {
		keep_gates(e, others, len);
		return;
	}
	for (uint32_t i = 0; i < len && i < GATES_MAX; i++)
		e->gates[e->gates_len++] = others[i];
}

static void on_order(void *self, const struct pass_event *e)
{
	struct order *o = self;
	const struct rec_order *r = &e->ev->order;
	uint32_t held[RSD_ORDER_OTHERS + 1], len = 0, taken = node_at(o, r->taken);

	held[len++] = node_at(o, r->held);
	for (unsigned i = 0; i < RSD_ORDER_OTHERS && r->others[i]; i++)
		held[len++] = node_at(o, r->others[i]);
	/* The recorder names both locks; a dump may not. */
	if (o->failed || !taken || !held[0])
		return;
	for (uint32_t i = 0; i < len; i++) {
		struct edge edge = { .held = held[i] - 1,
				     .taken = taken - 1,
				     .held_wait = i ? WAIT_MUTEX : r->held_wait,
				     .taken_wait = r->taken_wait,
				     .thread = e->thread,
				     .held_site = i ? 0 : r->held_site,
				     .stack = recording_stack(&o->r->a->rec, r->stack) };
		uint32_t others[RSD_ORDER_OTHERS + 1], others_len = 0;

		for (uint32_t k = 0; k < len; k++)
			if (k != i)
				others[others_len++] = held[k];
		add_edge(o, &edge, others, others_len);
	}
}

/* ---- circles -------------------------------------------------------------------------------------------------- */

static bool is_in(const struct circle *c, const struct order *o, uint32_t node)
{
	for (uint32_t i = 0; i < c->len; i++)
		if (o->edges[c->edges[i]].held == node)
			return true;
	return false;
}

static uint32_t common_gate(const struct order *o, const struct circle *c)
{
	const struct edge *first = &o->edges[c->edges[0]];

	for (uint32_t g = 0; g < first->gates_len; g++) {
		bool is_everywhere = !is_in(c, o, first->gates[g] - 1);

		for (uint32_t i = 1; i < c->len && is_everywhere; i++) {
			const struct edge *e = &o->edges[c->edges[i]];
			bool is_here = false;

			for (uint32_t k = 0; k < e->gates_len; k++)
				is_here |= e->gates[k] == first->gates[g];
			is_everywhere = is_here;
		}
		if (is_everywhere)
			return first->gates[g];
	}
	return 0;
}

/* Somewhere in the circle readers meet readers: nobody waits there. */
static bool has_readers_only(const struct order *o, const struct circle *c)
{
	for (uint32_t i = 0; i < c->len; i++) {
		const struct edge *into = &o->edges[c->edges[i]], *out = &o->edges[c->edges[(i + 1) % c->len]];

		if (into->taken_wait == WAIT_RWLOCK_READ && out->held_wait == WAIT_RWLOCK_READ)
			return true;
	}
	return false;
}

static void add_circle(struct order *o, const struct circle *found)
{
	uint64_t key = 0;
	uint64_t *seen;
	bool is_new;

	/* The same circle is found from each of its edges. */
	for (uint32_t i = 0; i < found->len; i++)
		key += hash_u64(found->edges[i]);
	seen = map_at(&o->circle_seen, key, &is_new);
	if (!seen || !is_new || o->circles_len == CIRCLES_MAX) {
		o->failed |= !seen;
		return;
	}
	if (list_grow((void **)&o->circles, &o->circles_cap, o->circles_len, sizeof(*o->circles))) {
		o->failed = true;
		return;
	}
	o->circles[o->circles_len] = *found;
	o->circles[o->circles_len].gate = common_gate(o, found);
	o->circles[o->circles_len++].is_readers = has_readers_only(o, found);
}

/* first: by node, its first edge + 1; next: by edge, the next one from the same node + 1. */
static void walk(struct order *o, struct circle *c, const uint32_t *first, const uint32_t *next)
{
	const struct edge *last = &o->edges[c->edges[c->len - 1]];

	for (uint32_t e = first[last->taken]; e; e = next[e - 1]) {
		c->edges[c->len++] = e - 1;
		if (o->edges[e - 1].taken == o->edges[c->edges[0]].held)
			add_circle(o, c);
		else if (c->len < CIRCLE_MAX)
			walk(o, c, first, next);
		c->len--;
	}
}

static int find_circles(struct order *o)
{
	uint32_t *first = calloc(o->nodes_len + 1, sizeof(*first)), *next = calloc(o->edges_len + 1, sizeof(*next));

	for (uint32_t e = (uint32_t)o->edges_len; first && next && e-- > 0;) {
		next[e] = first[o->edges[e].held];
		first[o->edges[e].held] = e + 1;
	}
	for (uint32_t e = 0; first && next && e < o->edges_len; e++) {
		struct circle c = { .edges = { e }, .len = 1 };

		walk(o, &c, first, next);
	}
	o->failed |= !first || !next;
	free(first);
	free(next);
	return o->failed ? -ENOMEM : 0;
}

/* ---- the page ------------------------------------------------------------------------------------------------- */

static void site_cell(const struct order *o, struct table *t, uint64_t site)
{
	const struct frame_chain *chain;
	struct buf text = { 0 };

	if (!site) {
		table_skip(t);
		return;
	}
	chain = symbols_addr_lookup(stacks_symbols(o->r->stacks), &o->r->a->rec.modules, site - 1);
	view_frame_name(&text, &chain->frames[0]);
	table_stack(t, buf_string(&text), (struct stack_id){ 0 }, &chain->frames[0]);
	buf_release(&text);
}

static void edge_cells(const struct order *o, struct table *t, const struct edge *e)
{
	table_text(t, o->nodes[e->held].name);
	table_text(t, wait_name(e->held_wait));
	site_cell(o, t, e->held_site);
	table_text(t, o->nodes[e->taken].name);
	table_text(t, wait_name(e->taken_wait));
	report_stack_cell(o->r, t, e->stack);
	report_thread_cell(o->r, t, e->thread);
}

static void edge_columns(struct table *t)
{
	table_column(t, "holding", "held", UNIT_TEXT);
	table_column(t, "as", "held_kind", UNIT_TEXT);
	table_column(t, "taken at", "held_at", UNIT_STACK);
	table_column(t, "takes", "taken", UNIT_TEXT);
	table_column(t, "as", "taken_kind", UNIT_TEXT);
	table_column(t, "at", "stack", UNIT_STACK);
	table_column(t, "thread", "thread", UNIT_TEXT);
}

static bool is_dangerous(const struct circle *c)
{
	return !c->gate && !c->is_readers;
}

static void circle_rows(const struct order *o, struct table *t, const struct circle *c, int64_t number)
{
	bool has_one_thread = true;

	for (uint32_t i = 1; i < c->len; i++)
		has_one_thread &= o->edges[c->edges[i]].thread == o->edges[c->edges[0]].thread;
	for (uint32_t i = 0; i < c->len; i++) {
		table_row(t);
		table_number(t, number);
		edge_cells(o, t, &o->edges[c->edges[i]]);
		if (c->gate)
			table_textf(t, "harmless: %s is held each time", o->nodes[c->gate - 1].name);
		else if (c->is_readers)
			table_text(t, "harmless: readers only");
		else
			table_text(t,
				   has_one_thread ? "deadlock, if another thread does the same" : "deadlock possible");
	}
}

static void print(const struct order *o, struct page *page)
{
	struct table *circles = page_table(page, "Orders that contradict each other", "circles"), *orders;
	uint64_t dangerous = 0;
	int64_t number = 0;

	for (size_t i = 0; i < o->circles_len; i++)
		dangerous += is_dangerous(&o->circles[i]);
	page_fact(page, "locks taken inside others", "locks", UNIT_COUNT, o->nodes_len);
	page_fact(page, "orders", "orders", UNIT_COUNT, o->edges_len);
	page_fact(page, "possible deadlocks", "possible_deadlocks", UNIT_COUNT, dangerous);
	table_column(circles, "circle", "circle", UNIT_COUNT);
	edge_columns(circles);
	table_column(circles, "verdict", "verdict", UNIT_TEXT);
	for (int harmless = 0; harmless < 2; harmless++)
		for (size_t i = 0; i < o->circles_len; i++)
			if (is_dangerous(&o->circles[i]) == !harmless)
				circle_rows(o, circles, &o->circles[i], ++number);
	orders = page_table(page, "All orders", "orders");
	edge_columns(orders);
	for (size_t i = 0; i < o->edges_len; i++) {
		table_row(orders);
		edge_cells(o, orders, &o->edges[i]);
	}
	if (o->r->options->top)
		table_cut(orders, o->r->options->top);
	page_note(
		page,
		"an order is told when it is seen for the first time, with the place where the lock was taken that is "
		"held. Locks taken by a try wait for nobody and are taken in no order; they are held, though");
	if (o->circles_len == CIRCLES_MAX)
		page_note(page, "there are more circles than the %u that were looked at", CIRCLES_MAX);
}

int report_trace_order(struct report_run *r, struct page *page)
{
	struct order o = { .r = r };
	struct pass_sink orders = { .self = &o, .on[EV_ORDER] = on_order };
	int err;

	report_window(r);
	map_init(&o.node_of);
	map_init(&o.edge_of);
	map_init(&o.circle_seen);
	o.lives.also[0] = &orders;
	err = lives_run(&o.lives, r->a);
	err = err ? err : find_circles(&o);
	if (!err)
		print(&o, page);
	for (size_t i = 0; i < o.nodes_len; i++)
		free(o.nodes[i].name);
	free(o.nodes);
	free(o.edges);
	free(o.circles);
	map_release(&o.node_of);
	map_release(&o.edge_of);
	map_release(&o.circle_seen);
	return err;
}
