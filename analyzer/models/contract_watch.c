/* SPDX-License-Identifier: MIT */
/*
 * contract_watch.c - rules about events, in one pass.
 *
 * A rule asks its questions from the cheapest on: the kind of event, the time, the thread, the open regions of the
 * thread, and last the stack, whose answer is remembered by stack. Regions are known from their own records, by thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/contract.h"
#include "analyzer/models/waits.h"
#include "analyzer/symbols/stack_index.h"
#include "analyzer/util/list.h"

enum { STACK_OUTSIDE = 1, STACK_INSIDE = 2 };

/* More open regions in one thread were begun and never ended: the oldest are forgotten. */
#define REGIONS_MAX 1024u

/* A region that has begun, and what each rule that sums by region has counted in it. */
struct open_region {
	uint64_t id;
	uint32_t name;	/* string id */
	uint64_t *used; /* by rule; NULL: no rule sums here */
	size_t *breach; /* by rule: number of its breach in the rule's list + 1, 0: none yet */
};

struct thread_regions {
	struct open_region *list;
	size_t len, cap;
};

/* What is kept of a rule during the pass. */
struct watched {
	struct contract *rule;
	uint64_t from_tick, to_tick;
	bool *threads;		       /* by index: the name matches; NULL: all */
	struct stack_index inside;     /* STACK_* */
	struct map region, per_region; /* string id -> STACK_* */
	uint64_t used;		       /* PER_RUN */
	size_t breach;		       /* PER_RUN: as open_region.breach */
	bool has_blind;		       /* an event without the stack that it takes to decide */
};

struct watch {
	struct contracts *contracts;
	struct analysis *a;
	const char *process;
	struct watched *list; /* rules about events */
	size_t len;
	struct thread_regions *regions; /* by thread index + 1 */
	bool has_samples, failed;
};

/* One event as rules see it. */
struct happening {
	uint64_t tick, amount;
	uint32_t thread, stack; /* stack: the dump's id */
	enum contract_what what;
	bool is_resize; /* half of a realloc */
};

/* ---- names ---------------------------------------------------------------------------------------------------- */

static struct thread_regions *regions_of(struct watch *w, uint32_t thread)
{
	return &w->regions[thread < w->a->rec.threads_len ? thread + 1 : 0];
}

/* Does the name of a string id match? Remembered, as it is read from the file. */
static bool string_matches(struct watch *w, const struct name_pattern *pattern, struct map *known, uint32_t id)
{
	uint64_t *at = map_at(known, id, NULL);
	struct buf text = { 0 };

	if (!at) {
		w->failed = true;
		return false;
	}
	if (!*at) {
		recording_string(&w->a->rec, id, &text);
		*at = name_matches(pattern, buf_string(&text)) ? STACK_INSIDE : STACK_OUTSIDE;
		buf_release(&text);
	}
	return *at == STACK_INSIDE;
}

static void thread_name(const struct rsd_thread *slot, char out[17])
{
	memcpy(out, slot->name, 16);
	out[16] = '\0';
}

static int choose_threads(struct watched *r, const struct recording *rec)
{
	char name[17], tid[16];

	if (!r->rule->thread.text)
		return 0;
	r->threads = calloc(rec->threads_len + 1, sizeof(*r->threads));
	for (uint32_t i = 0; r->threads && i < rec->threads_len; i++) {
		const struct rsd_thread *slot = recording_thread(rec, i);

		if (!slot)
			continue;
		thread_name(slot, name);
		snprintf(tid, sizeof(tid), "%u", slot->tid);
		r->threads[i] = name_matches(&r->rule->thread, name) || name_matches(&r->rule->thread, tid);
	}
	return r->threads ? 0 : -ENOMEM;
}

/* ---- one rule, one event -------------------------------------------------------------------------------------- */

