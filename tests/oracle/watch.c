// SPDX-License-Identifier: MIT
/* watch.c - see watch.h. */
#include "tests/oracle/watch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "preload/raw.h"
#include "tests/oracle/sample.h"
#include "tests/support/fake_file.h"

struct lane {
	uintptr_t guard; /* 0, or the stack address of who uses it */
	struct stack_state *memo, *fresh;
	struct chain ours, theirs, second;
};

struct watch {
	struct lane call[2], interrupt;
	unsigned calls, compared;
	int timer;
	bool is_ending;
};

static bool is_on;
static unsigned every, second_every, depth, late_us;
static pid_t process;
static pthread_key_t ending;
static __thread struct watch *self;
static uint32_t is_second_busy; /* libunwind */

/* ---- threads ---------------------------------------------------------------------------------------------- */

static bool lane_init(struct lane *s)
{
	size_t size = stack_state_size(depth);
	void *memo = raw_map(size), *fresh = raw_map(size);

	if (!memo || !fresh)
		return false;
	s->memo = stack_state_init(memo, depth);
	s->fresh = stack_state_init(fresh, depth);
	return true;
}

static struct watch *watch_thread(void)
{
	struct watch *w = self;

	if (w)
		return w->is_ending ? NULL : w;
	w = raw_map(sizeof(*w));
	if (!w || !lane_init(&w->call[0]) || !lane_init(&w->call[1]) || !lane_init(&w->interrupt))
		return NULL;
	self = w;
	/* May allocate: comes back here. */
	pthread_setspecific(ending, w);
	sample_thread_begin(&w->timer);
	return w;
}

/* What libc frees after this is not looked at: the memory stays, for a signal that is on its way. */
static void thread_ends(void *arg)
{
	struct watch *w = arg;

	w->is_ending = true;
	sample_thread_end(w->timer);
}

static bool on_signal_stack(void)
{
	stack_t ss;

	return raw2(SYS_sigaltstack, NULL, &ss) == 0 && ss.ss_flags & SS_ONSTACK;
}

/* As lane_enter does: a guard below our frame is of somebody who left by longjmp. */
static struct lane *enter(struct watch *w)
{
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);

	for (unsigned i = 0; i < 2; i++) {
		struct lane *s = &w->call[i];

		if (s->guard && (s->guard >= sp || on_signal_stack()))
			continue;
		if (s->guard) {
			stack_state_init(s->memo, depth);
			chain_unguard();
		}
		s->guard = sp;
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		return s;
	}
	account_add(AT_CALL, NESTED);
	return NULL;
}

static void leave(struct lane *s)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	s->guard = 0;
}

bool watch_is_busy(void)
{
	return !self || self->call[0].guard || self->call[1].guard;
}

/* ---- comparing -------------------------------------------------------------------------------------------- */

/* Both made from one moment: the answers must be alike in all. */
static bool compare_memo(struct lane *s, enum place place, const struct regs *from)
{
	bool is_exact = place != AT_CALL;
	uint32_t memo = stack_capture(s->memo, from, is_exact);
	uint32_t fresh = stack_capture(stack_state_init(s->fresh, depth), from, is_exact);

	if (!memo || !fresh || !chain_of_node(&s->ours, memo) || !chain_of_node(&s->second, fresh)) {
		account_add(place, LOST);
		return false;
	}
	if (memo == fresh)
		return true;
	if (chain_says_same(&s->ours, &s->second)) {
		account_add(place, TWICE);
		return true;
	}
	account_add(place, MEMO_DIFFERS);
	account_keep(place, "memo against fresh walk", from, &s->ours, &s->second);
	return true;
}

static void compare_crash(struct lane *s, enum place place, const struct regs *from)
{
	bool is_clear = chain_explains_crash(&s->ours, &s->theirs);

	account_add(place, is_clear ? NO_ORACLE : COMPARED + WRONG);
	account_keep(place, is_clear ? "libgcc crashed" : "wrong, where libgcc crashed", from, &s->ours, &s->theirs);
}

