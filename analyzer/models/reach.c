/* SPDX-License-Identifier: MIT */
/*
 * reach.c - the blocks of a snapshot and the pointers between them. See reach.h.
 *
 * One pass over the events collects the blocks that were alive when the copy was made, and goes on to see which of them
 * were freed later. Then the snapshot's records are read: each pointer becomes a root, an edge between two blocks, what
 * a block begins with, or nothing. The states follow from that in reach_sort.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/lives.h"
#include "analyzer/models/reach.h"
#include "analyzer/models/reach_snapshot.h"
#include "analyzer/util/list.h"
#include "format/pointers.h"

#define PAGE_BITS 12
#define PAGE ((uint64_t)1 << PAGE_BITS)
#define NONE UINT32_MAX
#define BLOCKS_MOST (UINT32_MAX >> 2) /* an edge has 31 bits for each */

struct range {
	uint64_t from, to;
};

struct ranges {
	struct range *list;
	size_t len, cap;
};

struct loader {
	struct reach *r;
	struct lives lives;
	bool is_taken; /* the moment is over: blocks that come now are later ones */
	bool is_past;
	struct map touched; /* pages that blocks ever began or ended in */
	uint64_t *pages;    /* the same, sorted */
	size_t pages_len;
	struct ranges mapped; /* what the program had mapped itself at that moment */
	struct range area;    /* that is read now */
	bool area_is_root;    /* no block was ever in it, and it is no old stack */
	size_t hint, value_hint;
};

/* ---- the pass ------------------------------------------------------------------------------------------------- */

static void touch(struct loader *l, uint64_t addr, uint64_t size)
{
	uint64_t last = (addr + (size ? size - 1 : 0)) >> PAGE_BITS;

	if (l->is_past)
		return;
	if (map_put(&l->touched, addr >> PAGE_BITS, 0) || map_put(&l->touched, last, 0))
		l->r->failed = true;
}

static void add_block(struct loader *l, struct life *life, bool is_young)
{
	struct reach *r = l->r;

	if (r->blocks_len >= BLOCKS_MOST ||
	    list_grow((void **)&r->blocks, &r->blocks_cap, r->blocks_len, sizeof(*r->blocks))) {
		r->failed = true;
		return;
	}
	r->blocks[r->blocks_len++] = (struct reach_block){ .addr = life->addr,
							   .size = life->size,
							   .born = life->born,
							   .stack = life->stack,
							   .thread = life->thread,
							   .is_young = is_young };
	life->tag = r->blocks_len;
}

static void born(void *self, struct life *life)
{
	struct loader *l = self;

	touch(l, life->addr, life->size);
	if (l->is_taken && !l->is_past)
		add_block(l, life, true);
}

static void see_freed(struct loader *l, const struct life *life)
{
	if (life->tag)
		l->r->blocks[life->tag - 1].is_freed = true;
}

static void resized(void *self, const struct life *old, const struct life_end *end, struct life *now)
{
	(void)end;
	see_freed(self, old);
	now->tag = 0;
	born(self, now);
}

static void ended(void *self, const struct life *life, const struct life_end *end)
{
	if (end->fate != LIFE_GOES_ON)
		see_freed(self, life);
}

static void stopped(void *self, size_t stop)
{
	struct loader *l = self;
	struct life *life;

	if (stop) {
		l->is_past = true;
		return;
	}
	l->is_taken = true;
	for (size_t at = 0; (life = lives_next(&l->lives, &at));)
		add_block(l, life, false);
}

static void on_map(void *self, const struct pass_event *e)
{
	struct loader *l = self;
	const struct rec_alloc *map = &e->ev->alloc;
	struct ranges *m = &l->mapped;

	if (l->is_past)
		return;
	if (list_grow((void **)&m->list, &m->cap, m->len, sizeof(*m->list)))
		l->r->failed = true;
	else
		m->list[m->len++] = (struct range){ map->addr, map->addr + map->size };
}

/* What is left of a mapping on both sides stays. */
static void on_unmap(void *self, const struct pass_event *e)
{
	struct loader *l = self;
	struct ranges *m = &l->mapped;
	uint64_t from = e->ev->pages.addr, to = from + e->ev->pages.size;

	for (size_t i = 0; i < m->len && !l->is_past; i++) {
		struct range *at = &m->list[i], whole = *at;

		if (whole.to <= from || whole.from >= to)
			continue;
		at->to = whole.from < from ? from : whole.from;
		if (whole.to <= to)
			continue;
		if (at->to == at->from)
			*at = (struct range){ to, whole.to };
		else if (!list_grow((void **)&m->list, &m->cap, m->len, sizeof(*m->list)))
			m->list[m->len++] = (struct range){ to, whole.to };
	}
}

