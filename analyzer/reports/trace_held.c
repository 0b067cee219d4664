/* SPDX-License-Identifier: MIT */
/*
 * trace_held.c - what was done inside critical sections that others waited for: calls that blocked, allocations, and
 * long stretches on the CPU. Sections that nobody waited for are not recorded.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/models/recent.h"
#include "analyzer/reports/lock_names.h"
#include "analyzer/reports/report.h"
#include "analyzer/util/list.h"
#include "format/kinds.h"
#include "analyzer/util/whole.h"

#define RECENT_BLOCKS 1024u

enum deed_kind { DEED_WAIT, DEED_ALLOC, DEED_RUN };

struct deed {
	uint64_t lock;
	enum deed_kind kind;
	uint32_t wait;
	struct stack_id stack;
	uint64_t times, bytes;
	double ns, worst_ns; /* worst: in one section */
	double section_ns;
	uint64_t section; /* number of the section that section_ns is of */
};

struct block_event {
	uint64_t tick, size;
	struct stack_id stack;
};

struct recent_blocks {
	struct block_event list[RECENT_BLOCKS];
	uint64_t len;
};

struct held {
	struct report_run *r;
	struct report_window window;
	struct recent recent;
	struct recent_blocks **blocks; /* by thread index */
	struct lock_names names;
	struct deed *deeds;
	size_t len, cap;
	struct map index;
	uint64_t section, lock; /* that is being looked at */
	uint64_t sections, unknown_sections, held_ns;
	bool failed;
};

static struct deed *deed_at(struct held *h, enum deed_kind kind, uint32_t wait, struct stack_id stack)
{
	const uint64_t key[] = { h->lock, kind, wait, stack.v };
	bool is_new;
	uint64_t *at = map_at(&h->index, hash_bytes(key, sizeof(key)), &is_new);

	if (!at || (is_new && list_grow((void **)&h->deeds, &h->cap, h->len, sizeof(*h->deeds)))) {
		h->failed = true;
		return NULL;
	}
	if (is_new) {
		h->deeds[h->len] = (struct deed){ .lock = h->lock, .kind = kind, .wait = wait, .stack = stack };
		*at = h->len++;
	}
	return &h->deeds[*at];
}

static void add_ns(struct held *h, struct deed *d, double ns)
{
	if (d->section != h->section) {
		d->section = h->section;
		d->section_ns = 0;
		d->times++;
	}
	d->ns += ns;
	d->section_ns += ns;
	if (d->section_ns > d->worst_ns)
		d->worst_ns = d->section_ns;
}

static void part(void *self, const struct recent_part *p)
{
	struct held *h = self;
	/* Its own acquisition, to the tick. */
	bool is_entry = p->wait && p->object == h->lock;
	struct deed *d = !is_entry && (p->wait || p->is_known)
				 ? deed_at(h, p->wait ? DEED_WAIT : DEED_RUN, p->wait, p->stack)
				 : NULL;

	if (d)
		add_ns(h, d, (double)clock_dur_ns(&h->r->a->rec.clock, p->ticks));
}

static void look_at_blocks(struct held *h, const struct recent_blocks *blocks, uint64_t from, uint64_t to)
{
	uint64_t oldest = blocks->len > RECENT_BLOCKS ? blocks->len - RECENT_BLOCKS : 0;

	for (uint64_t i = blocks->len; i-- > oldest;) {
		const struct block_event *b = &blocks->list[i % RECENT_BLOCKS];
		struct deed *d;

		if (b->tick < from)
			return;
		d = b->tick < to ? deed_at(h, DEED_ALLOC, 0, b->stack) : NULL;
		if (!d)
			continue;
		d->times++;
		d->bytes += b->size;
	}
}

static void on_hold(void *self, const struct pass_event *e)
{
	struct held *h = self;
	const struct rec_hold *hold = &e->ev->hold;
	uint64_t from = e->tick - hold->held_ticks;

	if (e->tick < h->window.from || e->tick >= h->window.to || e->thread >= h->r->a->rec.threads_len)
		return;
	h->sections++;
	if (!hold->held_ticks || hold->held_ticks > e->tick) {
		h->unknown_sections++;
		return;
	}
	h->section++;
	h->lock = hold->object;
	h->held_ns += clock_dur_ns(&h->r->a->rec.clock, hold->held_ticks);
	recent_between(&h->recent, e->thread, from, e->tick, h, part);
	if (h->blocks[e->thread])
		look_at_blocks(h, h->blocks[e->thread], from, e->tick);
}

