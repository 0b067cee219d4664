/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/locks.h"
#include "analyzer/util/list.h"
#include "analyzer/views/views.h"
#include "analyzer/models/waits.h"
#include "format/kinds.h"

#define RECENT_MAX 8u

struct lock_recent {
	struct {
		uint64_t begin, end;
		uint64_t blocked_ns;
		struct stack_id stack;
		uint32_t wait;
	} spans[RECENT_MAX];
	uint32_t len; /* ever; the last RECENT_MAX are there */
};

struct lock_hold {
	uint64_t tick;
	struct stack_id stack;
	uint32_t tid;
};

/* The kernel puts the first thread's stack at the top of the address space. */
#if defined(__x86_64__)
#define STACK_SHIFT 36
#define STACK_TOP UINT64_C(0x7ff)
#else
#define STACK_SHIFT 40
#define STACK_TOP UINT64_C(0xff)
#endif

#define HOLDER_BY_TID (UINT64_C(1) << 32)

static void find_block(struct locks *l, struct lock *lock)
{
	const struct block *b = l->heap ? live_containing(&l->heap->live, lock->address) : NULL;

	if (!b)
		return;
	lock->block_site = l->heap->sites[b->site].stack;
	lock->block_offset = lock->address - b->addr;
	lock->block_size = b->size;
}

static struct lock *lock_at(struct locks *l, uint64_t address)
{
	uint64_t index;
	struct lock *lock;

	if (map_get(&l->lock_of, address, &index))
		return &l->locks[index];
	if (list_grow((void **)&l->locks, &l->locks_cap, l->locks_len, sizeof(*l->locks)) ||
	    map_put(&l->lock_of, address, l->locks_len)) {
		l->failed = true;
		return NULL;
	}
	lock = &l->locks[l->locks_len++];
	*lock = (struct lock){ .address = address };
	find_block(l, lock);
	return lock;
}

static struct lock_holder *holder_at(struct locks *l, const struct lock *lock, struct stack_id stack, uint32_t tid)
{
	uint64_t number = (uint64_t)(lock - l->locks), index;
	uint64_t key = number << 33 | (stack.v ? stack.v : HOLDER_BY_TID | tid);

	if (map_get(&l->holder_of, key, &index))
		return &l->holders[index];
	if (list_grow((void **)&l->holders, &l->holders_cap, l->holders_len, sizeof(*l->holders)) ||
	    map_put(&l->holder_of, key, l->holders_len)) {
		l->failed = true;
		return NULL;
	}
	l->holders[l->holders_len] = (struct lock_holder){ .lock = (uint32_t)number, .stack = stack, .tid = tid };
	return &l->holders[l->holders_len++];
}

/* ---- releases ------------------------------------------------------------------------------------------------- */

static struct lock_hold *ring_at(const struct lock *lock, uint32_t back)
{
	return &lock->ring[(lock->ring_next + lock->ring_cap - 1 - back) % lock->ring_cap];
}

/* The ring is full: twice the room in straight order, as far as the limit allows. */
static void ring_grow(struct lock *lock)
{
	uint32_t cap = lock->ring_cap ? 2 * lock->ring_cap : 8;
	struct lock_hold *ring = cap <= LOCK_HOLDS_MAX ? malloc(cap * sizeof(*ring)) : NULL;

	if (!ring)
		return;
	for (uint32_t i = 0; i < lock->ring_len; i++)
		ring[i] = *ring_at(lock, lock->ring_len - 1 - i);
	free(lock->ring);
	lock->ring = ring;
	lock->ring_cap = cap;
	lock->ring_next = lock->ring_len;
}

static void ring_push(struct lock *lock, struct lock_hold hold)
{
	if (lock->ring_len == lock->ring_cap)
		ring_grow(lock);
	if (!lock->ring_cap)
		return;
	lock->ring[lock->ring_next] = hold;
	lock->ring_next = (lock->ring_next + 1) % lock->ring_cap;
	if (lock->ring_len < lock->ring_cap)
		lock->ring_len++;
}

/* ---- what a holder did meanwhile ------------------------------------------------------------------------------ */

