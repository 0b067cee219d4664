/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/read/pass.h"
#include "analyzer/util/list.h"
#include "analyzer/util/map.h"

#define PROGRESS_EVERY (256u << 10) /* bytes */
#define SINKS_MAX 16

/* One open extent: events [at, end) of its batch were not delivered yet. */
struct cursor {
	uint64_t tick; /* of at: what is compared most is not far away */
	const struct pass_event *at, *end;
	uint64_t seq;
	struct stream *stream;
	bool is_pure; /* nothing but blocks in the batch */
};

struct listener {
	void *self;
	void (*call)(void *self, const struct pass_event *e);
};

struct pass {
	struct recording *rec;
	const struct pass_filter *filter;
	uint64_t from_tick, to_tick;
	bool is_filtered;
	bool wants_records; /* somebody asks for blocks one at a time */
	struct extent **waiting; /* not yet opened, by first_tick */
	size_t waiting_len, waiting_at;
	struct streams *streams;
	struct cursor *heap; /* open extents, the earliest at 0 */
	size_t heap_len, heap_cap;
	struct listener listeners[EV_LIMIT][SINKS_MAX];
	unsigned listeners_len[EV_LIMIT];
	const struct pass_sink *blocks; /* whose on_blocks is asked; NULL: nobody's */
	struct map adopted;		/* address -> tick of the blocks that were told before all others */
	struct pass_stats *stats;
};

/* ---- heap of cursors ------------------------------------------------------------------------------------------ */

static bool is_free(unsigned kind)
{
	return kind == EV_FREE || kind == EV_REALLOC_FREE || kind == EV_PAGES_UNMAP || kind == EV_POOL_FREE;
}

static bool is_before(const struct cursor *a, const struct cursor *b)
{
	if (a->tick != b->tick)
		return a->tick < b->tick;
	if (is_free(a->at->kind) != is_free(b->at->kind))
		return is_free(a->at->kind);
	return a->seq < b->seq;
}

static void sift_down(struct pass *p)
{
	struct cursor c = p->heap[0];
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= p->heap_len)
			break;
		if (child + 1 < p->heap_len && is_before(&p->heap[child + 1], &p->heap[child]))
			child++;
		if (!is_before(&p->heap[child], &c))
			break;
		p->heap[at] = p->heap[child];
		at = child;
	}
	p->heap[at] = c;
}