/* The user's filter is for what is shown: pointers lead through all blocks. */
static int run_pass(struct loader *l)
{
	struct reach *r = l->r;
	struct pass_sink also = { .self = l };
	uint64_t stops[2] = { r->begin.tick_before, r->begin.tick_after };
	int err;

	also.on[EV_PAGES_MAP] = on_map;
	also.on[EV_PAGES_UNMAP] = on_unmap;
	l->lives.watcher = (struct life_watcher){
		.self = l, .born = born, .resized = resized, .ended = ended, .stopped = stopped
	};
	l->lives.stops = stops;
	l->lives.stops_len = 2;
	l->lives.also[0] = &also;
	r->kept.filter = r->a->filter;
	r->kept.size_min = r->a->size_min;
	r->kept.size_max = r->a->size_max;
	r->a->filter = (struct pass_filter){ 0 };
	r->a->size_min = r->a->size_max = 0;
	err = lives_run(&l->lives, r->a);
	r->a->filter = r->kept.filter;
	r->a->size_min = r->kept.size_min;
	r->a->size_max = r->kept.size_max;
	return err;
}

/* ---- where is what -------------------------------------------------------------------------------------------- */

static int by_addr(const void *a, const void *b)
{
	const struct reach_block *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int sort_tables(struct loader *l)
{
	struct map_iter it = { 0 };

	if (l->r->blocks_len)
		qsort(l->r->blocks, l->r->blocks_len, sizeof(*l->r->blocks), by_addr);
	l->pages = malloc((l->touched.len + 1) * sizeof(*l->pages));
	if (!l->pages)
		return -ENOMEM;
	while (map_next(&l->touched, &it))
		l->pages[l->pages_len++] = it.key;
	qsort(l->pages, l->pages_len, sizeof(*l->pages), by_number);
	return 0;
}

/* Was ever a block in [from, to)? Blocks are told by their first and last pages. */
static bool had_blocks(const struct loader *l, uint64_t from, uint64_t to)
{
	size_t low = 0, high = l->pages_len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->pages[mid] < from >> PAGE_BITS)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->pages_len && l->pages[low] << PAGE_BITS < to;
}

static bool holds(const struct reach_block *b, uint64_t addr)
{
	return addr - b->addr < (b->size ? b->size : 1);
}

/* The block that holds `addr`, or NONE. *hint: where it was the last time. */
static uint32_t find_block(const struct reach *r, uint64_t addr, size_t *hint)
{
	size_t low = 0, high = r->blocks_len;

	if (*hint < r->blocks_len && holds(&r->blocks[*hint], addr))
		return (uint32_t)*hint;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->blocks[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || !holds(&r->blocks[low - 1], addr))
		return NONE;
	*hint = low - 1;
	return (uint32_t)(low - 1);
}

/* In memory of the program's own that no allocator uses? */
static bool is_mapped_root(const struct loader *l, uint64_t addr)
{
	if (l->area_is_root)
		return true;
	for (size_t i = 0; i < l->mapped.len; i++)
		if (addr - l->mapped.list[i].from < l->mapped.list[i].to - l->mapped.list[i].from)
			return true;
	return false;
}

/* Mappings that an allocator fills with blocks are no roots: what stands between blocks is its own. */
static void drop_arenas(struct loader *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->mapped.len; i++) {
		struct range *m = &l->mapped.list[i];

		if (m->from < m->to && !had_blocks(l, m->from, m->to))
			l->mapped.list[kept++] = *m;
	}
	l->mapped.len = kept;
}

/* ---- pointers ------------------------------------------------------------------------------------------------- */

static void add_root(struct reach *r, uint32_t to, bool is_interior)
{
	if (list_grow((void **)&r->roots, &r->roots_cap, r->roots_len, sizeof(*r->roots)))
		r->failed = true;
	else
		r->roots[r->roots_len++] = to << 1 | is_interior;
}

static void add_edge(struct reach *r, uint32_t from, uint32_t to, bool is_interior)
{
	if (list_grow((void **)&r->edges, &r->edges_cap, r->edges_len, sizeof(*r->edges)))
		r->failed = true;
	else
		r->edges[r->edges_len++] = (uint64_t)from << 32 | to << 1 | is_interior;
}

/*
 * glibc's malloc keeps pointers to the heads of free pieces in its data, and the head of a piece begins with the last 8
 * bytes of the block before it. Such a pointer is none to the block.
 */
