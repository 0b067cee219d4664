/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/pass.h"
#include "format/kinds.h"

#define CURSOR_BUFFER 32768u
#define PROGRESS_EVERY 65536u
#define SINKS_MAX 16

/* One open extent. data[at, len) is read and not yet decoded, `left` bytes of the extent are still in the file. */
struct cursor {
	const struct extent *ext;
	struct codec_state state;
	struct rsd_event ev;
	uint64_t key; /* tick of ev, never before the extent's previous one */
	uint64_t offset, left;
	uint32_t thread;
	uint32_t at, len;
	uint8_t data[CURSOR_BUFFER];
};

struct listener {
	void *self;
	void (*call)(void *self, const struct pass_event *e);
};

struct pass {
	struct recording *rec;
	const struct pass_filter *filter;
	uint64_t from_tick, to_tick;
	struct extent **waiting; /* not yet opened, by first_tick */
	size_t waiting_len, waiting_at;
	struct cursor **heap; /* open cursors, the earliest at 0 */
	size_t heap_len, heap_cap;
	struct listener listeners[EV_LIMIT][SINKS_MAX];
	unsigned listeners_len[EV_LIMIT];
	struct pass_stats *stats;
	uint64_t last_tick, bytes_done, bytes_total;
};

/* ---- one extent ----------------------------------------------------------------------------------------------- */

static int cursor_fill(struct cursor *c, struct pass *p)
{
	size_t keep = c->len - c->at, take = sizeof(c->data) - keep;
	int err;

	if (take > c->left)
		take = c->left;
	memmove(c->data, c->data + c->at, keep);
	c->at = 0;
	c->len = (uint32_t)keep;
	if (!take)
		return 0;
	err = reader_read(&p->rec->reader, c->offset, c->data + keep, take);
	if (err == -EBADMSG) {
		reader_damage(&p->rec->reader, c->offset, reader_words(err));
		c->left = 0;
		return 0;
	}
	if (err)
		return err;
	c->len += (uint32_t)take;
	c->offset += take;
	c->left -= take;
	p->bytes_done += take;
	if (p->rec->reader.header.ring_bytes && p->rec->is_live && reader_is_recycled(&p->rec->reader, c->ext)) {
		p->stats->recycled++;
		c->len = c->at;
		c->left = 0;
	}
	return 0;
}

/* Decode the next record that is an event. Returns 1, 0 at the end of the extent, -errno. */
static int cursor_next(struct cursor *c, struct pass *p)
{
	for (;;) {
		size_t n;

		if (c->len - c->at < CODEC_RECORD_MAX * 8 && c->left) {
			int err = cursor_fill(c, p);

			if (err)
				return err;
		}
		if (c->at == c->len)
			return 0;
		n = codec_get(c->data + c->at, c->len - c->at, &c->state, &c->ev);
		if (!n) {
			reader_damage(&p->rec->reader, c->offset - (c->len - c->at), "a record that makes no sense");
			return 0;
		}
		c->at += (uint32_t)n;
		if (c->ev.kind == EV_THREAD)
			c->thread = c->ev.thread.thread;
		if (c->ev.tick > c->key)
			c->key = c->ev.tick;
		if (c->ev.kind != EV_THREAD)
			return 1;
	}
}

/* ---- heap of cursors ------------------------------------------------------------------------------------------ */

static bool is_free(const struct rsd_event *ev)
{
	return ev->kind == EV_FREE || ev->kind == EV_REALLOC_FREE || ev->kind == EV_PAGES_UNMAP ||
	       ev->kind == EV_POOL_FREE;
}

static bool is_before(const struct cursor *a, const struct cursor *b)
{
	if (a->key != b->key)
		return a->key < b->key;
	if (is_free(&a->ev) != is_free(&b->ev))
		return is_free(&a->ev);
	return a->ext->seq < b->ext->seq;
}

static void sift_down(struct pass *p, size_t at)
{
	struct cursor *c = p->heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= p->heap_len)
			break;
		if (child + 1 < p->heap_len && is_before(p->heap[child + 1], p->heap[child]))
			child++;
		if (!is_before(p->heap[child], c))
			break;
		p->heap[at] = p->heap[child];
		at = child;
	}
	p->heap[at] = c;
}