static bool is_about(const struct contract *rule, const struct happening *h)
{
	switch (rule->what) {
	case WHAT_REALLOC:
		return h->what == WHAT_MALLOC && h->is_resize;
	case WHAT_HEAP: /* a realloc is one call */
		return h->what == WHAT_MALLOC || (h->what == WHAT_FREE && !h->is_resize);
	default:
		return h->what == rule->what;
	}
}

static bool asks_stack(const struct contract *rule)
{
	return rule->function.text || rule->module.text;
}

static bool look_at_stack(struct watch *w, const struct contract *rule, struct stack_id stack)
{
	struct frame_walk walk = { .stacks = w->a->rec.stacks, .id = stack };
	bool has_function = !rule->function.text, has_module = !rule->module.text;
	const struct frame *frame;

	while (!(has_function && has_module) && (frame = stacks_next_frame(&walk))) {
		has_function = has_function || name_matches_frame(&rule->function, frame);
		has_module = has_module || name_matches(&rule->module, frame->module);
	}
	return has_function && has_module;
}

static bool is_inside(struct watch *w, struct watched *r, const struct happening *h)
{
	struct stack_id stack = recording_stack(&w->a->rec, h->stack);
	uint32_t known;

	if (!stack.v) {
		r->has_blind = true;
		return false;
	}
	known = stack_index_get(&r->inside, stack);
	if (!known) {
		known = look_at_stack(w, r->rule, stack) ? STACK_INSIDE : STACK_OUTSIDE;
		w->failed |= stack_index_put(&r->inside, stack, known) != 0;
	}
	r->rule->cut += known == STACK_OUTSIDE && stacks_cut(w->a->rec.stacks, stack) != CUT_NONE;
	return known == STACK_INSIDE;
}

static bool is_in_region(struct watch *w, struct watched *r, uint32_t thread)
{
	const struct thread_regions *regions = regions_of(w, thread);

	for (size_t i = 0; i < regions->len; i++)
		if (string_matches(w, &r->rule->region, &r->region, regions->list[i].name))
			return true;
	return false;
}

static bool applies(struct watch *w, struct watched *r, const struct happening *h)
{
	const struct contract *rule = r->rule;

	return is_about(rule, h) && h->tick >= r->from_tick && h->tick < r->to_tick &&
	       (!r->threads || (h->thread < w->a->rec.threads_len && r->threads[h->thread])) &&
	       (!rule->region.text || is_in_region(w, r, h->thread)) && (!asks_stack(rule) || is_inside(w, r, h));
}

/* ---- breaches ------------------------------------------------------------------------------------------------- */

/* Its number in the list + 1; 0: it is counted only. */
static size_t add_breach(struct watch *w, struct contract *rule, const struct happening *h, uint64_t amount)
{
	const struct rsd_thread *slot = recording_thread(&w->a->rec, h->thread);
	struct breach *b;

	rule->breaches++;
	if (w->contracts->keep && rule->list_len >= w->contracts->keep)
		return 0;
	if (list_grow((void **)&rule->list, &rule->list_cap, rule->list_len, sizeof(*rule->list))) {
		w->failed = true;
		return 0;
	}
	b = &rule->list[rule->list_len++];
	*b = (struct breach){ .ns = clock_ns(&w->a->rec.clock, h->tick),
			      .amount = amount,
			      .stack = recording_stack(&w->a->rec, h->stack),
			      .process = w->process ? strdup(w->process) : NULL };
	if (slot) {
		b->tid = slot->tid;
		thread_name(slot, b->thread);
	}
	return rule->list_len;
}

/* A sum grows; the breach is where it crossed the limit, and says what it came to. */
static void add_to_sum(struct watch *w, struct contract *rule, const struct happening *h, uint64_t *used,
		       size_t *breach)
{
	bool was_within = *used <= rule->limit;

	*used += rule->counts_events ? 1 : h->amount;
	if (*used <= rule->limit)
		return;
	if (was_within)
		*breach = add_breach(w, rule, h, *used);
	else if (*breach)
		rule->list[*breach - 1].amount = *used;
}