static void remember_span(struct locks *l, const struct pass_event *e, uint64_t blocked_ns)
{
	const struct rec_span *span = &e->ev->span;
	struct lock_recent *recent;
	unsigned at;

	if (e->thread >= l->rec->threads_len || !blocked_ns)
		return;
	recent = &l->recent[e->thread];
	at = recent->len++ % RECENT_MAX;
	recent->spans[at].begin = e->tick > span->dur_ticks ? e->tick - span->dur_ticks : 0;
	recent->spans[at].end = e->tick;
	recent->spans[at].blocked_ns = blocked_ns;
	recent->spans[at].stack = recording_stack(l->rec, span->stack);
	recent->spans[at].wait = span->wait;
}

static void add_inside(struct lock_holder *holder, uint32_t wait, struct stack_id stack, uint64_t blocked_ns,
		       uint64_t times)
{
	uint32_t i = 0;

	while (i < holder->inside_len && (holder->inside[i].wait != wait || holder->inside[i].stack.v != stack.v))
		i++;
	if (i == LOCK_INSIDE_MAX)
		return;
	if (i == holder->inside_len)
		holder->inside[holder->inside_len++] = (struct lock_inside){ .wait = wait, .stack = stack };
	holder->inside[i].blocked_ns += blocked_ns;
	holder->inside[i].times += times;
}

static void look_inside(struct locks *l, const struct lock *lock, const struct pass_event *e, struct stack_id stack,
			uint32_t tid)
{
	uint64_t held = e->ev->hold.held_ticks, begin = e->tick > held ? e->tick - held : 0;
	const struct lock_recent *recent;
	struct lock_holder *holder = NULL;

	if (!held || !stack.v || e->thread >= l->rec->threads_len)
		return;
	recent = &l->recent[e->thread];
	for (uint32_t i = 0; i < RECENT_MAX && i < recent->len; i++) {
		if (recent->spans[i].begin < begin || recent->spans[i].end > e->tick)
			continue;
		holder = holder ? holder : holder_at(l, lock, stack, tid);
		if (holder)
			add_inside(holder, recent->spans[i].wait, recent->spans[i].stack, recent->spans[i].blocked_ns,
				   1);
	}
}

static int by_inside(const void *a, const void *b)
{
	const struct lock_inside *x = a, *y = b;

	return x->blocked_ns == y->blocked_ns ? 0 : x->blocked_ns > y->blocked_ns ? -1 : 1;
}

/* ---- releases ------------------------------------------------------------------------------------------------- */

static struct lock_holder *find_by_tid(const struct locks *l, const struct lock *lock, uint32_t tid)
{
	uint64_t index;

	return map_get(&l->holder_of, (uint64_t)(lock - l->locks) << 33 | HOLDER_BY_TID | tid, &index)
		       ? &l->holders[index]
		       : NULL;
}

/* Waits for this owner that were given up before it released: now there is a stack for them. */
static void pay_owed(struct locks *l, const struct lock *lock, const struct rec_hold *hold, struct stack_id stack,
		     uint32_t tid)
{
	struct lock_holder owed, *holder = tid ? find_by_tid(l, lock, tid) : NULL;

	if (!holder || !holder->owed_waits || !stack.v)
		return;
	/* A section that began after the wait ended was not what it waited for. */
	if (hold->held_ticks && hold->h.tick - hold->held_ticks > holder->owed_tick)
		return;
	owed = *holder;
	holder->wait_ns -= owed.owed_ns;
	holder->waits -= owed.owed_waits;
	holder->owed_ns = holder->owed_waits = 0;
	holder = holder_at(l, lock, stack, tid);
	if (!holder)
		return;
	holder->wait_ns += owed.owed_ns;
	holder->waits += owed.owed_waits;
	if (owed.longest_ns > holder->longest_ns)
		holder->longest_ns = owed.longest_ns;
}

static void on_hold(void *self, const struct pass_event *e)
{
	struct locks *l = self;
	const struct rec_hold *hold = &e->ev->hold;
	const struct rsd_thread *thread = recording_thread(l->rec, e->thread);
	struct lock *lock = lock_at(l, hold->object);
	struct lock_hold release = { .tick = e->tick, .tid = thread ? thread->tid : 0 };

	if (!lock)
		return;
	release.stack = recording_stack(l->rec, hold->stack);
	lock->holds++;
	lock->held_ns += clock_dur_ns(&l->rec->clock, hold->held_ticks);
	ring_push(lock, release);
	pay_owed(l, lock, hold, release.stack, release.tid);
	look_inside(l, lock, e, release.stack, release.tid);
}

/* ---- waits ---------------------------------------------------------------------------------------------------- */

