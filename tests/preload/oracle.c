// SPDX-License-Identifier: MIT
/*
 * oracle.c - see oracle.h. libgcc_s must come before libunwind on the link line: both export _Unwind_Backtrace,
 * and a context of the one means nothing to the other.
 */
#include "tests/preload/oracle.h"

#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <libunwind.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unwind.h>

#include "preload/stacks.h"
#include "tests/support/fake_file.h"

#define DEPTH 512
#define SHOWN_MAX 12 /* differences printed per scene */

struct chain {
	unsigned len;
	unsigned cut, guessed; /* ours only: reason at the end, first guessed frame (or DEPTH) */
	uintptr_t ip[DEPTH];
	uint32_t node[DEPTH]; /* ours only */
};

/* How a capture compares. */
enum verdict { EQUAL, LONGER_GUESSED, CUT_MARKED, WRONG, VERDICTS };
static const char *const verdict_names[] = { "equal", "longer by a guess", "shorter and marked", "wrong" };

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

/* ---- chains ----------------------------------------------------------------------------------------------- */

static void chain_of_node(struct chain *c, uint32_t id)
{
	c->len = c->cut = 0;
	c->guessed = DEPTH;
	while (id && c->len < DEPTH) {
		const struct rsd_node *node = fake_file_node(id);

		if (node->flags & RSD_NODE_GUESSED && c->guessed == DEPTH)
			c->guessed = c->len;
		c->node[c->len] = id;
		c->ip[c->len++] = RSD_NODE_IP(node);
		c->cut = node->cut;
		id = node->parent;
	}
}

struct libgcc_walk {
	struct chain *chain;
	uintptr_t from;
	bool is_from_exact; /* the handler's own return address may be equal */
	bool is_found;
};

static _Unwind_Reason_Code libgcc_frame(struct _Unwind_Context *context, void *arg)
{
	struct libgcc_walk *walk = arg;
	int is_exact = 0;
	uintptr_t ip = _Unwind_GetIPInfo(context, &is_exact);

	if (ip == walk->from && is_exact == walk->is_from_exact)
		walk->is_found = true;
	if (walk->is_found && ip && walk->chain->len < DEPTH)
		walk->chain->ip[walk->chain->len++] = ip;
	return _URC_NO_REASON;
}

static sigjmp_buf crashed;
static volatile sig_atomic_t may_crash;

static void on_crash(int sig)
{
	if (may_crash)
		siglongjmp(crashed, 1);
	signal(sig, SIG_DFL);
}

/* Everything from the frame with this ip on. false: it read where nothing is. */
static bool chain_of_libgcc(struct chain *c, uintptr_t from, bool is_exact)
{
	struct libgcc_walk walk = { c, from, is_exact, false };

	c->len = 0;
	if (sigsetjmp(crashed, 1)) {
		may_crash = 0;
		return false;
	}
	may_crash = 1;
	_Unwind_Backtrace(libgcc_frame, &walk);
	may_crash = 0;
	return true;
}

static void chain_of_libunwind(struct chain *c, unw_context_t *context, int flags, uintptr_t from)
{
	unw_cursor_t cursor;
	bool is_found = false;
	unw_word_t ip;

	c->len = 0;
	if (unw_init_local2(&cursor, context, flags) < 0)
		return;
	do {
		if (unw_get_reg(&cursor, UNW_REG_IP, &ip) < 0 || !ip)
			break;
		is_found |= ip == from;
		if (is_found && c->len < DEPTH)
			c->ip[c->len++] = ip;
	} while (unw_step(&cursor) > 0);
}

static bool is_equal(const struct chain *a, const struct chain *b)
{
	return a->len == b->len && memcmp(a->ip, b->ip, a->len * sizeof(a->ip[0])) == 0;
}

static unsigned common(const struct chain *a, const struct chain *b)
{
	unsigned i = 0;

	while (i < a->len && i < b->len && a->ip[i] == b->ip[i])
		i++;
	return i;
}

/*
 * A guess where the oracle gives up is more, not less; a stack that ends early must say so. Whatever else
 * differs is wrong.
 */
static enum verdict judge(const struct chain *ours, const struct chain *theirs)
{
	unsigned same = common(ours, theirs);

	if (is_equal(ours, theirs))
		return EQUAL;
	if (same == theirs->len && ours->guessed <= same + 1)
		return LONGER_GUESSED;
	if (same == ours->len && ours->cut)
		return CUT_MARKED;
	return WRONG;
}

/* ---- telling ---------------------------------------------------------------------------------------------- */

/*
 * Differences are kept and told between scenes: the interrupted code may hold the locks of stdio, malloc or the
 * loader.
 */
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
	unsigned same = common(&d->ours, &d->theirs), from = same ? same - 1 : 0;

	fprintf(stderr, "  %s: %s, %u frames, oracle %u, equal %u, cut %u\n", accounts[scenes].scene, d->what,
		d->ours.len, d->theirs.len, same, d->ours.cut);
	show_frame("innermost", d->ours.ip[0]);
	if (same == d->ours.len && same == d->theirs.len)
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
		note("memo against fresh walk", &ours, &second);
	}
	if (!chain_of_libgcc(&theirs, ip, flags != 0)) {
		a->oracle_crashed++;
		return;
	}
	verdict = judge(&ours, &theirs);
	a->count[verdict]++;
	if (verdict != EQUAL)
		note(verdict_names[verdict], &ours, &theirs);
	/* libunwind takes locks of the loader, which the interrupted code may hold. */
	if (flags || !second_every || captures++ % second_every)
		return;
	chain_of_libunwind(&second, context, flags, ip);
	a->second_asked++;
	a->second_differs += !is_equal(&ours, &second);
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

	second_every = every;
	fake_file_open(20000);
	stacks_begin();
	memo_state = new_state();
	fresh_state = new_state();
	here_state = new_state();
	sigaction(SIGTRAP, &act, NULL);
	signal(SIGSEGV, on_crash);
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