static void add_to_regions(struct watch *w, struct watched *r, const struct happening *h)
{
	struct thread_regions *regions = regions_of(w, h->thread);
	size_t number = (size_t)(r - w->list);

	for (size_t i = 0; i < regions->len; i++) {
		struct open_region *region = &regions->list[i];

		if (region->used && string_matches(w, &r->rule->per_region, &r->per_region, region->name))
			add_to_sum(w, r->rule, h, &region->used[number], &region->breach[number]);
	}
}

static void judge(struct watch *w, struct watched *r, const struct happening *h)
{
	r->rule->events++;
	switch (r->rule->per) {
	case PER_CALL:
		if (r->rule->counts_events || h->amount > r->rule->limit)
			add_breach(w, r->rule, h, h->amount);
		break;
	case PER_REGION:
		add_to_regions(w, r, h);
		break;
	case PER_RUN:
		add_to_sum(w, r->rule, h, &r->used, &r->breach);
		break;
	}
}

static void happen(struct watch *w, const struct happening *h)
{
	for (size_t i = 0; i < w->len; i++)
		if (applies(w, &w->list[i], h))
			judge(w, &w->list[i], h);
}

/* ---- the pass ------------------------------------------------------------------------------------------------- */

static void on_blocks(void *self, const struct pass_event *e, size_t len, size_t ahead)
{
	struct watch *w = self;

	(void)ahead;
	for (size_t i = 0; i < len; i++) {
		struct happening h = { .tick = e[i].tick, .thread = e[i].thread, .stack = e[i].stack };
		bool is_free = e[i].kind == EV_FREE || e[i].kind == EV_REALLOC_FREE;

		if (!e[i].addr)
			continue;
		h.what = is_free ? WHAT_FREE : WHAT_MALLOC;
		h.amount = is_free ? 0 : e[i].size;
		h.is_resize = e[i].kind == EV_REALLOC_FREE || e[i].kind == EV_REALLOC_ALLOC;
		w->has_samples |= e[i].kind == EV_SAMPLED_ALLOC;
		happen(w, &h);
	}
}

static void on_span(void *self, const struct pass_event *e)
{
	struct watch *w = self;
	struct span_time time = span_split(&w->a->rec.clock, &e->ev->span);
	struct happening h = { .tick = e->tick,
			       .amount = time.blocked_ns,
			       .thread = e->thread,
			       .stack = e->ev->span.stack,
			       .what = WHAT_WAIT };

	happen(w, &h);
}

static bool sums_here(struct watch *w, uint32_t name)
{
	for (size_t i = 0; i < w->len; i++)
		if (w->list[i].rule->per == PER_REGION &&
		    string_matches(w, &w->list[i].rule->per_region, &w->list[i].per_region, name))
			return true;
	return false;
}

static void close_region(struct open_region *region)
{
	free(region->used);
	free(region->breach);
}

static void forget_oldest(struct thread_regions *regions)
{
	close_region(&regions->list[0]);
	memmove(regions->list, regions->list + 1, --regions->len * sizeof(*regions->list));
}

static void on_region_begin(void *self, const struct pass_event *e)
{
	struct watch *w = self;
	struct thread_regions *regions = regions_of(w, e->thread);
	struct open_region *region;

	if (regions->len == REGIONS_MAX)
		forget_oldest(regions);
	if (list_grow((void **)&regions->list, &regions->cap, regions->len, sizeof(*regions->list))) {
		w->failed = true;
		return;
	}
	region = &regions->list[regions->len++];
	*region = (struct open_region){ .id = e->ev->note.id, .name = e->ev->note.name };
	if (!sums_here(w, region->name))
		return;
	region->used = calloc(w->len, sizeof(*region->used));
	region->breach = calloc(w->len, sizeof(*region->breach));
	w->failed |= !region->used || !region->breach;
}

