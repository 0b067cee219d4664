/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/what_if.h"
#include "analyzer/util/list.h"

struct what_if_clocks {
	double ns[WHAT_IF_MAX];
	uint64_t idle_until; /* tick: the thread's last wait for work that nobody is known to have ended, ended then */
	uint64_t next_spare;
};

/*
 * All work from one place to another that took about as long, where a place is a wait or a wake-up: samples are too few
 * to tell what one piece of work was, but not what all alike were.
 */
struct what_if_work {
	double samples, of[WHAT_IF_MAX];
};

struct what_if_thread {
	bool has_begun;
	uint64_t until; /* tick: the clocks are at this moment */
	uint64_t works_until;
	uint64_t place; /* where it was at `until` */
	uint64_t idle_until;
	double ns[WHAT_IF_MAX];
	struct what_if_work since; /* samples since then */
};

#define PLACE_END 1u

static struct what_if_thread *thread_at(struct what_if *w, uint32_t thread)
{
	struct what_if_thread *t = &w->threads[thread];
	const struct rsd_thread *slot = &w->rec->threads[thread];

	if (t->has_begun)
		return t;
	t->has_begun = true;
	t->until = slot->start_tick;
	if (slot->creator && slot->creator - 1 < thread && recording_thread(w->rec, slot->creator - 1)) {
		const struct what_if_thread *creator = thread_at(w, slot->creator - 1);

		/* The creator may have been told further, or not as far. */
		for (size_t k = 0; k < w->candidates; k++)
			t->ns[k] = creator->ns[k] +
				   (t->until >= creator->until
					    ? (double)clock_dur_ns(&w->rec->clock, t->until - creator->until)
					    : -(double)clock_dur_ns(&w->rec->clock, creator->until - t->until));
	} else {
		for (size_t k = 0; k < w->candidates; k++)
			t->ns[k] = (double)clock_ns(&w->rec->clock, t->until);
	}
	return t;
}

/* Two for each doubling. */
static uint64_t length_class(uint64_t ticks)
{
	unsigned octave = 63 - (unsigned)__builtin_clzll(ticks | 1);

	return 2 * octave + (octave ? ticks >> (octave - 1) & 1 : 0);
}

static struct what_if_work *work_at(struct what_if *w, uint64_t from, uint64_t to, uint64_t ticks)
{
	const uint64_t key[] = { from, to, length_class(ticks) };
	bool is_new;
	uint64_t *at = map_at(&w->work_of, hash_bytes(key, sizeof(key)), &is_new);

	if (!at || (is_new && list_grow((void **)&w->work, &w->work_cap, w->work_len, sizeof(*w->work)))) {
		w->failed = true;
		return NULL;
	}
	if (is_new) {
		w->work[w->work_len] = (struct what_if_work){ 0 };
		*at = w->work_len++;
	}
	return &w->work[*at];
}

static void count(struct what_if_thread *t, struct what_if_work *work)
{
	work->samples += t->since.samples;
	for (size_t k = 1; k < WHAT_IF_MAX; k++)
		work->of[k] += t->since.of[k];
	t->since = (struct what_if_work){ 0 };
}

/* It worked up to here, where it came to `place`. */
static void work(struct what_if *w, struct what_if_thread *t, uint64_t tick, uint64_t place)
{
	struct what_if_work *work = tick > t->until ? work_at(w, t->place, place, tick - t->until) : NULL;
	double ns;

	t->place = place;
	if (!work)
		return;
	ns = (double)clock_dur_ns(&w->rec->clock, tick - t->until);
	t->until = tick;
	if (w->is_counting) {
		count(t, work);
		return;
	}
	for (size_t k = 0; k < w->candidates; k++)
		t->ns[k] += work->samples > 0 ? ns * (1 - work->of[k] / work->samples) : ns;
}

static uint64_t remember(void *self, uint32_t thread, uint64_t tick)
{
	struct what_if *w = self;
	struct what_if_thread *t = thread_at(w, thread);
	uint64_t payload = w->spare;

	work(w, t, tick, w->wake_place);
	if (payload) {
		w->spare = w->saved[payload - 1].next_spare;
	} else if (list_grow((void **)&w->saved, &w->saved_cap, w->saved_len, sizeof(*w->saved))) {
		w->failed = true;
		return 0;
	} else {
		payload = ++w->saved_len;
	}
	for (size_t k = 0; k < w->candidates; k++)
		w->saved[payload - 1].ns[k] = t->ns[k];
	w->saved[payload - 1].idle_until = t->idle_until;
	return payload;
}

static void forget(void *self, uint64_t payload)
{
	struct what_if *w = self;

	if (!payload)
		return;
	w->saved[payload - 1].next_spare = w->spare;
	w->spare = payload;
}

