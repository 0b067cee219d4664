/* SPDX-License-Identifier: MIT */
/* contract_sum.c - rules about totals, from the finished models. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "analyzer/models/contract.h"
#include "analyzer/models/profile.h"

struct sums {
	double value, whole; /* whole: of which a share is asked */
};

static int make_profile(const struct analysis *a, int source, struct profile *p)
{
	switch (source) {
	case FROM_HEAP:
		return heap_profile(&a->heap, p);
	case FROM_CPU:
		return cpu_profile(&a->cpu, p);
	default:
		return waits_profile(&a->waits, 0, p);
	}
}

static bool is_inside(const struct contract *c, struct stacks *stacks, struct stack_id stack)
{
	struct frame_walk w = { .stacks = stacks, .id = stack };
	const struct frame *frame;

	while ((frame = stacks_next_frame(&w)))
		if (name_matches_frame(&c->function, frame))
			return true;
	return false;
}

static int sum_profile(const struct contract *c, const struct analysis *a, struct stacks *stacks, struct sums *s)
{
	const struct quantity_info *info = &quantity_infos[c->quantity];
	struct profile p;
	int index, err;

	profile_init(&p, "check");
	err = make_profile(a, (int)info->source, &p);
	index = profile_value_index(&p, info->value);
	for (size_t i = 0; !err && i < p.rows_len; i++) {
		double value = (double)p.rows[i].values[index];

		s->whole += value;
		if (!c->function.text || is_inside(c, stacks, p.rows[i].stack))
			s->value += value;
	}
	profile_release(&p);
	return err;
}

static double wait_for(const struct contract *c, const struct analysis *a)
{
	double sum = 0;

	if (!c->lock.text)
		return (double)a->waits.kinds[c->wait].blocked_ns;
	for (size_t i = 0; i < a->locks.locks_len; i++) {
		const struct lock *lock = &a->locks.locks[i];

		if ((!c->wait || lock->wait == c->wait) && name_matches(&c->lock, lock->name))
			sum += (double)lock->wait_ns;
	}
	return sum;
}

static double sum_process(const struct contract *c, const struct analysis *a)
{
	switch (c->quantity) {
	case TOTAL_WALL:
		return (double)a->duration_ns;
	case TOTAL_RSS:
		return (double)a->rec.reader.header.max_rss_bytes;
	case TOTAL_THREADS:
		return (double)a->threads.rows_len;
	case TOTAL_LOST:
		return (double)a->lost_events;
	default:
		return wait_for(c, a);
	}
}

/* The whole of a share where it is not the same quantity everywhere. */
static double whole_of(const struct contract *c, const struct analysis *a, const struct sums *s)
{
	if (c->quantity == TOTAL_WAIT_FOR)
		return (double)a->waits.total.blocked_ns;
	if (c->function.text)
		return s->whole;
	if (c->quantity == TOTAL_TEMPORARY)
		return (double)weight_count(a->heap.total.allocations);
	return c->quantity == TOTAL_CPU ? (double)a->duration_ns : s->whole;
}

static bool compare(double value, enum contract_op op, double bound)
{
	switch (op) {
	case OP_LESS:
		return value < bound;
	case OP_LESS_EQUAL:
		return value <= bound;
	case OP_EQUAL:
		return value == bound;
	case OP_NOT_EQUAL:
		return value != bound;
	case OP_GREATER_EQUAL:
		return value >= bound;
	default:
		return value > bound;
	}
}

/* How far the total of a sample may be off; 0: it is exact. A part of it is off by more, which is not known. */
static double uncertainty(const struct contract *c, const struct analysis *a)
{
	struct heap_intervals i = heap_intervals(&a->heap);

	switch (c->quantity) {
	case TOTAL_PEAK_HEAP:
		return (double)i.peak_bytes;
	case TOTAL_LIVE:
		return (double)i.live_bytes;
	case TOTAL_ALLOCATED:
		return (double)i.allocated_bytes;
	case TOTAL_ALLOCATIONS:
		return (double)i.allocations;
	default:
		return 0;
	}
}

static const char *why_undecided(const struct contract *c, const struct analysis *a)
{
	const struct rsd_header *h = &a->rec.reader.header;

	switch (quantity_infos[c->quantity].source) {
	case FROM_HEAP:
		if (h->heap_mode == RSD_HEAP_OFF)
			return "the heap was not recorded (heap=off)";
		return !c->is_share && fabs(c->value - c->bound) < uncertainty(c, a)
			       ? "the heap was only sampled, and the total is too near to the bound"
			       : NULL;
	case FROM_CPU:
		return c->function.text && !h->cpu_hz ? "the CPU was not sampled (cpu=off)" : NULL;
	case FROM_BLOCK:
		return h->block_ns == UINT64_MAX ? "waits were not recorded (block=off)" : NULL;
	default:
		if (c->quantity == TOTAL_RSS && !h->max_rss_bytes)
			return "the resident memory is not known: the program has not ended, or was not ended by "
			       "`record`";
		return c->quantity == TOTAL_WAIT_FOR && h->block_ns == UINT64_MAX
			       ? "waits were not recorded (block=off)"
			       : NULL;
	}
}

int contracts_sum(struct contracts *c, const struct analysis *a, struct stacks *stacks)
{
	for (size_t i = 0; i < c->len; i++) {
		struct contract *rule = &c->list[i];
		struct sums s = { 0 };
		double whole;

		if (!rule->is_total)
			continue;
		if (quantity_infos[rule->quantity].source == FROM_PROCESS)
			s.value = sum_process(rule, a);
		else if (sum_profile(rule, a, stacks, &s))
			return -ENOMEM;
		whole = whole_of(rule, a, &s);
		rule->value = !rule->is_share ? s.value : whole > 0 ? s.value / whole : 0;
		rule->status = compare(rule->value, rule->op, rule->bound) ? CONTRACT_KEPT : CONTRACT_BROKEN;
		rule->reason = why_undecided(rule, a);
		if (rule->reason)
			rule->status = CONTRACT_UNDECIDED;
	}
	return 0;
}