static bool is_allocators(const struct loader *l, uint64_t location, const struct reach_block *b, uint64_t value)
{
	uint64_t piece = (b->size + 8 + 15) & ~(uint64_t)15;
	const struct module *m;

	if (value != b->addr + (piece < 32 ? 32 : piece) - 16)
		return false;
	m = modules_by_addr(&l->r->modules, location);
	return m && !strncmp(path_base(m->path), "libc", 4);
}

static void take_pointer(struct loader *l, unsigned kind, const struct pointer_stream *p)
{

	struct reach *r = l->r;
	uint32_t to = find_block(r, p->value, &l->value_hint), from;
	bool is_interior = to != NONE && r->blocks[to].addr != p->value;

	if (kind != REACH_MEMORY) {
		if (to != NONE && !(is_interior && is_allocators(l, p->location, &r->blocks[to], p->value)))
			add_root(r, to, is_interior);
		return;
	}
	from = find_block(r, p->location, &l->hint);
	if (from != NONE && to != NONE)
		add_edge(r, from, to, is_interior);
	else if (from != NONE && r->blocks[from].addr == p->location)
		r->blocks[from].first_word = p->value;
	else if (from == NONE && to != NONE && is_mapped_root(l, p->location))
		add_root(r, to, is_interior);
}

static void take_pointers(struct loader *l, const struct rsd_reach *head, const uint8_t *payload)
{
	struct pointer_stream p = { head->from, head->from };
	size_t at = 0, len;

	while ((len = pointer_get(payload + at, head->len - at, &p))) {
		take_pointer(l, head->kind, &p);
		at += len;
	}
}

static void take_pages(struct reach *r, const struct rsd_reach *head, const uint8_t *payload)
{
	uint64_t pages = (head->to - head->from) >> PAGE_BITS;

	if ((pages + 3) / 4 > head->len)
		return;
	if (list_grow((void **)&r->pages, &r->pages_cap, r->pages_len, sizeof(*r->pages))) {
		r->failed = true;
		return;
	}
	if (!list_reach((void **)&r->states, &r->states_cap, r->states_len + head->len, 1)) {
		r->failed = true;
		return;
	}
	memcpy(r->states + r->states_len, payload, head->len);
	r->pages[r->pages_len++] = (struct reach_pages){ head->from, head->to, r->states_len };
	r->states_len += head->len;
}

static int take_module(struct reach *r, const struct rsd_reach *head, const uint8_t *payload)
{
	struct meta_module m;
	int err;

	if (head->len < sizeof(m))
		return 0;
	memcpy(&m, payload, sizeof(m));
	if (m.path_len > head->len - sizeof(m))
		return 0;
	err = modules_add(&r->modules, (uint32_t)r->modules.len + 1, (const char *)payload + sizeof(m), m.path_len,
			  m.build_id, m.build_id_len, m.bias, m.start, m.end);
	return err == -ENOMEM ? err : 0;
}

static int take_record(void *self, const struct rsd_reach *head, const uint8_t *payload)
{
	struct loader *l = self;

	switch (head->kind) {
	case REACH_MODULE:
		return take_module(l->r, head, payload);
	case REACH_AREA:
		l->area = (struct range){ head->from, head->to };
		l->area_is_root = !(head->flags & REACH_GUARDED) && !had_blocks(l, head->from, head->to);
		return 0;
	case REACH_PAGES:
		take_pages(l->r, head, payload);
		return 0;
	case REACH_DATA:
	case REACH_STACK:
	case REACH_MEMORY:
		/* Roots of data and stacks come first in the snapshot; should they not, they count as mapped. */
		if (head->kind == REACH_MEMORY && !l->r->sure_roots)
			l->r->sure_roots = l->r->roots_len + 1;
		take_pointers(l, head, payload);
		return 0;
	default:
		return 0;
	}
}

static int index_edges(struct reach *r)
{
	size_t at = 0;

	for (size_t i = 1; i < r->edges_len; i++)
		if (r->edges[i - 1] >> 32 > r->edges[i] >> 32) {
			qsort(r->edges, r->edges_len, sizeof(*r->edges), by_number);
			break;
		}
	r->first_edge = malloc((r->blocks_len + 1) * sizeof(*r->first_edge));
	if (!r->first_edge)
		return -ENOMEM;
	for (size_t block = 0; block <= r->blocks_len; block++) {
		while (at < r->edges_len && r->edges[at] >> 32 < block)
			at++;
		r->first_edge[block] = at;
	}
	return 0;
}

static int load(struct reach *r)
{
	struct loader l = { .r = r };
	int err;

	map_init(&l.touched);
	err = run_pass(&l);
	err = err ? err : sort_tables(&l);
	if (!err)
		drop_arenas(&l);
	err = err ? err : snapshot_each(&r->a->rec, r->number, take_record, &l);
	r->sure_roots = r->sure_roots ? r->sure_roots - 1 : r->roots_len;
	err = err ? err : index_edges(r);
	map_release(&l.touched);
	free(l.pages);
	free(l.mapped.list);
	return err ? err : r->failed ? -ENOMEM : l.lives.sampled ? -EINVAL : 0;
}

