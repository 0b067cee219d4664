/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/models/what_if.h"
#include "analyzer/util/list.h"

struct what_if_clocks {
	double ns[WHAT_IF_MAX];
	uint64_t idle_until; /* tick: the thread's last wait for work that nobody is known to have ended, ended then */
	uint64_t next_spare;
};

struct what_if_thread {
	bool has_begun;
	uint64_t until; /* tick: the clocks are at this moment */
	uint64_t idle_until;
	double ns[WHAT_IF_MAX];
	double owed_ns[WHAT_IF_MAX]; /* of samples: to be taken off the work that comes */
};

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

/* It worked up to here. */
static void work(struct what_if *w, struct what_if_thread *t, uint64_t tick)
{
	double ns;

	if (tick <= t->until)
		return;
	ns = (double)clock_dur_ns(&w->rec->clock, tick - t->until);
	t->until = tick;
	for (size_t k = 0; k < w->candidates; k++) {
		double taken = t->owed_ns[k] < ns ? t->owed_ns[k] : ns;

		t->owed_ns[k] -= taken;
		t->ns[k] += ns - taken;
	}
}

static uint64_t remember(void *self, uint32_t thread, uint64_t tick)
{
	struct what_if *w = self;
	struct what_if_thread *t = thread_at(w, thread);
	uint64_t payload = w->spare;

	work(w, t, tick);
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
		double woken_ns;

		if (k && w->takes_wait(w->self, k, s))
			continue;
		if (!wake) {
			t->ns[k] += ns;
			continue;
		}
		woken_ns = w->saved[wake->payload - 1].ns[k] + latency_ns;
		if (woken_ns > t->ns[k])
			t->ns[k] = woken_ns;
	}
	t->until = s->end;
}

static void on_stretch(void *self, const struct stretch *s)
{
	struct what_if *w = self;
	struct what_if_thread *t = thread_at(w, s->thread);

	work(w, t, s->wait ? s->begin : s->end);
	if (s->wait && s->end > t->until)
		wait(w, t, s);
}

static void on_sample(void *self, const struct pass_event *e)
{
	struct what_if *w = self;
	uint32_t thread = e->ev->sample.thread;
	struct stack_id stack;

	if (thread >= w->rec->threads_len)
		return;
	stack = recording_stack(w->rec, e->ev->sample.stack);
	for (size_t k = 1; k < w->candidates; k++)
		if (w->takes_sample(w->self, k, stack))
			thread_at(w, thread)->owed_ns[k] += w->sample_ns * e->ev->sample.weight;
}

static void on_wake(void *self, const struct pass_event *e)
{
	wakers_event(&((struct what_if *)self)->wakers, e);
}

int what_if_run(struct what_if *w, struct analysis *a)
{
	struct activity activity = { .self = w, .stretch = on_stretch };
	struct pass_sink own = { .self = w,
				 .on = { [EV_HOLD] = on_wake, [EV_WAKE] = on_wake, [EV_SAMPLE] = on_sample } },
			 spans;
	const struct pass_sink *sinks[] = { &own, &spans };
	int err = activity_init(&activity, &a->rec);

	w->rec = &a->rec;
	w->wakers.self = w;
	w->wakers.remember = remember;
	w->wakers.forget = forget;
	w->threads = calloc(a->rec.threads_len + 1, sizeof(*w->threads));
	err = err ? err : wakers_init(&w->wakers, &a->rec);
	spans = activity_sink(&activity);
	w->in_pool = threads_in_pools(&a->rec);
	err = err ? err : w->threads && w->in_pool ? analysis_pass(a, sinks, 2) : -ENOMEM;
	if (!err) {
		activity_finish(&activity);
		for (size_t k = 0; k < w->candidates && w->last < a->rec.threads_len; k++)
			w->end_ns[k] = w->threads[w->last].ns[k];
	}
	activity_release(&activity);
	wakers_release(&w->wakers);
	free(w->threads);
	free(w->saved);
	free(w->in_pool);
	return !err && w->failed ? -ENOMEM : err;
}