static int heap_push(struct pass *p, struct cursor *c)
{
	size_t at = p->heap_len;

	if (at == p->heap_cap) {
		size_t cap = p->heap_cap ? 2 * p->heap_cap : 16;
		struct cursor **heap = realloc(p->heap, cap * sizeof(*heap));

		if (!heap)
			return -ENOMEM;
		p->heap = heap;
		p->heap_cap = cap;
	}
	p->heap_len++;
	while (at && is_before(c, p->heap[(at - 1) / 2])) {
		p->heap[at] = p->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	p->heap[at] = c;
	return 0;
}

static int open_extent(struct pass *p, const struct extent *ext)
{
	struct cursor *c = malloc(sizeof(*c));
	int got;

	if (!c)
		return -ENOMEM;
	c->ext = ext;
	c->state = (struct codec_state){ ext->base.tick, ext->base_addr };
	c->key = 0;
	c->offset = ext->offset;
	c->left = ext->size;
	c->thread = ext->thread;
	c->at = c->len = 0;
	got = cursor_next(c, p);
	if (got == 1)
		got = heap_push(p, c);
	else if (!got)
		free(c), c = NULL;
	if (got < 0)
		free(c);
	return got < 0 ? got : 0;
}

/* Open every extent that may hold something as early as the earliest open one. */
static int open_due(struct pass *p)
{
	while (p->waiting_at < p->waiting_len &&
	       (!p->heap_len || p->waiting[p->waiting_at]->first_tick <= p->heap[0]->key)) {
		int err = open_extent(p, p->waiting[p->waiting_at++]);

		if (err)
			return err;
	}
	return 0;
}

static int advance_first(struct pass *p)
{
	int got = cursor_next(p->heap[0], p);

	if (got < 0)
		return got;
	if (!got) {
		free(p->heap[0]);
		p->heap[0] = p->heap[--p->heap_len];
	}
	if (p->heap_len > 1)
		sift_down(p, 0);
	return 0;
}

/* ---- delivery ------------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct pass *p, const struct pass_event *e)
{
	if (e->tick < p->from_tick || e->tick >= p->to_tick)
		return false;
	if (!p->filter || !p->filter->threads || is_free(e->ev))
		return true;
	return e->thread != PASS_NO_THREAD && p->filter->threads[e->thread];
}

static void deliver(struct pass *p, const struct cursor *c)
{
	const struct rsd_event *ev = &c->ev;
	uint32_t thread = ev->kind == EV_SAMPLE ? ev->sample.thread : c->thread;
	struct pass_event e = { .ev = ev,
				.tick = c->key,
				.thread = recording_thread(p->rec, thread) ? thread : PASS_NO_THREAD };

	if (c->key > p->last_tick)
		p->last_tick = c->key;
	if (!kind_info(ev->kind)) {
		p->stats->unknown++;
		return;
	}
	p->stats->events++;
	p->stats->by_kind[ev->kind]++;
	if (!is_wanted(p, &e))
		return;
	for (unsigned i = 0; i < p->listeners_len[ev->kind]; i++)
		p->listeners[ev->kind][i].call(p->listeners[ev->kind][i].self, &e);
}

static int compare_extents(const void *a, const void *b)
{
	const struct extent *x = *(const struct extent *const *)a, *y = *(const struct extent *const *)b;

	if (x->first_tick != y->first_tick)
		return x->first_tick < y->first_tick ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int pass_begin(struct pass *p, const struct pass_sink *const *sinks, size_t sinks_len)
{
	struct reader *r = &p->rec->reader;

	p->waiting = malloc((r->extents_len + 1) * sizeof(struct extent *));
	if (!p->waiting)
		return -ENOMEM;
	for (size_t i = 0; i < r->extents_len; i++)
		if (r->extents[i].kind == RSD_EXTENT_EVENTS || r->extents[i].kind == RSD_EXTENT_SAMPLES) {
			p->waiting[p->waiting_len++] = &r->extents[i];
			p->bytes_total += r->extents[i].size;
		}
	qsort(p->waiting, p->waiting_len, sizeof(*p->waiting), compare_extents);
	for (size_t i = 0; i < sinks_len; i++)
		for (unsigned kind = 0; kind < EV_LIMIT; kind++)
			if (sinks[i]->on[kind] && p->listeners_len[kind] < SINKS_MAX)
				p->listeners[kind][p->listeners_len[kind]++] =
					(struct listener){ sinks[i]->self, sinks[i]->on[kind] };
	return 0;
}

static void set_window(struct pass *p)
{
	p->to_tick = UINT64_MAX;
	if (!p->filter)
		return;
	if (p->filter->from_ns)
		p->from_tick = clock_tick(&p->rec->clock, p->filter->from_ns);
	if (p->filter->to_ns)
		p->to_tick = clock_tick(&p->rec->clock, p->filter->to_ns);
}

int pass_run(struct recording *rec, const struct pass_filter *filter, const struct pass_sink *const *sinks,
	     size_t sinks_len, struct pass_stats *stats, void (*progress)(double share))
{
	struct pass p = { .rec = rec, .filter = filter, .stats = stats };
	uint64_t turns = 0;
	int err = pass_begin(&p, sinks, sinks_len);

	set_window(&p);
	while (!err && !(err = open_due(&p)) && p.heap_len) {
		deliver(&p, p.heap[0]);
		err = advance_first(&p);
		if (progress && ++turns % PROGRESS_EVERY == 0)
			progress((double)p.bytes_done / (double)(p.bytes_total + 1));
	}
	while (p.heap_len)
		free(p.heap[--p.heap_len]);
	free(p.heap);
	free(p.waiting);
	if (p.last_tick > rec->end_tick && !rec->reader.header.end.tick)
		rec->end_tick = p.last_tick;
	return err;
}
