/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/cpu.h"
#include "analyzer/models/threads.h"
#include "analyzer/models/waits.h"

static void on_span(void *self, const struct pass_event *e)
{
	struct threads *t = self;
	const struct rec_span *span = &e->ev->span;
	struct thread_row *row;
	struct span_time time;

	if (e->thread >= t->rows_len)
		return;
	row = &t->rows[e->thread];
	time = span_split(&t->rec->clock, span);
	row->spans++;
	row->span_ns += time.off_ns;
	row->blocked_by_kind[span->wait < RSD_WAITS ? span->wait : WAIT_OTHER] += time.off_ns;
	if (time.off_ns > row->longest_ns)
		row->longest_ns = time.off_ns;
	t->excess_ns[e->thread] += time.excess_ns;
}

int threads_init(struct threads *t, struct recording *rec)
{
	*t = (struct threads){ .rec = rec, .rows_len = rec->threads_len, .rows_cap = rec->threads_len };
	t->rows = calloc(t->rows_len + 1, sizeof(*t->rows));
	t->excess_ns = calloc(t->rows_len + 1, sizeof(*t->excess_ns));
	if (t->rows && t->excess_ns)
		return 0;
	threads_release(t);
	return -ENOMEM;
}

void threads_release(struct threads *t)
{
	free(t->rows);
	free(t->excess_ns);
	*t = (struct threads){ 0 };
}

struct pass_sink threads_sink(struct threads *t)
{
	return (struct pass_sink){ .self = t, .on = { [EV_SPAN] = on_span } };
}

static void fill_facts(struct threads *t, struct thread_row *row, const struct rsd_thread *slot)
{
	const struct recording *rec = t->rec;
	uint64_t end = slot->end_tick ? slot->end_tick : rec->end_tick;

	row->tid = slot->tid;
	memcpy(row->name, slot->name, sizeof(slot->name));
	row->exe = recording_name(rec);
	row->start_ns = clock_ns(&rec->clock, slot->start_tick);
	row->wall_ns = end > slot->start_tick ? clock_dur_ns(&rec->clock, end - slot->start_tick) : 0;
	if (row->index == 0 && slot->tid == rec->reader.header.pid)
		row->wall_ns += rec->reader.header.startup_ns;
	row->has_ended = slot->end_tick != 0;
	row->created_by = recording_stack(t->rec, slot->create_stack);
	row->start_routine = slot->start_routine;
	row->self_ns = clock_dur_ns(&rec->clock, slot->self_ticks);
	row->cpu_ns = cpu_thread_ns(rec, row->index);
}

/* A wait that had not ended is no record: the slot says since when. */
static void add_waiting(struct threads *t, struct thread_row *row, const struct rsd_thread *slot)
{
	if (!slot->waiting || slot->waiting >= RSD_WAITS || slot->end_tick || slot->waiting_since >= t->rec->end_tick)
		return;
	row->waiting = slot->waiting;
	row->waiting_ns = clock_dur_ns(&t->rec->clock, t->rec->end_tick - slot->waiting_since);
	row->span_ns += row->waiting_ns;
	row->blocked_by_kind[row->waiting] += row->waiting_ns;
	if (row->waiting_ns > row->longest_ns)
		row->longest_ns = row->waiting_ns;
}

static uint64_t short_ns(const struct threads *t, const struct rsd_thread *slot)
{
	uint64_t sum = 0;

	for (unsigned wait = 1; wait < RSD_WAITS; wait++)
		sum += clock_dur_ns(&t->rec->clock, slot->wait[wait].short_ticks);
	return sum;
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

/* Clocks are read at different moments: parts that exceed the whole are cut, in this order of trust. */
static void balance(struct threads *t, struct thread_row *row, const struct rsd_thread *slot)
{
	uint64_t excess = t->excess_ns[row->index], left = row->wall_ns;
	uint64_t short_blocked = at_most(short_ns(t, slot), excess);

	row->cpu_ns = at_most(row->cpu_ns, left);
	left -= row->cpu_ns;
	row->blocked_ns = at_most(row->span_ns + short_blocked, left);
	left -= row->blocked_ns;
	row->runnable_ns = at_most(excess - short_blocked, left);
	row->unknown_ns = left - row->runnable_ns;
}

static int by_start(const void *a, const void *b)
{
	const struct thread_row *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

void threads_finish(struct threads *t)
{
	size_t kept = 0;

	for (uint32_t i = 0; i < t->rows_len; i++) {
		const struct rsd_thread *slot = recording_thread(t->rec, i);
		struct thread_row *row = &t->rows[i];

		if (!slot)
			continue;
		row->index = i;
		fill_facts(t, row, slot);
		add_waiting(t, row, slot);
		balance(t, row, slot);
		t->self_ns += row->self_ns;
		t->rows[kept++] = *row;
	}
	t->rows_len = kept;
	if (kept)
		qsort(t->rows, kept, sizeof(*t->rows), by_start);
}

int threads_merge(struct threads *into, const struct threads *from)
{
	struct thread_row *rows = realloc(into->rows, (into->rows_len + from->rows_len + 1) * sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	into->rows = rows;
	if (from->rows_len)
		memcpy(rows + into->rows_len, from->rows, from->rows_len * sizeof(*rows));
	into->rows_len += from->rows_len;
	into->self_ns += from->self_ns;
	return 0;
}
