/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "analyzer/models/recent.h"

int recent_init(struct recent *r, struct recording *rec)
{
	*r = (struct recent){ .rec = rec, .threads = calloc(rec->threads_len + 1, sizeof(*r->threads)) };
	return r->threads ? 0 : -ENOMEM;
}

void recent_release(struct recent *r)
{
	for (size_t i = 0; r->threads && i < r->rec->threads_len; i++)
		free(r->threads[i]);
	free(r->threads);
	*r = (struct recent){ 0 };
}

static struct recent_thread *thread_at(struct recent *r, uint32_t thread)
{
	if (thread >= r->rec->threads_len)
		return NULL;
	if (!r->threads[thread])
		r->threads[thread] = calloc(1, sizeof(**r->threads));
	r->failed |= !r->threads[thread];
	return r->threads[thread];
}

void recent_stretch(struct recent *r, const struct stretch *s)
{
	struct recent_thread *t = s->wait ? thread_at(r, s->thread) : NULL;

	if (t)
		t->stretches[t->stretches_len++ % RECENT_STRETCHES] = *s;
}

void recent_sample(struct recent *r, const struct pass_event *e)
{
	struct recent_thread *t = thread_at(r, e->ev->sample.thread);

	if (t)
		t->samples[t->samples_len++ % RECENT_SAMPLES] =
			(struct recent_sample){ e->tick, recording_stack(r->rec, e->ev->sample.stack) };
}

struct call {
	void *self;
	void (*part)(void *self, const struct recent_part *p);
};

static void ran(const struct recent_thread *t, uint64_t from, uint64_t to, const struct call *call)
{
	uint64_t begin = t->samples_len > RECENT_SAMPLES ? t->samples_len - RECENT_SAMPLES : 0, found = 0;
	struct recent_part p = { 0 };

	for (uint64_t i = begin; i < t->samples_len; i++)
		found += t->samples[i % RECENT_SAMPLES].tick >= from && t->samples[i % RECENT_SAMPLES].tick < to;
	p.ticks = to - from;
	p.is_known = found != 0;
	for (uint64_t i = begin, left = found; i < t->samples_len && left; i++) {
		const struct recent_sample *sample = &t->samples[i % RECENT_SAMPLES];

		if (sample->tick < from || sample->tick >= to)
			continue;
		/* The last one gets what division leaves over. */
		p.ticks = (to - from) / found + (--left ? 0 : (to - from) % found);
		p.stack = sample->stack;
		call->part(call->self, &p);
	}
	if (!found)
		call->part(call->self, &p);
}

static void waited(const struct stretch *s, uint64_t from, uint64_t to, const struct call *call)
{
	struct recent_part p = { .ticks = to - from,
				 .wait = s->wait,
				 .stack = s->stack,
				 .object = s->object,
				 .peer = s->peer,
				 .is_known = true };

	call->part(call->self, &p);
}

void recent_between(const struct recent *r, uint32_t thread, uint64_t from, uint64_t to, void *self,
		    void (*part)(void *self, const struct recent_part *p))
{
	static const struct recent_thread nothing;
	const struct recent_thread *t = thread < r->rec->threads_len ? r->threads[thread] : NULL;
	const struct call call = { self, part };
	uint64_t at = from, i;

	t = t ? t : &nothing;
	i = t->stretches_len > RECENT_STRETCHES ? t->stretches_len - RECENT_STRETCHES : 0;
	for (; i < t->stretches_len && at < to; i++) {
		const struct stretch *s = &t->stretches[i % RECENT_STRETCHES];
		uint64_t begin = s->begin > at ? s->begin : at, end = s->end < to ? s->end : to;

		if (end <= begin)
			continue;
		if (begin > at)
			ran(t, at, begin, &call);
		waited(s, begin, end, &call);
		at = end;
	}
	if (at < to)
		ran(t, at, to, &call);
}