static void compare_libgcc(struct lane *s, enum place place, const struct regs *from)
{
	enum verdict verdict;

	if (!chain_of_libgcc(&s->theirs, from->ip, place != AT_CALL, depth + 1)) {
		compare_crash(s, place, from);
		return;
	}
	verdict = chain_judge(&s->ours, &s->theirs, depth);
	account_add(place, COMPARED + verdict);
	if (!chain_is_named_right(&s->ours)) {
		account_add(place, MISNAMED);
		account_keep(place, "of another module", from, &s->ours, &s->theirs);
	}
	if (verdict != EQUAL)
		account_keep(place, verdict_names[verdict], from, &s->ours, &s->theirs);
	else if (s->ours.cut == CUT_DEPTH)
		account_add(place, AT_DEPTH);
}

/*
 * libunwind has locks, and one that another thread held while this process was forked is never released: one thread
 * at a time, and who can't have it does without. It takes the loader's, too, which interrupted code may hold: it is
 * not asked in our handlers.
 */
static void compare_libunwind(struct lane *s, const struct regs *from)
{
	static const char *const names[VERDICTS] = { "", "longer by a guess than libunwind",
						     "shorter than libunwind and marked", "not as libunwind" };
	enum verdict verdict;
	unw_context_t context;

	if (__atomic_exchange_n(&is_second_busy, 1, __ATOMIC_ACQUIRE))
		return;
	unw_getcontext(&context);
	chain_of_libunwind(&s->second, &context, 0, from->ip, depth + 1);
	__atomic_store_n(&is_second_busy, 0, __ATOMIC_RELEASE);
	verdict = chain_judge(&s->ours, &s->second, depth);
	account_add(AT_CALL, SECOND + verdict);
	if (verdict != EQUAL)
		account_keep(AT_CALL, names[verdict], from, &s->ours, &s->second);
}

void watch_call(const struct regs *from)
{
	struct watch *w = is_on ? watch_thread() : NULL;
	struct lane *s;
	int err = errno;

	if (!w || ++w->calls % every)
		return;
	s = enter(w);
	if (!s)
		return;
	if (compare_memo(s, AT_CALL, from)) {
		compare_libgcc(s, AT_CALL, from);
		if (second_every && ++w->compared % second_every == 0)
			compare_libunwind(s, from);
	}
	leave(s);
	errno = err;
	sample_catch_up();
}

void watch_interrupt(enum place place, const ucontext_t *uc)
{
	const greg_t *g = uc->uc_mcontext.gregs;
	struct regs from = { (uintptr_t)g[REG_RIP], (uintptr_t)g[REG_RSP], (uintptr_t)g[REG_RBP], uc };
	struct lane *s = &self->interrupt;
	void *guard = chain_unguard();
	int err = errno;

	if (compare_memo(s, place, &from))
		compare_libgcc(s, place, &from);
	errno = err;
	chain_reguard(guard);
}

void watch_be_late(void)
{
	if (late_us)
		usleep(late_us);
}

/* ---- process ---------------------------------------------------------------------------------------------- */

static unsigned knob(const char *name, unsigned usual)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : usual;
}

static void in_child(void)
{
	process = getpid();
	account_forget();
	if (self)
		sample_thread_begin(&self->timer);
}

bool watch_begin(void)
{
	const char *prefix = getenv("ORACLE_OUT");

	if (!prefix)
		return false;
	account_begin(prefix);
	every = knob("ORACLE_EVERY", 1);
	second_every = knob("ORACLE_SECOND", 64);
	depth = knob("ORACLE_DEPTH", 128);
	if (depth >= CHAIN_MAX)
		depth = CHAIN_MAX - 1;
	late_us = knob("ORACLE_LATE", 0);
	process = getpid();
	pthread_key_create(&ending, thread_ends);
	pthread_atfork(NULL, NULL, in_child);
	fake_file_open(60000);
	stacks_begin();
	sample_begin(knob("ORACLE_STEPS", 64));
	/* Its cache does not notice when a library is unloaded. */
	unw_set_caching_policy(unw_local_addr_space, UNW_CACHE_NONE);
	is_on = true;
	return true;
}

void watch_end(void)
{
	/* A child of vfork has our memory. */
	if (!is_on || getpid() != process)
		return;
	is_on = false;
	account_write();
}
