// SPDX-License-Identifier: MIT
/* oracle.c - see oracle.h. */
#include "tests/preload/oracle.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "preload/stacks.h"
#include "tests/oracle/chain.h"
#include "tests/support/fake_file.h"

#define DEPTH 512
#define SHOWN_MAX 12 /* differences printed per scene */

struct account {
	const char *scene;
	unsigned long count[VERDICTS];
	unsigned long oracle_crashed; /* damaged by wrong tables at that instruction; nothing to compare with */
	unsigned long second_asked, second_differs, memo_differs;
	unsigned shown;
};

static struct account accounts[64];
static unsigned scenes;
static struct stack_state *memo_state, *fresh_state, *here_state;
static unsigned second_every;
static unsigned long captures;
static __thread bool is_stepping;

/* What libgcc reads by damaged tables is nobody's fault but theirs. */
static void on_crash(int sig, siginfo_t *info, void *arg)
{
	(void)info;
	(void)arg;
	chain_crash();
	signal(sig, SIG_DFL);
}

/* ---- telling ---------------------------------------------------------------------------------------------- */

/*
 * Differences are kept and told between scenes: the interrupted code may hold the locks of stdio, malloc or the
 * loader.
 */
static const char against_fresh[] = "memo against fresh walk";

static struct difference {
	const char *what;
	struct chain ours, theirs;
} differences[SHOWN_MAX];

static void note(const char *what, const struct chain *our, const struct chain *their)
{
	struct account *a = &accounts[scenes];
	struct difference *d;

	/* One per innermost address. */
	for (unsigned i = 0; i < a->shown; i++)
		if (differences[i].ours.ip[0] == our->ip[0])
			return;
	if (a->shown == SHOWN_MAX)
		return;
	d = &differences[a->shown++];
	d->what = what;
	d->ours = *our;
	d->theirs = *their;
}

static void show_frame(const char *who, uintptr_t ip)
{
	Dl_info info = { 0 };

	dladdr((void *)ip, &info);
	fprintf(stderr, "    %-10s %012lx %s+%#lx (%s+%#lx)\n", who, (unsigned long)ip,
		info.dli_sname ? info.dli_sname : "?", (unsigned long)(ip - (uintptr_t)info.dli_saddr),
		info.dli_fname ? strrchr(info.dli_fname, '/') : "?", (unsigned long)(ip - (uintptr_t)info.dli_fbase));
}

/* The same addresses under two ids: what else is different? */
static void show_nodes(const struct chain *a, const struct chain *b)
{
	for (unsigned i = 0; i < a->len; i++) {
		const struct rsd_node *x = fake_file_node(a->node[i]), *y = fake_file_node(b->node[i]);

		fprintf(stderr, "    %2u nodes %u %u: flags %u %u, modules %u %u, cuts %u %u\n", i, a->node[i],
			b->node[i], x->flags, y->flags, RSD_NODE_MODULE(x), RSD_NODE_MODULE(y), x->cut, y->cut);
	}
}

static void show(const struct difference *d)
{
	unsigned same = chain_common(&d->ours, &d->theirs), from = same ? same - 1 : 0;

	fprintf(stderr, "  %s: %s, %u frames, oracle %u, equal %u, cut %u\n", accounts[scenes].scene, d->what,
		d->ours.len, d->theirs.len, same, d->ours.cut);
	show_frame("innermost", d->ours.ip[0]);
	if (d->what == against_fresh)
		show_nodes(&d->ours, &d->theirs);
	for (unsigned i = from; i < same + 2 && i < d->ours.len; i++)
		show_frame("ours", d->ours.ip[i]);
	for (unsigned i = from; i < same + 2 && i < d->theirs.len; i++)
		show_frame("oracle", d->theirs.ip[i]);
}

static void show_all(void)
{
	for (unsigned i = 0; i < accounts[scenes].shown; i++)
		show(&differences[i]);
}

/* ---- comparing -------------------------------------------------------------------------------------------- */

static struct chain ours, theirs, second;