static void on_sample(void *self, const struct pass_event *e)
{
	recent_sample(&((struct held *)self)->recent, e);
}

static void stretch(void *self, const struct stretch *s)
{
	recent_stretch(&((struct held *)self)->recent, s);
}

static void born(void *self, struct life *life)
{
	struct held *h = self;
	struct recent_blocks **blocks;

	if (life->thread >= h->r->a->rec.threads_len)
		return;
	blocks = &h->blocks[life->thread];
	if (!*blocks)
		*blocks = calloc(1, sizeof(**blocks));
	if (!*blocks) {
		h->failed = true;
		return;
	}
	(*blocks)->list[(*blocks)->len++ % RECENT_BLOCKS] = (struct block_event){ life->born, life->size, life->stack };
}

static void row(const struct held *h, struct table *t, const struct deed *d)
{
	static const char *const words[] = { [DEED_WAIT] = "waits", [DEED_ALLOC] = "allocates", [DEED_RUN] = "runs" };
	const char *name = lock_name(&h->names, d->lock);

	table_row(t);
	table_text(t, name ? name : "[unknown]");
	table_text(t, words[d->kind]);
	table_text(t, d->kind == DEED_WAIT ? wait_name(d->wait) : NULL);
	table_number(t, (int64_t)d->times);
	if (d->kind == DEED_ALLOC) {
		table_skip(t);
		table_skip(t);
		table_number(t, (int64_t)d->bytes);
	} else {
		table_number(t, whole_i64(d->ns));
		table_number(t, whole_i64(d->worst_ns));
		table_skip(t);
	}
	report_stack_cell(h->r, t, d->stack);
}

static int print(struct held *h, struct page *page)
{
	struct table *t = page_table(page, "Done while holding", "deeds");

	page_fact(page, "critical sections", "sections", UNIT_COUNT, h->sections);
	page_fact(page, "held", "held_ns", UNIT_NS, h->held_ns);
	table_column(t, "lock", "lock", UNIT_TEXT);
	table_column(t, "its holder", "kind", UNIT_TEXT);
	table_column(t, "in", "wait", UNIT_TEXT);
	table_column(t, "times", "times", UNIT_COUNT);
	table_column(t, "time", "ns", UNIT_NS);
	table_column(t, "worst", "worst_ns", UNIT_NS);
	table_column(t, "bytes", "bytes", UNIT_BYTES);
	table_column(t, "where", "stack", UNIT_STACK);
	for (size_t i = 0; i < h->len; i++)
		row(h, t, &h->deeds[i]);
	page_note(page,
		  "only sections that others waited for are known, from the acquisition to the release. worst: in one "
		  "section. runs: by CPU samples");
	if (h->unknown_sections)
		page_note(page, "of %" PRIu64 " sections the time of acquisition is not known", h->unknown_sections);
	return report_order(h->r, t, 4);
}

static int run(struct held *h)
{
	struct activity a = { .self = h, .stretch = stretch };
	struct pass_sink own = { .self = h, .on = { [EV_HOLD] = on_hold, [EV_SAMPLE] = on_sample } };
	struct pass_sink spans, locks[2];
	struct lives lives = { .watcher = { .self = h, .born = born } };
	int err = activity_init(&a, &h->r->a->rec);

	spans = activity_sink(&a);
	lock_names_sinks(&h->names, locks);
	lives.also[0] = &spans;
	lives.also[1] = &own;
	lives.also[2] = &locks[1];
	err = err ? err : lives_run(&lives, h->r->a);
	activity_release(&a);
	err = err ? err : lock_names_finish(&h->names);
	return !err && (h->failed || h->recent.failed) ? -ENOMEM : err;
}

int report_trace_held(struct report_run *r, struct page *page)
{
	struct held h = { .r = r, .window = report_window(r) };
	int err = recent_init(&h.recent, &r->a->rec);

	map_init(&h.index);
	h.blocks = calloc(r->a->rec.threads_len + 1, sizeof(*h.blocks));
	err = err ? err : lock_names_init(&h.names, &r->a->rec);
	err = err ? err : h.blocks ? run(&h) : -ENOMEM;
	err = err ? err : print(&h, page);
	for (size_t i = 0; h.blocks && i < r->a->rec.threads_len; i++)
		free(h.blocks[i]);
	free(h.blocks);
	free(h.deeds);
	lock_names_release(&h.names);
	recent_release(&h.recent);
	map_release(&h.index);
	return err;
}
