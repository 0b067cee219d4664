/* SPDX-License-Identifier: MIT */
/*
 * heap_kinds.c - where the memory is, on one page: the heap by the call that asked for it (C++ new told from malloc by
 * the frame in between) and by module, pools that the program names, mappings beside the heap, the most that was
 * resident, and what the recorder itself uses. Pools lie inside the heap or the mappings, so nothing is summed up.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/crest.h"
#include "analyzer/models/pools.h"
#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "format/kinds.h"

enum cxx { CXX_UNASKED, CXX_NO, CXX_NEW, CXX_NEW_ARRAY };

/* Rows by the call: apis.def, and two more. */
#define KIND_NEW 16u
#define KIND_NEW_ARRAY 17u
#define KINDS 18u

struct row {
	uint64_t allocations, bytes; /* allocations: WEIGHT_ONEths */
	struct crest_mark mark;
};

struct kinds {
	const struct report_run *r;
	struct lives lives;
	struct crest all;
	struct row kinds[KINDS];
	struct stack_index cxx; /* of each stack: enum cxx */
	struct row *groups;	/* by group */
	size_t groups_len;
	struct pools pools;
};

/* ---- counting ------------------------------------------------------------------------------------------------- */

/* libstdc++'s operator new[] jumps to operator new, so most arrays are seen as the latter. */
static enum cxx ask(struct stacks *stacks, struct stack_id stack)
{
	struct frame_walk w = { .stacks = stacks, .id = stack };
	const struct frame *frame = stacks_next_frame(&w);

	if (!frame || strncmp(frame->function, "operator new", 12) != 0)
		return CXX_NO;
	if (frame->function[12] == '[')
		return CXX_NEW_ARRAY;
	frame = stacks_next_frame(&w);
	return frame && !strncmp(frame->function, "operator new[]", 14) ? CXX_NEW_ARRAY : CXX_NEW;
}

static unsigned kind_of(struct kinds *k, const struct life *life)
{
	uint32_t cxx = stack_index_get(&k->cxx, life->stack);

	if (!cxx) {
		cxx = ask(k->r->stacks, life->stack);
		k->lives.failed |= stack_index_put(&k->cxx, life->stack, cxx) != 0;
	}
	return cxx == CXX_NEW ? KIND_NEW : cxx == CXX_NEW_ARRAY ? KIND_NEW_ARRAY : life->api;
}

static void rise(struct kinds *k, struct row *row, struct weight w)
{
	row->allocations += w.ones;
	row->bytes += w.bytes;
	crest_rise(&k->all, &row->mark, w);
}

static void born(void *self, struct life *life)
{
	struct kinds *k = self;
	struct weight w = lives_weight(&k->lives, life);
	struct row *group = list_reach((void **)&k->groups, &k->groups_len, life->group, sizeof(*group));

	if (!group) {
		k->lives.failed = true;
		return;
	}
	life->tag = kind_of(k, life);
	rise(k, &k->kinds[life->tag], w);
	rise(k, group, w);
	crest_rise_all(&k->all, w, life->born);
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	struct kinds *k = self;
	struct weight w = lives_weight(&k->lives, life);

	if (end->fate == LIFE_GOES_ON || life->group >= k->groups_len)
		return;
	crest_fall(&k->all, &k->kinds[life->tag].mark, w);
	crest_fall(&k->all, &k->groups[life->group].mark, w);
	crest_fall_all(&k->all, w);
}

/* ---- the page ------------------------------------------------------------------------------------------------- */

static void put_columns(struct table *t)
{
	table_column(t, "blocks", "blocks", UNIT_COUNT);
	table_column(t, "bytes", "bytes", UNIT_BYTES);
	table_column(t, "at peak", "peak_blocks", UNIT_COUNT);
	table_column(t, "bytes at peak", "peak_bytes", UNIT_BYTES);
	table_column(t, "of peak", "peak_share", UNIT_PERCENT);
	table_column(t, "bytes at end", "alive_bytes", UNIT_BYTES);
}

static void put_row(const struct crest *all, struct table *t, struct row *row)
{
	crest_settle(all, &row->mark);
	table_row(t);
	table_number(t, (int64_t)weight_count(row->allocations));
	table_number(t, (int64_t)row->bytes);
	table_number(t, (int64_t)weight_count(row->mark.peak_blocks));
	table_number(t, (int64_t)row->mark.peak_bytes);
	table_real(t, all->peak_bytes ? (double)row->mark.peak_bytes / (double)all->peak_bytes : 0);
	table_number(t, (int64_t)row->mark.live_bytes);
}

static const char *kind_name(unsigned kind)
{
	return kind == KIND_NEW		? "operator new"
	       : kind == KIND_NEW_ARRAY ? "operator new[]"
	       : kind			? api_name(kind)
					: "[unknown]";
}

static int print_kinds(struct kinds *k, struct page *page)
{
	struct table *t = page_table(page, "By the call that asked for it", "kinds");

	put_columns(t);
	table_column(t, "call", "call", UNIT_TEXT);
	for (unsigned kind = 0; kind < KINDS; kind++) {
		if (!k->kinds[kind].allocations)
			continue;
		put_row(&k->all, t, &k->kinds[kind]);
		table_text(t, kind_name(kind));
	}
	if (k->kinds[KIND_NEW].allocations)
		page_note(page,
			  "operator new has most arrays too: in libstdc++ new[] jumps to new and leaves no frame");
	return report_order(k->r, t, 3);
}

static void print_groups(struct kinds *k, const struct groups *g, struct page *page)
{
	struct table *t = page_table(page, "By who asked for it", "groups");

	put_columns(t);
	groups_column(g, t, "allocated by", "stack");
	for (uint32_t i = 0; i < k->groups_len && i < g->len; i++) {
		if (!k->groups[i].allocations)
			continue;
		put_row(&k->all, t, &k->groups[i]);
		groups_cell(g, t, i);
	}
	report_rank(k->r, t, 3);
}