static void compare(uint32_t memo_node, uint32_t fresh_node, unw_context_t *context, int flags, uintptr_t ip)
{
	struct account *a = &accounts[scenes];
	enum verdict verdict;

	chain_of_node(&ours, memo_node);
	if (memo_node != fresh_node) {
		a->memo_differs++;
		chain_of_node(&second, fresh_node);
		note(against_fresh, &ours, &second);
	}
	if (!chain_of_libgcc(&theirs, ip, flags != 0, DEPTH + 1)) {
		if (chain_explains_crash(&ours, &theirs)) {
			a->oracle_crashed++;
		} else {
			a->count[WRONG]++;
			note("libgcc crashed", &ours, &theirs);
		}
		return;
	}
	verdict = chain_judge(&ours, &theirs, DEPTH);
	a->count[verdict]++;
	if (verdict != EQUAL)
		note(verdict_names[verdict], &ours, &theirs);
	/* libunwind takes locks of the loader, which the interrupted code may hold. */
	if (flags || !second_every || captures++ % second_every)
		return;
	chain_of_libunwind(&second, context, flags, ip, DEPTH);
	a->second_asked++;
	a->second_differs += !chain_is_equal(&ours, &second);
}

static void on_trap(int sig, siginfo_t *info, void *arg)
{
	ucontext_t *uc = arg;
	struct regs regs = {
		.ip = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP],
		.sp = (uintptr_t)uc->uc_mcontext.gregs[REG_RSP],
		.bp = (uintptr_t)uc->uc_mcontext.gregs[REG_RBP],
		.context = uc,
	};

	(void)sig;
	(void)info;
	if (!is_stepping)
		return;
	compare(stack_capture(memo_state, &regs, true),
		stack_capture(stack_state_init(fresh_state, DEPTH), &regs, true), uc, UNW_INIT_SIGNAL_FRAME, regs.ip);
}

static void trap_flag(bool on)
{
	unsigned long flags = __builtin_ia32_readeflags_u64();

	__builtin_ia32_writeeflags_u64(on ? flags | 0x100 : flags & ~0x100ul);
}

__attribute__((noinline)) void oracle_here(void)
{
	struct regs regs = REGS_OF_CALLER();
	bool was_stepping = is_stepping;
	unw_context_t context;

	/* Not our own comparing, which keeps its chains in one place. */
	trap_flag(false);
	is_stepping = false;
	unw_getcontext(&context);
	compare(stack_capture(here_state, &regs, false),
		stack_capture(stack_state_init(fresh_state, DEPTH), &regs, false), &context, 0, regs.ip);
	is_stepping = was_stepping;
	trap_flag(was_stepping);
}

void oracle_step_begin(void)
{
	is_stepping = true;
	trap_flag(true);
}

void oracle_step_end(void)
{
	trap_flag(false);
	is_stepping = false;
}

static struct stack_state *new_state(void)
{
	return stack_state_init(calloc(1, stack_state_size(DEPTH)), DEPTH);
}

void oracle_begin(unsigned every)
{
	struct sigaction act = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction crash = { .sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_NODEFER };

	second_every = every;
	fake_file_open(20000);
	stacks_begin();
	memo_state = new_state();
	fresh_state = new_state();
	here_state = new_state();
	sigaction(SIGTRAP, &act, NULL);
	sigaction(SIGSEGV, &crash, NULL);
}

void oracle_scene(const char *name)
{
	show_all();
	scenes += accounts[scenes].scene != NULL;
	accounts[scenes].scene = name;
}

int oracle_end(void)
{
	unsigned long total = 0, memo = 0, sum[VERDICTS] = { 0 };

	show_all();
	printf("%-22s %9s %9s %9s %9s %9s %9s | %9s %9s\n", "scene", "equal", "guessed", "cut", "wrong", "memo bad",
	       "no oracle", "libunwind", "differs");
	for (unsigned i = 0; i <= scenes; i++) {
		const struct account *a = &accounts[i];

		printf("%-22s %9lu %9lu %9lu %9lu %9lu %9lu | %9lu %9lu\n", a->scene, a->count[EQUAL],
		       a->count[LONGER_GUESSED], a->count[CUT_MARKED], a->count[WRONG], a->memo_differs,
		       a->oracle_crashed, a->second_asked, a->second_differs);
		for (unsigned v = 0; v < VERDICTS; v++) {
			sum[v] += a->count[v];
			total += a->count[v];
		}
		memo += a->memo_differs;
	}
	printf("%lu captures, %.4f %% equal or longer, %lu wrong\n", total,
	       100.0 * (double)(sum[EQUAL] + sum[LONGER_GUESSED]) / (double)total, sum[WRONG]);
	return total == 0 || sum[WRONG] || memo || (sum[EQUAL] + sum[LONGER_GUESSED]) * 10000 < total * 9999;
}