static int heap_push(struct pass *p, const struct cursor *c)
{
	size_t at = p->heap_len;

	if (list_grow((void **)&p->heap, &p->heap_cap, p->heap_len, sizeof(*p->heap)))
		return -ENOMEM;
	p->heap_len++;
	while (at && is_before(c, &p->heap[(at - 1) / 2])) {
		p->heap[at] = p->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	p->heap[at] = *c;
	return 0;
}

/* Returns 1, 0 at the end of the extent, -errno. */
static int cursor_fill(struct pass *p, struct cursor *c)
{
	const struct batch *b;
	int got = stream_next(c->stream, &b, p->stats);

	if (got != 1)
		return got;
	c->at = b->events;
	c->end = b->events + b->len;
	c->is_pure = !b->records_len;
	return 1;
}

/* Open every extent that may hold something as early as the earliest open one. */
static int open_due(struct pass *p)
{
	while (p->waiting_at < p->waiting_len &&
	       (!p->heap_len || p->waiting[p->waiting_at]->first_tick <= p->heap[0].tick)) {
		const struct extent *ext = p->waiting[p->waiting_at++];
		struct cursor c = { .seq = ext->seq };
		int got = stream_open(p->streams, ext, &c.stream);

		got = got ? got : cursor_fill(p, &c);
		if (got == 1) {
			c.tick = c.at->tick;
			got = heap_push(p, &c);
		}
		if (got)
			return got;
	}
	return 0;
}

/* The first cursor has moved: find out who is first now. */
static int settle(struct pass *p)
{
	struct cursor *c = &p->heap[0];
	int got = c->at < c->end ? 1 : cursor_fill(p, c);

	if (got < 0)
		return got;
	if (got)
		c->tick = c->at->tick;
	if (!got)
		p->heap[0] = p->heap[--p->heap_len];
	if (p->heap_len > 1)
		sift_down(p);
	return 0;
}

/*
 * How many events of the first cursor come before those of all others: at least one. An equal tick ends it, so that
 * only is_before has to know about those.
 */
static size_t run_length(const struct pass *p)
{
	const struct cursor *c = &p->heap[0];
	const struct pass_event *e = c->at + 1;
	uint64_t limit = p->waiting_at < p->waiting_len ? p->waiting[p->waiting_at]->first_tick : UINT64_MAX;

	for (size_t child = 1; child < 3 && child < p->heap_len; child++)
		if (p->heap[child].tick < limit)
			limit = p->heap[child].tick;
	if (c->end[-1].tick < limit)
		return (size_t)(c->end - c->at);
	while (e < c->end && e->tick < limit)
		e++;
	return (size_t)(e - c->at);
}

/* ---- delivery ------------------------------------------------------------------------------------------------- */

/* The record of a block that was adopted is there after all: in an extent that another thread began. */
static bool is_adopted(struct pass *p, const struct pass_event *e)
{
	uint64_t tick;

	return p->adopted.len && e->kind == EV_SAMPLED_ALLOC && map_get(&p->adopted, e->addr, &tick) && tick == e->tick;
}

static bool is_wanted(struct pass *p, const struct pass_event *e)
{
	if (e->tick < p->from_tick || e->tick >= p->to_tick || is_adopted(p, e))
		return false;
	if (!p->filter || !p->filter->threads || is_free(e->kind))
		return true;
	return e->thread != PASS_NO_THREAD && p->filter->threads[e->thread];
}

static void hand_out(struct pass *p, const struct pass_event *e)
{
	if (p->blocks && pass_is_block(e->kind)) {
		p->blocks->on_blocks(p->blocks->self, e, 1, 0);
		return;
	}
	for (unsigned i = 0; i < p->listeners_len[e->kind]; i++)
		p->listeners[e->kind][i].call(p->listeners[e->kind][i].self, e);
}

static void deliver_one(struct pass *p, const struct pass_event *e)
{
	if (!p->is_filtered || is_wanted(p, e))
		hand_out(p, e);
}

static size_t blocks_at(const struct pass_event *e, const struct pass_event *end, bool is_pure)
{
	const struct pass_event *at = is_pure ? end : e;

	while (at < end && pass_is_block(at->kind))
		at++;
	return (size_t)(at - e);
}

static void deliver(struct pass *p)
{
	struct cursor *c = &p->heap[0];
	size_t len = run_length(p), blocks;
	bool in_runs = !p->wants_records && (!p->blocks || !p->is_filtered);

	for (const struct pass_event *e = c->at, *end = e + len; e < end; e += blocks) {
		blocks = in_runs ? blocks_at(e, end, c->is_pure) : 0;
		if (!blocks) {
			deliver_one(p, e);
			blocks = 1;
		} else if (p->blocks) {
			p->blocks->on_blocks(p->blocks->self, e, blocks, (size_t)(c->end - e) - blocks);
		}
	}
	c->at += len;
}

/* ---- what a ring has overwritten ------------------------------------------------------------------------------ */

/* By thread: the tick from which on its events are in the file. */
static uint64_t *first_ticks(const struct recording *rec)
{
	uint64_t *first = malloc((rec->threads_len + 1) * sizeof(*first));

	for (size_t i = 0; first && i <= rec->threads_len; i++)
		first[i] = UINT64_MAX;
	for (size_t i = 0; first && i < rec->reader.extents_len; i++) {
		const struct extent *ext = &rec->reader.extents[i];

		if (ext->kind == RSD_EXTENT_EVENTS && ext->thread < rec->threads_len &&
		    ext->first_tick < first[ext->thread])
			first[ext->thread] = ext->first_tick;
	}
	return first;
}

static int adopt_block(struct pass *p, const struct rsd_live *block)
{
	struct pass_event e = { .tick = block->tick,
				.addr = block->addr,
				.size = block->size,
				.stack = block->stack,
				.thread = block->thread < p->rec->threads_len ? block->thread : PASS_NO_THREAD,
				.kind = EV_SAMPLED_ALLOC };

	hand_out(p, &e);
	return map_put(&p->adopted, block->addr, block->tick);
}

/*
 * Sampled blocks that are alive and whose allocation a ring has overwritten are known from the dump's table of them. In
 * a window that begins later, and of chosen threads, nothing was allocated before the first event.
 */
static int adopt(struct pass *p)
{
	const struct recording *rec = p->rec;
	uint64_t *first;
	int err = 0;

	if (!rec->live_len || !p->blocks || (p->filter && (p->filter->from_ns || p->filter->threads)))
		return 0;
	first = first_ticks(rec);
	if (!first)
		return -ENOMEM;
	for (size_t i = 0; !err && i < rec->live_len; i++) {
		uint32_t thread = rec->live[i].thread;

		if (rec->live[i].tick < first[thread < rec->threads_len ? thread : rec->threads_len])
			err = adopt_block(p, &rec->live[i]);
	}
	free(first);
	p->is_filtered |= p->adopted.len != 0;
	return err;
}

/* ---- the pass ------------------------------------------------------------------------------------------------- */

static int compare_extents(const void *a, const void *b)
{
	const struct extent *x = *(const struct extent *const *)a, *y = *(const struct extent *const *)b;

	if (x->first_tick != y->first_tick)
		return x->first_tick < y->first_tick ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int list_extents(struct pass *p, uint64_t *bytes)
{
	struct reader *r = &p->rec->reader;

	p->waiting = malloc((r->extents_len + 1) * sizeof(struct extent *));
	if (!p->waiting)
		return -ENOMEM;
	for (size_t i = 0; i < r->extents_len; i++)
		if (r->extents[i].kind == RSD_EXTENT_EVENTS || r->extents[i].kind == RSD_EXTENT_SAMPLES) {
			p->waiting[p->waiting_len++] = &r->extents[i];
			*bytes += r->extents[i].size;
		}
	qsort(p->waiting, p->waiting_len, sizeof(*p->waiting), compare_extents);
	return 0;
}

/* Who wants what. *has_records: somebody wants blocks with their records. */
static int list_listeners(struct pass *p, const struct pass_sink *const *sinks, size_t sinks_len, bool *has_records)
{
	for (size_t i = 0; i < sinks_len; i++) {
		if (sinks[i]->on_blocks && p->blocks)
			return -EINVAL;
		if (sinks[i]->on_blocks)
			p->blocks = sinks[i];
		for (unsigned kind = 0; kind < EV_LIMIT; kind++) {
			if (!sinks[i]->on[kind] || p->listeners_len[kind] == SINKS_MAX)
				continue;
			*has_records |= pass_is_block(kind);
			p->listeners[kind][p->listeners_len[kind]++] =
				(struct listener){ sinks[i]->self, sinks[i]->on[kind] };
		}
	}
	return p->blocks && *has_records ? -EINVAL : 0;
}

static void set_window(struct pass *p)
{
	const struct pass_filter *f = p->filter;

	p->to_tick = UINT64_MAX;
	if (!f)
		return;
	p->is_filtered = f->from_ns || f->to_ns || f->threads;
	if (f->from_ns)
		p->from_tick = clock_tick(&p->rec->clock, f->from_ns);
	if (f->to_ns)
		p->to_tick = clock_tick(&p->rec->clock, f->to_ns);
}

int pass_run(struct recording *rec, const struct pass_filter *filter, const struct pass_sink *const *sinks,
	     size_t sinks_len, unsigned workers, struct pass_stats *stats, void (*progress)(double share))
{
	struct pass p = { .rec = rec, .filter = filter, .stats = stats };
	uint64_t bytes = 1, next = PROGRESS_EVERY;
	bool has_records = false;
	int err = list_listeners(&p, sinks, sinks_len, &has_records);

	err = err ? err : list_extents(&p, &bytes);
	p.wants_records = has_records;
	p.streams = err ? NULL : streams_new(rec, workers, has_records);
	if (!err && !p.streams)
		err = -ENOMEM;
	map_init(&p.adopted);
	set_window(&p);
	err = err ? err : adopt(&p);
	while (!err && !(err = open_due(&p)) && p.heap_len) {
		deliver(&p);
		err = settle(&p);
		if (progress && stats->bytes >= next) {
			next = stats->bytes + PROGRESS_EVERY;
			progress((double)stats->bytes / (double)bytes);
		}
	}
	streams_free(p.streams);
	map_release(&p.adopted);
	free(p.heap);
	free(p.waiting);
	if (stats->last_tick > rec->end_tick && !rec->reader.header.end.tick)
		rec->end_tick = stats->last_tick;
	return err;
}