static void wait(struct what_if *w, struct what_if_thread *t, const struct stretch *s)
{
	const struct wake *wake = wakers_find(&w->wakers, s);
	double ns = (double)clock_dur_ns(&w->rec->clock, s->end - s->begin);
	double latency_ns = wake ? (double)clock_dur_ns(&w->rec->clock, s->end - wake->tick) : 0;

	if (!wake && activity_is_idle(s->wait, w->in_pool[s->thread]))
		t->idle_until = s->end;
	/* As in critical.c: whoever was idle itself when the wait began was not what it was waited for. */
	if (wake && (!wake->payload || w->saved[wake->payload - 1].idle_until > s->begin))
		wake = NULL;
	for (size_t k = 0; k < w->candidates; k++) {
		double waker_ns;

		if (k && w->takes_wait(w->self, k, s))
			continue;
		if (!wake) {
			t->ns[k] += ns;
			continue;
		}
		/* Whoever comes after the wake-up finds the lock free, and need not be woken. */
		waker_ns = w->saved[wake->payload - 1].ns[k];
		if (waker_ns > t->ns[k])
			t->ns[k] = waker_ns + latency_ns;
	}
	t->until = s->end;
}

static void on_stretch(void *self, const struct stretch *s)
{
	struct what_if *w = self;
	struct what_if_thread *t = thread_at(w, s->thread);

	t->works_until = s->wait ? s->begin : s->end;
	/* Work is told before the wait that ends it. */
	if (!s->wait)
		return;
	work(w, t, s->begin, s->stack.v);
	if (s->end > t->until)
		wait(w, t, s);
	t->since = (struct what_if_work){ 0 };
}

static void on_sample(void *self, const struct pass_event *e)
{
	struct what_if *w = self;
	uint32_t thread = e->ev->sample.thread;
	struct what_if_thread *t;
	struct stack_id stack;

	if (!w->is_counting || thread >= w->rec->threads_len)
		return;
	t = thread_at(w, thread);
	stack = recording_stack(w->rec, e->ev->sample.stack);
	t->since.samples += e->ev->sample.weight;
	for (size_t k = 1; k < w->candidates; k++)
		if (w->takes_sample(w->self, k, stack))
			t->since.of[k] += e->ev->sample.weight;
}

static void on_wake(void *self, const struct pass_event *e)
{
	struct what_if *w = self;
	uint32_t stack = e->kind == EV_HOLD ? e->ev->hold.stack : e->ev->wake.stack;

	w->wake_place = recording_stack(w->rec, stack).v;
	wakers_event(&w->wakers, e);
	w->wake_place = PLACE_END;
}

/* One pass over everything: counts samples, or moves the clocks. */
static int pass(struct what_if *w, struct analysis *a, bool is_counting)
{
	struct activity activity = { .self = w, .stretch = on_stretch };
	struct pass_sink own = { .self = w,
				 .on = { [EV_HOLD] = on_wake, [EV_WAKE] = on_wake, [EV_SAMPLE] = on_sample } },
			 spans;
	const struct pass_sink *sinks[] = { &own, &spans };
	int err = activity_init(&activity, &a->rec);

	w->is_counting = is_counting;
	w->wake_place = PLACE_END;
	w->wakers = (struct wakers){ .self = w, .remember = remember, .forget = forget };
	memset(w->threads, 0, (a->rec.threads_len + 1) * sizeof(*w->threads));
	err = err ? err : wakers_init(&w->wakers, &a->rec);
	spans = activity_sink(&activity);
	err = err ? err : analysis_pass(a, sinks, 2);
	if (!err) {
		activity_finish(&activity);
		for (uint32_t i = 0; i < a->rec.threads_len; i++)
			if (w->threads[i].has_begun)
				work(w, &w->threads[i], w->threads[i].works_until, PLACE_END);
	}
	activity_release(&activity);
	wakers_release(&w->wakers);
	return err;
}

int what_if_run(struct what_if *w, struct analysis *a)
{
	int err = -ENOMEM;

	w->rec = &a->rec;
	map_init(&w->work_of);
	w->threads = calloc(a->rec.threads_len + 1, sizeof(*w->threads));
	w->in_pool = threads_in_pools(&a->rec);
	if (w->threads && w->in_pool)
		err = pass(w, a, true);
	err = err ? err : pass(w, a, false);
	for (size_t k = 0; !err && k < w->candidates && w->last < a->rec.threads_len; k++)
		w->end_ns[k] = w->threads[w->last].ns[k];
	map_release(&w->work_of);
	free(w->work);
	free(w->threads);
	free(w->saved);
	free(w->in_pool);
	return !err && w->failed ? -ENOMEM : err;
}
