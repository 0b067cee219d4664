/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/activity.h"
#include "analyzer/models/cpu.h"
#include "format/kinds.h"
#include "analyzer/util/whole.h"

struct activity_thread {
	uint64_t until;	 /* tick: all before was told */
	uint64_t cpu_ns; /* told so far */
};

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

static void tell(struct activity *a, const struct stretch *s)
{
	struct activity_thread *t = &a->threads[s->thread];

	t->until = s->end;
	t->cpu_ns += s->cpu_ns;
	a->stretch(a->self, s);
}

static void tell_gap(struct activity *a, uint32_t thread, uint64_t end, uint64_t cpu_ns, uint64_t ready_ns)
{
	struct stretch s = { .thread = thread, .begin = a->threads[thread].until, .end = end };
	uint64_t ns;

	if (end <= s.begin)
		return;
	ns = clock_dur_ns(&a->rec->clock, end - s.begin);
	s.cpu_ns = at_most(cpu_ns, ns);
	s.ready_ns = at_most(ready_ns, ns - s.cpu_ns);
	tell(a, &s);
}

static void on_span(void *self, const struct pass_event *e)
{
	struct activity *a = self;
	const struct rec_span *span = &e->ev->span;
	struct span_time time = span_split(&a->rec->clock, span);
	struct stretch s = { .thread = e->thread,
			     .wait = span->wait < RSD_WAITS && span->wait ? span->wait : WAIT_OTHER,
			     .end = e->tick,
			     .blocked_ns = time.off_ns,
			     .object = span->object,
			     .amount = span->amount,
			     .peer = span->peer,
			     .err = span->err };
	uint64_t begin = e->tick > span->dur_ticks ? e->tick - span->dur_ticks : 0, inside_ns;

	if (e->thread >= a->rec->threads_len)
		return;
	inside_ns = time.dur_ns - time.off_ns;
	tell_gap(a, e->thread, begin, span->cpu_ns > inside_ns ? span->cpu_ns - inside_ns : 0, time.excess_ns);
	s.begin = begin > a->threads[e->thread].until ? begin : a->threads[e->thread].until;
	if (s.end <= s.begin)
		return;
	s.cpu_ns = at_most(inside_ns, span->since_ticks ? span->cpu_ns : 0);
	s.stack = recording_stack(a->rec, span->stack);
	tell(a, &s);
}

int activity_init(struct activity *a, struct recording *rec)
{
	a->rec = rec;
	a->threads = calloc(rec->threads_len + 1, sizeof(*a->threads));
	for (uint32_t i = 0; a->threads && i < rec->threads_len; i++)
		a->threads[i].until = rec->threads[i].start_tick;
	return a->threads ? 0 : -ENOMEM;
}

void activity_release(struct activity *a)
{
	free(a->threads);
	a->threads = NULL;
}

struct pass_sink activity_sink(struct activity *a)
{
	return (struct pass_sink){ .self = a, .on = { [EV_SPAN] = on_span } };
}

/* From its last recorded wait to its end, or to the wait in which the recording ended. */
static void tell_last(struct activity *a, uint32_t i, const struct rsd_thread *slot)
{
	struct activity_thread *t = &a->threads[i];
	uint64_t end = slot->end_tick ? slot->end_tick : a->rec->end_tick, cpu_ns = cpu_thread_ns(a->rec, i);
	uint64_t known_ns; /* up to the last reading of its clock */
	bool is_waiting = slot->waiting && slot->waiting < RSD_WAITS && !slot->end_tick && slot->waiting_since < end;
	struct stretch s = { .thread = i, .wait = slot->waiting, .end = end, .is_unfinished = true };

	cpu_ns = cpu_ns > t->cpu_ns ? cpu_ns - t->cpu_ns : 0;
	known_ns = slot->cpu_tick > t->until ? clock_dur_ns(&a->rec->clock, slot->cpu_tick - t->until) : 0;
	tell_gap(a, i, is_waiting ? slot->waiting_since : end, cpu_ns, known_ns > cpu_ns ? known_ns - cpu_ns : 0);
	if (!is_waiting)
		return;
	s.begin = slot->waiting_since > t->until ? slot->waiting_since : t->until;
	s.object = slot->waiting_object;
	s.blocked_ns = clock_dur_ns(&a->rec->clock, end - s.begin);
	tell(a, &s);
}