static struct lock_holder *give(struct locks *l, const struct lock *lock, struct stack_id stack, uint32_t tid,
				uint64_t ns)
{
	struct lock_holder *holder = holder_at(l, lock, stack, tid);

	if (!holder)
		return NULL;
	holder->wait_ns += ns;
	holder->waits++;
	if (ns > holder->longest_ns)
		holder->longest_ns = ns;
	if (holder->tid != tid)
		holder->tid = 0;
	return holder;
}

/* The blocked time up to `tick`, as if it were spread evenly over the wait: cuts sum up to the whole. */
static uint64_t blocked_until(uint64_t tick, uint64_t begin, uint64_t end, uint64_t blocked_ns)
{
	return tick >= end || end <= begin ? blocked_ns
					   : (uint64_t)((unsigned __int128)blocked_ns * (tick - begin) / (end - begin));
}

static void share_out(struct locks *l, const struct lock *lock, const struct pass_event *e, uint64_t blocked_ns)
{
	const struct rec_span *span = &e->ev->span;
	uint64_t begin = e->tick > span->dur_ticks ? e->tick - span->dur_ticks : 0, given = 0;
	uint32_t inside = 0;

	while (inside < lock->ring_len && ring_at(lock, inside)->tick > begin)
		inside++;
	if (!inside) {
		struct lock_holder *holder = give(l, lock, (struct stack_id){ 0 }, span->peer, blocked_ns);

		if (holder && span->err && span->peer) {
			holder->owed_ns += blocked_ns;
			holder->owed_waits++;
			holder->owed_tick = e->tick;
		}
		return;
	}
	for (uint32_t back = inside; back-- > 0;) {
		const struct lock_hold *hold = ring_at(lock, back);
		uint64_t until = back ? blocked_until(hold->tick, begin, e->tick, blocked_ns) : blocked_ns;

		give(l, lock, hold->stack, hold->tid, until - given);
		given = until;
	}
}

static bool is_lock(unsigned wait)
{
	return wait == WAIT_MUTEX || wait == WAIT_RWLOCK_READ || wait == WAIT_RWLOCK_WRITE || wait == WAIT_SPIN;
}

static void on_span(void *self, const struct pass_event *e)
{
	struct locks *l = self;
	const struct rec_span *span = &e->ev->span;
	struct span_time t = span_split(&l->rec->clock, span);
	struct lock *lock = is_lock(span->wait) ? lock_at(l, span->object) : NULL;

	remember_span(l, e, t.blocked_ns);
	if (!lock)
		return;
	lock->contentions++;
	lock->wait_ns += t.blocked_ns;
	lock->wait_by_kind[span->wait] += t.blocked_ns;
	if (!lock->wait || lock->wait_by_kind[span->wait] > lock->wait_by_kind[lock->wait])
		lock->wait = span->wait;
	if (t.blocked_ns >= lock->max_wait_ns) {
		lock->max_wait_ns = t.blocked_ns;
		lock->waiter = recording_stack(l->rec, span->stack);
	}
	share_out(l, lock, e, t.blocked_ns);
}

int locks_init(struct locks *l, struct recording *rec, const struct heap *heap)
{
	*l = (struct locks){ .rec = rec, .heap = heap };
	map_init(&l->lock_of);
	map_init(&l->holder_of);
	l->recent = calloc(rec->threads_len + 1, sizeof(*l->recent));
	return l->recent ? 0 : -ENOMEM;
}

void locks_release(struct locks *l)
{
	for (size_t i = 0; i < l->locks_len; i++) {
		free(l->locks[i].ring);
		free(l->locks[i].name);
	}
	free(l->locks);
	free(l->holders);
	free(l->recent);
	map_release(&l->lock_of);
	map_release(&l->holder_of);
	*l = (struct locks){ 0 };
}

struct pass_sink locks_sink(struct locks *l)
{
	return (struct pass_sink){ .self = l, .on = { [EV_SPAN] = on_span, [EV_HOLD] = on_hold } };
}

/* ---- names and order ------------------------------------------------------------------------------------------ */

static void name_in_block(struct locks *l, const struct lock *lock, struct buf *out)
{
	const struct frame_chain *leaf = stacks_leaf(l->rec->stacks, lock->block_site);

	buf_printf(out, "%s in the block allocated by ", wait_domain(lock->wait)[0] == 'l' ? "lock" : "object");
	view_frame_name(out, &leaf->frames[0]);
	buf_printf(out, " +0x%" PRIx64, lock->block_offset);
}