static void print_pools(const struct kinds *k, struct page *page)
{
	struct table *t = page_table(page, "Pools that the program names", "pools");

	table_column(t, "blocks", "blocks", UNIT_COUNT);
	table_column(t, "bytes", "bytes", UNIT_BYTES);
	table_column(t, "at own peak", "peak_bytes", UNIT_BYTES);
	table_column(t, "bytes at end", "alive_bytes", UNIT_BYTES);
	table_column(t, "pool", "pool", UNIT_TEXT);
	table_column(t, "address", "address", UNIT_ADDRESS);
	for (size_t i = 0; i < k->pools.pools_len; i++) {
		const struct pool *pool = &k->pools.pools[i];

		table_row(t);
		table_number(t, (int64_t)weight_count(pool->heap.total.allocations));
		table_number(t, (int64_t)pool->heap.total.allocated_bytes);
		table_number(t, (int64_t)pool->heap.peak_bytes);
		table_number(t, (int64_t)pool->heap.total.live_bytes);
		table_text(t, pool->name);
		table_number(t, (int64_t)pool->address);
	}
	report_rank(k->r, t, 2);
	if (t->rows_len)
		page_note(page, "pools lie inside the heap or inside mappings: their bytes are counted there too");
}

static void print_mappings(const struct kinds *k, struct page *page)
{
	struct table *t = page_table(page, "Mappings beside the heap", "mappings");

	table_column(t, "maps", "maps", UNIT_COUNT);
	table_column(t, "bytes", "bytes", UNIT_BYTES);
	table_column(t, "mapped by", "stack", UNIT_STACK);
	for (size_t i = 0; i < k->pools.pages_len; i++) {
		const struct page_site *p = &k->pools.pages[i];
		struct place place = place_find(k->r->stacks, p->stack);
		struct buf name = { 0 };

		place_spell(&name, place);
		table_row(t);
		table_number(t, (int64_t)p->maps);
		table_number(t, (int64_t)p->mapped_bytes);
		table_stack(t, buf_string(&name), (struct stack_id){ 0 }, place.site);
		t->failed |= name.failed;
		buf_release(&name);
	}
	report_rank(k->r, t, 1);
}

/* Bytes of the dump that hold events, and all others. */
static void print_recorder(const struct report_run *r, struct page *page)
{
	const struct reader *reader = &r->a->rec.reader;
	uint64_t events = 0, own = recording_counter(&r->a->rec, COUNT_OWN_BYTES);

	for (size_t i = 0; i < reader->extents_len; i++)
		if (reader->extents[i].kind == RSD_EXTENT_EVENTS || reader->extents[i].kind == RSD_EXTENT_SAMPLES)
			events += reader->extents[i].size;
	if (own)
		page_fact(page, "recorder's own, mapped", "recorder_bytes", UNIT_BYTES, own);
	else
		page_fact_text(page, "recorder's own, mapped", "recorder_bytes", NULL);
	page_fact(page, "the dump", "dump_bytes", UNIT_BYTES, reader->units * RSD_UNIT);
	page_fact(page, "events in it", "event_bytes", UNIT_BYTES, events);
}

static void print_facts(const struct kinds *k, struct page *page)
{
	const struct report_run *r = k->r;
	const struct pools *pools = &k->pools;
	uint64_t rss = r->a->rec.reader.header.max_rss_bytes;

	page_fact(page, "heap at its peak", "peak_bytes", UNIT_BYTES, k->all.peak_bytes);
	page_fact(page, "peak after", "peak_ns", UNIT_NS, report_ns(r, k->all.peak_tick));
	page_fact(page, "heap at the end", "alive_bytes", UNIT_BYTES, k->all.live_bytes);
	page_fact(page, "mapped, all", "mapped_bytes", UNIT_BYTES, pools->mapped_bytes);
	page_fact(page, "mapped at most", "peak_mapped_bytes", UNIT_BYTES, pools->peak_mapped_bytes);
	if (rss)
		page_fact(page, "resident at most", "max_rss_bytes", UNIT_BYTES, rss);
	else
		page_fact_text(page, "resident at most", "max_rss_bytes", NULL);
	print_recorder(r, page);
}

static int count(struct kinds *k, struct groups *groups)
{
	struct pass_sink pools = pools_sink(&k->pools);
	int err = pools_init(&k->pools, &k->r->a->rec);

	k->lives.watcher = (struct life_watcher){ .self = k, .born = born, .ended = ended };
	k->lives.also[0] = &pools;
	err = err ? err : report_lives(k->r, BY_MODULE, groups, &k->lives);
	pools_finish(&k->pools);
	return !err && k->pools.failed ? -ENOMEM : err;
}

int report_heap_kinds(struct report_run *r, struct page *page)
{
	struct kinds *k = calloc(1, sizeof(*k));
	struct groups groups = { 0 };
	int err;

	if (!k)
		return -ENOMEM;
	k->r = r;
	err = count(k, &groups);
	if (!err) {
		print_facts(k, page);
		err = print_kinds(k, page);
		print_groups(k, &groups, page);
		print_pools(k, page);
		print_mappings(k, page);
		page_note(page,
			  "heap: bytes as asked for. Mappings are the program's own calls of mmap: what the "
			  "allocator itself gets by brk and mmap is not recorded, it lies under the heap. "
			  "Resident: the kernel's maximum for the whole process, recorder and libraries included.");
		report_sampled_note(r, &k->lives, page);
	}
	pools_release(&k->pools);
	stack_index_release(&k->cxx);
	free(k->groups);
	free(k);
	groups_release(&groups);
	return err;
}