/* ---- the whole ------------------------------------------------------------------------------------------------ */

int reach_open(struct reach *r, struct analysis *a, struct buf *error)
{
	struct snapshot_summary s;
	int err = snapshot_choose(&a->rec, &s);

	*r = (struct reach){ .a = a };
	modules_init(&r->modules);
	if (err == -ENOENT) {
		buf_printf(error, "%s: it has no snapshot of who points to what: record with -t reach=exit",
			   a->rec.reader.path);
		for (size_t i = 0; i < a->rec.notices_len; i++)
			if (!strncmp(a->rec.notices[i], "reach: ", 7)) {
				buf_add_string(error, " (");
				buf_add_safe(error, a->rec.notices[i], strlen(a->rec.notices[i]));
				buf_add_string(error, ")");
				break;
			}
		return -EINVAL;
	}
	if (err)
		return err;
	r->number = s.number;
	r->count = s.count;
	r->begin = s.begin;
	r->end = s.end;
	r->is_whole = s.is_whole;
	r->misses_blocks = recording_counter(&a->rec, COUNT_LOST_FULL) + recording_counter(&a->rec, COUNT_LOST_NESTED) +
				   recording_counter(&a->rec, COUNT_LOST_NO_THREAD) +
				   recording_counter(&a->rec, COUNT_LOST_RECYCLED) >
			   0;
	err = load(r);
	if (err == -EINVAL)
		buf_printf(error,
			   "%s: who points to what can only be told of an exact recording (heap=exact, not cut by "
			   "limit or budget)",
			   a->rec.reader.path);
	return err;
}

void reach_release(struct reach *r)
{
	modules_release(&r->modules);
	free(r->blocks);
	free(r->edges);
	free(r->first_edge);
	free(r->roots);
	free(r->pages);
	free(r->states);
	free(r->stack);
	*r = (struct reach){ 0 };
}

bool reach_wants(const struct reach *r, const struct reach_block *block)
{
	const struct pass_filter *f = &r->kept.filter;
	uint64_t ns = clock_ns(&r->a->rec.clock, block->born);

	if (ns < f->from_ns || (f->to_ns && ns >= f->to_ns))
		return false;
	if (f->threads && (block->thread >= r->a->rec.threads_len || !f->threads[block->thread]))
		return false;
	return block->size >= r->kept.size_min && (!r->kept.size_max || block->size <= r->kept.size_max);
}

static const struct reach_pages *pages_around(const struct reach *r, uint64_t addr)
{
	size_t low = 0, high = r->pages_len;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->pages[mid].to <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low < r->pages_len && addr >= r->pages[low].from ? &r->pages[low] : NULL;
}

void reach_resident(const struct reach *r, const struct reach_block *block, uint64_t *resident, uint64_t *swapped)
{
	uint64_t end = block->addr + block->size;

	*resident = *swapped = 0;
	for (uint64_t at = block->addr; at < end;) {
		uint64_t next = (at & ~(PAGE - 1)) + PAGE, index;
		const struct reach_pages *p = pages_around(r, at);
		unsigned state;

		if (next > end)
			next = end;
		if (p) {
			index = (at - p->from) >> PAGE_BITS;
			state = r->states[p->at + index / 4] >> index % 4 * 2 & 3;
			*resident += state & REACH_PAGE_RESIDENT ? next - at : 0;
			*swapped += state & REACH_PAGE_SWAPPED ? next - at : 0;
		}
		at = next;
	}
}

void reach_notes(const struct reach *r, struct buf *out)
{
	if (!r->is_whole)
		buf_printf(out, "the snapshot was not finished: what is lost can't be told\n");
	if (r->end.cut)
		buf_printf(out, "%" PRIu64 " pointers had no room in the dump: what is lost can't be told\n",
			   r->end.cut);
	if (r->misses_blocks)
		buf_printf(out, "events are missing from the recording, so not all blocks are known: what is lost "
				"can't be told\n");
	if (r->begin.threads > 1)
		buf_printf(out, "registers of other threads were not seen: what one of them held nowhere else seems "
				"lost\n");
	if (r->begin.residency != REACH_FROM_PAGEMAP)
		buf_printf(out, r->begin.residency == REACH_FROM_MINCORE
					? "/proc/self/pagemap could not be read: swapped pages count as untouched\n"
					: "which pages were there could not be told: all count as resident\n");
}