/* Inner ones that were never ended, because a function was left by longjmp, end with the outer one. */
static void on_region_end(void *self, const struct pass_event *e)
{
	struct watch *w = self;
	struct thread_regions *regions = regions_of(w, e->thread);
	size_t at = regions->len;

	while (at && regions->list[at - 1].id != e->ev->note.id)
		at--;
	if (!at)
		return;
	while (regions->len >= at)
		close_region(&regions->list[--regions->len]);
}

/* ---- verdicts ------------------------------------------------------------------------------------------------- */

/* Why a recording without a breach proves nothing; NULL: it does. */
static const char *why_undecided(const struct watch *w, const struct watched *r)
{
	const struct rsd_header *h = &w->a->rec.reader.header;

	if (r->rule->what == WHAT_WAIT)
		return h->block_ns == UINT64_MAX ? "waits were not recorded (block=off)" : NULL;
	if (h->heap_mode == RSD_HEAP_OFF)
		return "the heap was not recorded (heap=off)";
	if (h->heap_mode == RSD_HEAP_SAMPLE || w->has_samples)
		return "the heap was only sampled: record with heap=exact";
	if (r->has_blind && r->rule->what == WHAT_FREE)
		return "not all frees were recorded with their stacks: record with freestack=1";
	return r->has_blind ? "some events have no stack" : NULL;
}

static void settle(struct watch *w)
{
	for (size_t i = 0; i < w->len; i++) {
		struct contract *rule = w->list[i].rule;
		const char *reason = why_undecided(w, &w->list[i]);

		rule->reason = reason ? reason : rule->reason;
		if (rule->breaches)
			rule->status = CONTRACT_BROKEN;
		else if (reason)
			rule->status = CONTRACT_UNDECIDED;
	}
}

static int begin(struct watch *w)
{
	const struct recording *rec = &w->a->rec;
	int err = 0;

	w->list = calloc(w->contracts->len + 1, sizeof(*w->list));
	w->regions = calloc(rec->threads_len + 1, sizeof(*w->regions));
	if (!w->list || !w->regions)
		return -ENOMEM;
	for (size_t i = 0; !err && i < w->contracts->len; i++) {
		struct contract *rule = &w->contracts->list[i];
		struct watched *r = &w->list[w->len];

		if (rule->is_total)
			continue;
		w->len++;
		r->rule = rule;
		r->from_tick = rule->from_ns ? clock_tick(&rec->clock, rule->from_ns) : 0;
		r->to_tick = rule->to_ns ? clock_tick(&rec->clock, rule->to_ns) : UINT64_MAX;
		err = choose_threads(r, rec);
	}
	return err;
}

static void release(struct watch *w)
{
	for (size_t i = 0; i < w->len; i++) {
		free(w->list[i].threads);
		stack_index_release(&w->list[i].inside);
		map_release(&w->list[i].region);
		map_release(&w->list[i].per_region);
	}
	for (size_t i = 0; w->regions && i <= w->a->rec.threads_len; i++) {
		while (w->regions[i].len)
			close_region(&w->regions[i].list[--w->regions[i].len]);
		free(w->regions[i].list);
	}
	free(w->regions);
	free(w->list);
}

int contracts_watch(struct contracts *c, struct analysis *a, const char *process)
{
	struct watch w = { .contracts = c, .a = a, .process = process };
	const struct pass_sink sink = {
		.self = &w,
		.on = { [EV_SPAN] = on_span, [EV_REGION_BEGIN] = on_region_begin, [EV_REGION_END] = on_region_end },
		.on_blocks = on_blocks
	};
	const struct pass_sink *sinks[] = { &sink };
	int err = begin(&w);

	err = err ? err : analysis_pass(a, sinks, 1);
	if (!err && w.failed)
		err = -ENOMEM;
	if (!err)
		settle(&w);
	release(&w);
	return err;
}