void activity_finish(struct activity *a)
{
	for (uint32_t i = 0; i < a->rec->threads_len; i++)
		if (recording_thread(a->rec, i))
			tell_last(a, i, &a->rec->threads[i]);
}

bool activity_is_idle(unsigned wait, bool is_in_pool)
{
	switch (wait) {
	case WAIT_ACCEPT:
	case WAIT_EPOLL:
	case WAIT_POLL:
	case WAIT_SELECT:
	case WAIT_JOIN:
	case WAIT_WAIT_CHILD:
	case WAIT_SIGNAL:
		return true;
	case WAIT_COND:
	case WAIT_SEM:
	case WAIT_FUTEX:
		return is_in_pool;
	default:
		return false;
	}
}

bool *threads_in_pools(const struct recording *rec)
{
	bool *in_pool = calloc(rec->threads_len + 1, sizeof(*in_pool));
	struct map count;

	map_init(&count);
	for (int round = 0; in_pool && round < 2; round++)
		for (uint32_t i = 0; i < rec->threads_len; i++) {
			const struct rsd_thread *slot = recording_thread(rec, i);
			uint64_t *threads =
				slot && slot->start_routine ? map_at(&count, slot->start_routine, NULL) : NULL;

			if (threads && !round)
				++*threads;
			else if (threads)
				in_pool[i] = *threads > 1;
		}
	map_release(&count);
	return in_pool;
}

static const struct {
	const char *name, *key;
	char letter;
} doings[DOINGS] = {
	[DOING_CPU] = { "cpu", "cpu_ns", '#' },
	[DOING_READY] = { "ready", "ready_ns", '+' },
	[DOING_LOCK] = { "locks", "lock_ns", 'L' },
	[DOING_SYNC] = { "sync", "sync_ns", 's' },
	[DOING_IO] = { "I/O", "io_ns", 'i' },
	[DOING_SLEEP] = { "sleep", "sleep_ns", 'z' },
	[DOING_OTHER] = { "other", "other_ns", 'o' },
	[DOING_IDLE] = { "idle", "idle_ns", '.' },
	[DOING_UNKNOWN] = { "unknown", "unknown_ns", '?' },
};

const char *doing_name(enum doing doing)
{
	return doings[doing].name;
}

const char *doing_key(enum doing doing)
{
	return doings[doing].key;
}

char doing_letter(enum doing doing)
{
	return doings[doing].letter;
}

enum doing wait_doing(unsigned wait, bool is_idle)
{
	static const struct {
		const char *domain;
		enum doing doing;
	} domains[] = { { "lock", DOING_LOCK }, { "sync", DOING_SYNC }, { "io", DOING_IO }, { "time", DOING_SLEEP } };

	if (is_idle)
		return DOING_IDLE;
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
		if (!strcmp(wait_domain(wait), domains[i].domain))
			return domains[i].doing;
	return DOING_OTHER;
}

void stretch_share(const struct stretch *s, const struct clock *clock, uint64_t from, uint64_t to, bool is_idle,
		   uint64_t ns[DOINGS])
{
	uint64_t begin = s->begin > from ? s->begin : from, end = s->end < to ? s->end : to, all_ns;
	double share;

	if (end <= begin)
		return;
	all_ns = clock_dur_ns(clock, end - begin);
	share = (double)(end - begin) / (double)(s->end - s->begin);
	if (s->wait) {
		uint64_t cpu_ns = at_most(whole_u64((double)s->cpu_ns * share), all_ns);

		ns[DOING_CPU] += cpu_ns;
		ns[wait_doing(s->wait, is_idle)] += all_ns - cpu_ns;
		return;
	}
	ns[DOING_CPU] += whole_u64((double)s->cpu_ns * share);
	ns[DOING_READY] += whole_u64((double)s->ready_ns * share);
	ns[DOING_UNKNOWN] +=
		at_most(all_ns - at_most(whole_u64((double)(s->cpu_ns + s->ready_ns) * share), all_ns), all_ns);
}
