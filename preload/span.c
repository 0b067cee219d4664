/* SPDX-License-Identifier: MIT */
/* span.c - the record of a call that waited, and the lines of locktrace and iotrace. */
#include "preload/span.h"

#include "preload/config.h"
#include "preload/lines.h"
#include "preload/order.h"
#include "preload/snapshot.h"

uint64_t span_block_ticks = UINT64_MAX, span_locktrace_ticks = UINT64_MAX, span_iotrace_ticks = UINT64_MAX;

void span_setup(void)
{
	span_block_ticks = clock_ticks(config.block);
	span_locktrace_ticks = clock_ticks(config.locktrace);
	span_iotrace_ticks = clock_ticks(config.iotrace);
	order_is_on = config.lockorder && !span_is_off();
}

static bool is_lock(enum rsd_wait kind)
{
	return kind == WAIT_MUTEX || kind == WAIT_RWLOCK_READ || kind == WAIT_RWLOCK_WRITE || kind == WAIT_SPIN;
}

static bool is_io(enum rsd_wait kind)
{
	return kind >= WAIT_POLL && kind <= WAIT_LOCK_FILE;
}

void span_record(const struct span *s, uint64_t now, int err, uint64_t amount, const struct regs *from)
{
	struct thread *t = s->t;
	struct lane *lane = lane_enter(t);
	struct rec_span *record;
	uint64_t cpu_ns, since_ticks;

	if (!lane)
		return;
	record = &lane->span;
	*record = (struct rec_span){ .dur_ticks = now - s->start,
				     .object = s->object,
				     .amount = amount,
				     .peer = s->peer,
				     .wait = (uint16_t)s->kind,
				     .err = (uint16_t)err };
	/* Between two readings of the CPU clock the thread was off CPU for since - cpu: at most dur of it in here. */
	thread_checkpoint(t, now, &cpu_ns, &since_ticks);
	record->cpu_ns = cpu_ns;
	record->since_ticks = since_ticks;
	record->stack = lane_stack(lane, from);
	lane_put(t, lane, EV_SPAN, now, record, sizeof(*record));
	t->slot->self_ticks += clock_now() - now;
	if (unlikely((is_lock(s->kind) && record->dur_ticks >= span_locktrace_ticks) ||
		     (is_io(s->kind) && record->dur_ticks >= span_iotrace_ticks)))
		lines_span(s->kind, record, t->tid, from);
	lane_leave(t, lane);
	if (unlikely(now - s->start >= snapshot_block_ticks))
		snapshot_take();
}