static char *lock_name(struct locks *l, const struct lock *lock)
{
	const char *symbol = symbols_addr_data_name(stacks_symbols(l->rec->stacks), &l->rec->modules, lock->address);
	struct buf out = { 0 };

	if (symbol)
		buf_add_safe(&out, symbol, strlen(symbol));
	else if (lock->block_size)
		name_in_block(l, lock, &out);
	else
		buf_printf(&out, "0x%" PRIx64 "%s", lock->address,
			   lock->address >> STACK_SHIFT == STACK_TOP ? " (on the main thread's stack)" : "");
	if (out.failed) {
		buf_release(&out);
		return NULL;
	}
	return out.data;
}

/* Locks that were only released with waiters, none of which was long enough, are no finding. */
static int drop_quiet(struct locks *l)
{
	uint32_t *index = malloc((l->locks_len + 1) * sizeof(*index));
	size_t kept = 0;

	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < l->locks_len; i++) {
		index[i] = (uint32_t)kept;
		free(l->locks[i].ring);
		l->locks[i].ring = NULL;
		l->locks[i].ring_len = l->locks[i].ring_cap = 0;
		if (l->locks[i].contentions)
			l->locks[kept++] = l->locks[i];
	}
	l->locks_len = kept;
	/* Who has a holder was waited for, so no holder's lock is gone; an owner whose waits found a stack is. */
	kept = 0;
	for (size_t i = 0; i < l->holders_len; i++) {
		l->holders[i].lock = index[l->holders[i].lock];
		qsort(l->holders[i].inside, l->holders[i].inside_len, sizeof(l->holders[i].inside[0]), by_inside);
		if (l->holders[i].waits)
			l->holders[kept++] = l->holders[i];
	}
	l->holders_len = kept;
	free(index);
	return 0;
}

static int by_wait(const void *a, const void *b)
{
	const struct lock *x = a, *y = b;

	if (x->wait_ns != y->wait_ns)
		return x->wait_ns > y->wait_ns ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

static int holder_by_wait(const void *a, const void *b)
{
	const struct lock_holder *x = a, *y = b;

	if (x->lock != y->lock)
		return x->lock < y->lock ? -1 : 1;
	if (x->wait_ns != y->wait_ns)
		return x->wait_ns > y->wait_ns ? -1 : 1;
	return x->stack.v < y->stack.v ? -1 : x->stack.v > y->stack.v;
}

/* Longest wait first; holders follow their lock to its new number. */
static int sort(struct locks *l)
{
	uint32_t *index = malloc((l->locks_len + 1) * sizeof(*index));

	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < l->locks_len; i++)
		l->locks[i].ring_next = (uint32_t)i;
	if (l->locks_len)
		qsort(l->locks, l->locks_len, sizeof(*l->locks), by_wait);
	for (size_t i = 0; i < l->locks_len; i++)
		index[l->locks[i].ring_next] = (uint32_t)i;
	for (size_t i = 0; i < l->holders_len; i++)
		l->holders[i].lock = index[l->holders[i].lock];
	if (l->holders_len)
		qsort(l->holders, l->holders_len, sizeof(*l->holders), holder_by_wait);
	free(index);
	return 0;
}

int locks_finish(struct locks *l)
{
	int err = drop_quiet(l);

	err = err ? err : sort(l);
	for (size_t i = 0; !err && i < l->locks_len; i++) {
		l->locks[i].name = lock_name(l, &l->locks[i]);
		if (!l->locks[i].name)
			err = -ENOMEM;
	}
	return l->failed ? -ENOMEM : err;
}

int locks_merge(struct locks *into, const struct locks *from)
{
	uint32_t base = (uint32_t)into->locks_len;

	for (size_t i = 0; i < from->locks_len; i++) {
		struct lock *lock;

		if (list_grow((void **)&into->locks, &into->locks_cap, into->locks_len, sizeof(*into->locks)))
			return -ENOMEM;
		lock = &into->locks[into->locks_len++];
		*lock = from->locks[i];
		lock->name = from->locks[i].name ? strdup(from->locks[i].name) : NULL;
	}
	for (size_t i = 0; i < from->holders_len; i++) {
		if (list_grow((void **)&into->holders, &into->holders_cap, into->holders_len, sizeof(*into->holders)))
			return -ENOMEM;
		into->holders[into->holders_len] = from->holders[i];
		into->holders[into->holders_len++].lock += base;
	}
	return sort(into);
}
