/* SPDX-License-Identifier: MIT */
/* trace_moment.c - what every thread was doing at one moment: running, or waiting where, for what, since when. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/reports/report.h"
#include "format/kinds.h"

struct moment {
	struct report_run *r;
	uint64_t tick;
	struct stretch *of; /* by thread index; end 0: the thread was not there */
	struct {
		uint64_t distance;
		struct stack_id stack;
	} * sample; /* by thread index: the nearest in time */
};

static void stretch(void *self, const struct stretch *s)
{
	struct moment *m = self;

	if (s->begin <= m->tick && m->tick < s->end)
		m->of[s->thread] = *s;
}

static void on_sample(void *self, const struct pass_event *e)
{
	struct moment *m = self;
	uint32_t thread = e->ev->sample.thread;
	uint64_t distance = e->tick > m->tick ? e->tick - m->tick : m->tick - e->tick;

	if (thread >= m->r->a->rec.threads_len || distance >= m->sample[thread].distance)
		return;
	m->sample[thread].distance = distance;
	m->sample[thread].stack = recording_stack(&m->r->a->rec, e->ev->sample.stack);
}

static void row(const struct moment *m, struct table *t, uint32_t i)
{
	const struct stretch *s = &m->of[i];
	struct stack_id stack = s->wait ? s->stack : m->sample[i].stack;

	table_row(t);
	report_thread_cell(m->r, t, i);
	table_text(t, s->wait ? wait_name(s->wait) : "runs");
	table_number(t, (int64_t)report_span_ns(m->r, s->begin, m->tick));
	table_number(t, (int64_t)report_span_ns(m->r, m->tick, s->end));
	if (s->object)
		table_number(t, (int64_t)s->object);
	else
		table_skip(t);
	if (s->peer)
		table_number(t, s->peer);
	else
		table_skip(t);
	/* A sample far away says nothing about this moment. */
	if (!s->wait && report_span_ns(m->r, 0, m->sample[i].distance) >= 100000000)
		stack = (struct stack_id){ 0 };
	report_stack_cell(m->r, t, stack);
}

static int print(const struct moment *m, struct page *page)
{
	struct table *t = page_table(page, "Threads", "threads");
	const bool *chosen = m->r->a->filter.threads;

	page_fact(page, "at", "at_ns", UNIT_NS, report_ns(m->r, m->tick));
	table_column(t, "thread", "thread", UNIT_TEXT);
	table_column(t, "does", "doing", UNIT_TEXT);
	table_column(t, "since", "since_ns", UNIT_NS);
	table_column(t, "for another", "left_ns", UNIT_NS);
	table_column(t, "object", "object", UNIT_ADDRESS);
	table_column(t, "held by tid", "holder_tid", UNIT_COUNT);
	table_column(t, "where", "stack", UNIT_STACK);
	for (uint32_t i = 0; i < m->r->a->rec.threads_len; i++)
		if (m->of[i].end && (!chosen || chosen[i]))
			row(m, t, i);
	page_note(page, "a thread that runs is shown where its nearest CPU sample is, if there is one within 100 ms");
	return report_order(m->r, t, 2);
}

int report_trace_moment(struct report_run *r, struct page *page)
{
	struct moment m = { .r = r };
	struct activity a = { .self = &m, .stretch = stretch };
	struct pass_sink samples = { .self = &m, .on[EV_SAMPLE] = on_sample };
	size_t len = r->a->rec.threads_len + 1;
	int err = -ENOMEM;

	if (!r->options->has_at) {
		buf_printf(r->error, "trace moment wants --at TIME, as in --at 1.5s");
		return -EINVAL;
	}
	report_window(r);
	m.tick = clock_tick(&r->a->rec.clock, r->options->at_ns);
	m.of = calloc(len, sizeof(*m.of));
	m.sample = calloc(len, sizeof(*m.sample));
	for (size_t i = 0; m.sample && i < len; i++)
		m.sample[i].distance = UINT64_MAX;
	if (m.of && m.sample)
		err = report_activity(r, &a, &samples);
	err = err ? err : print(&m, page);
	free(m.of);
	free(m.sample);
	return err;
}
