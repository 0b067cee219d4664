// SPDX-License-Identifier: MIT
/*
 * sample.c - comparing at instructions of the program's own time.
 *
 * Each thread has a timer of its CPU time. Its signal arrives at some instruction, which is compared; then the
 * trap flag of the processor makes each of the next instructions raise SIGTRAP, and they are compared, too. So a
 * kernel that looks at its timers 250 times a second still gives many thousand captures. A thread that was
 * comparing is stepped as soon as it is back in the program.
 */
#include "tests/oracle/sample.h"

#include <signal.h>
#include <time.h>

#include "preload/raw.h"
#include "tests/oracle/watch.h"

#define TRAP_FLAG 0x100
#define PERIOD_NS 1000000
#define NO_TIMER (-1)

static int timer_signal;
static unsigned steps;
static __thread unsigned steps_left;
static __thread bool is_owed; /* steps: the timer interrupted our own code */

/* ---- the program's own handlers ---------------------------------------------------------------------------- */

static void on_fault(int sig, siginfo_t *info, void *uc);
static void on_trap(int sig, siginfo_t *info, void *uc);

/* A fault of the oracle's, who read where nothing is: SIGSEGV; at an address that is none, by sp or bp: SIGBUS. */
static const struct stand_in {
	int sig, flags;
	void (*handler)(int, siginfo_t *, void *);
} stand_ins[] = {
	{ SIGSEGV, SA_NODEFER, on_fault },
	{ SIGBUS, SA_NODEFER, on_fault },
	{ SIGTRAP, SA_RESTART, on_trap },
};

#define STAND_INS (sizeof(stand_ins) / sizeof(stand_ins[0]))
static struct sigaction programs_own[STAND_INS];

/* All but those that the oracle may cause. */
static sigset_t mask_of(int flags)
{
	sigset_t mask;

	sigemptyset(&mask);
	if (flags & SA_NODEFER)
		return mask;
	sigfillset(&mask);
	sigdelset(&mask, SIGSEGV);
	sigdelset(&mask, SIGBUS);
	return mask;
}

/* The program may set handlers of its own at any time: they are put back when a signal is not for us. */
static void stand_in(void)
{
	for (unsigned i = 0; i < STAND_INS; i++) {
		const struct stand_in *s = &stand_ins[i];
		struct sigaction now, ours = { .sa_flags = SA_SIGINFO | SA_ONSTACK | s->flags };

		if (sigaction(s->sig, NULL, &now) || now.sa_sigaction == s->handler)
			continue;
		programs_own[i] = now;
		ours.sa_sigaction = s->handler;
		ours.sa_mask = mask_of(s->flags);
		sigaction(s->sig, &ours, NULL);
	}
}

/* It strikes again as soon as our handler returns. */
static void give_back(int sig, const siginfo_t *info)
{
	for (unsigned i = 0; i < STAND_INS; i++)
		if (stand_ins[i].sig == sig)
			sigaction(sig, &programs_own[i], NULL);
	if (info->si_code <= 0 || sig == SIGTRAP)
		raise(sig);
}

/* ---- signals ---------------------------------------------------------------------------------------------- */

static void on_fault(int sig, siginfo_t *info, void *uc)
{
	(void)uc;
	chain_crash();
	give_back(sig, info);
}

/*
 * A system call may block all signals, and a SIGTRAP that is blocked kills; a pushed flag word would be popped with
 * our flag. There stepping ends.
 */
static bool may_step(const uint8_t *ip)
{
	return !watch_is_busy() && !(ip[0] == 0x0f && ip[1] == 0x05) && ip[0] != 0x9c;
}

static void step_on(ucontext_t *uc)
{
	greg_t *g = uc->uc_mcontext.gregs;

	if (steps_left && may_step((const uint8_t *)g[REG_RIP])) {
		steps_left--;
		g[REG_EFL] |= TRAP_FLAG;
	} else {
		steps_left = 0;
		g[REG_EFL] &= ~TRAP_FLAG;
	}
}

static void on_trap(int sig, siginfo_t *info, void *uc)
{
	if (info->si_code != TRAP_TRACE) {
		give_back(sig, info);
		return;
	}
	watch_interrupt(AT_STEP, uc);
	step_on(uc);
}

static void on_timer(int sig, siginfo_t *info, void *uc)
{
	const ucontext_t *at = uc;

	(void)sig;
	/* Stepping takes time, too: without an end to it the program would get nowhere. */
	if (info->si_code != SI_TIMER || at->uc_mcontext.gregs[REG_EFL] & TRAP_FLAG)
		return;
	stand_in();
	watch_interrupt(AT_TIMER, uc);
	is_owed = watch_is_busy();
	steps_left = steps;
	step_on(uc);
}

void sample_catch_up(void)
{
	if (!is_owed || watch_is_busy())
		return;
	is_owed = false;
	steps_left = steps;
	if (!steps)
		return;
	stand_in();
	__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | TRAP_FLAG);
}

/* ---- timers ----------------------------------------------------------------------------------------------- */

void sample_thread_begin(int *timer)
{
	struct sigevent event = { .sigev_signo = timer_signal, .sigev_notify = SIGEV_THREAD_ID };
	struct itimerspec spec = { { 0, PERIOD_NS }, { 0, PERIOD_NS } };

	event._sigev_un._tid = (int)raw1(SYS_gettid, 0);
	*timer = NO_TIMER;
	if (raw3(SYS_timer_create, CLOCK_THREAD_CPUTIME_ID, &event, timer) == 0)
		raw4(SYS_timer_settime, *timer, 0, &spec, NULL);
}

void sample_thread_end(int timer)
{
	if (timer != NO_TIMER)
		raw1(SYS_timer_delete, timer);
}

void sample_begin(unsigned steps_wanted)
{
	struct sigaction act = { .sa_sigaction = on_timer, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };

	steps = steps_wanted;
	timer_signal = SIGRTMAX;
	act.sa_mask = mask_of(0);
	sigaction(timer_signal, &act, NULL);
	stand_in();
}
