/* SPDX-License-Identifier: MIT */
/* reach.c - when a snapshot is made, and the copy that makes it. See reach.h; what the copy does: reach_child.c. */
#include "preload/reach.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "preload/clock.h"
#include "preload/config.h"
#include "preload/file.h"
#include "preload/hook.h"
#include "preload/old_libc.h"
#include "preload/proc.h"
#include "preload/raw.h"
#include "preload/reach_plan.h"
#include "preload/text.h"
#include "preload/thread.h"
#include "preload/windows.h"

#ifndef CLONE_UNTRACED
#define CLONE_UNTRACED 0x00800000
#endif
#define NO_EXIT_SIGNAL 0
#define RED_ZONE 128u
#define EXIT_WAIT_NS UINT64_C(60000000000)

static uint32_t trigger; /* enum rsd_reach_trigger; 0: off */
static uint32_t is_taking, taken;
static int copies[REACH_SNAPSHOTS_MOST]; /* pids; 0: none, or its end was seen */
static size_t static_tls;
static struct reach_plan *plan;

static void fail(const char *why)
{
	char buf[160];
	struct text t = text_on(buf, sizeof(buf));

	file_count(COUNT_REACH_FAILED, 1);
	text_str(&t, "reach: no snapshot, ");
	text_str(&t, why);
	meta_notice(buf);
}

/* ---- the plan ------------------------------------------------------------------------------------------------- */

/* The stack pointer is the last but one field, in a line that ends so only for a thread that is not running. */
static uintptr_t parse_sp(const char *line, long n)
{
	uintptr_t value = 0, last = 0;

	for (long i = 0; i + 1 < n; i++) {
		if (line[i] != '0' || line[i + 1] != 'x')
			continue;
		last = value;
		value = 0;
		for (i += 2; i < n && line[i] > ' '; i++)
			value = value << 4 | (uintptr_t)(line[i] <= '9' ? line[i] - '0' : line[i] - 'a' + 10);
	}
	return last;
}

static uintptr_t sp_of(uint32_t tid)
{
	char path[64], line[256];
	struct text t = text_on(path, sizeof(path));
	long n;

	text_str(&t, "/proc/self/task/");
	text_u64(&t, tid);
	text_str(&t, "/syscall");
	n = proc_read(path, line, sizeof(line));
	return n > 0 ? parse_sp(line, n) : 0;
}

static void add_thread(struct thread *t)
{
	struct rsd_thread *slot = t->slot;

	if (!t->pointer || !slot || t->is_late || slot->state != 1)
		return;
	if (plan->threads_len == REACH_THREADS_MOST) {
		plan->threads_lost++;
		return;
	}
	plan->threads[plan->threads_len++] =
		(struct reach_thread){ t->tid, t->pointer, t == thread_self ? 0 : sp_of(t->tid) };
}

static void set_own_sp(uintptr_t sp)
{
	for (uint32_t i = 0; thread_self && i < plan->threads_len; i++)
		if (plan->threads[i].tid == thread_self->tid)
			plan->threads[i].sp = sp;
}

/*
 * The dump's windows are kept from children, so the copy gets one of its own. Mapped from a mapping and not from the
 * file: that may be out of reach.
 */
static struct rsd_header *map_window(void)
{
	long p = raw_map_again(file_header, windows_first_bytes(), 0);

	if (p < 0 && p > -4096)
		return NULL;
	raw3(SYS_madvise, p, windows_first_bytes(), MADV_DOFORK);
	return (struct rsd_header *)p;
}

static bool make_plan(uintptr_t sp, uintptr_t registers, size_t registers_size, uint32_t detail)
{
	if (!plan)
		plan = raw_map(sizeof(*plan));
	if (!plan)
		return false;
	plan->window = map_window();
	if (!plan->window)
		return false;
	plan->number = taken;
	plan->trigger = trigger;
	plan->detail = detail;
	plan->parent = (uint32_t)raw1(SYS_getpid, 0);
	plan->registers = registers;
	plan->registers_end = registers + registers_size;
	plan->static_tls = static_tls;
	plan->threads_len = plan->threads_lost = 0;
	thread_each(add_thread);
	set_own_sp(sp);
	plan->tick_before = clock_now();
	return true;
}

/* ---- the copy ------------------------------------------------------------------------------------------------- */

/* Signals stay out of it: they are the program's, and the copy has the program's handlers. */
static long make_copy(void)
{
	uint64_t all = ~(uint64_t)0, old;
	long pid;

	raw4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof(all));
	pid = raw5(SYS_clone, CLONE_UNTRACED | NO_EXIT_SIGNAL, 0, 0, 0, 0);
	if (!pid)
		reach_child(plan);
	raw4(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof(old));
	return pid;
}

/* Without taking it off the kernel's list: what it used would become the program's RUSAGE_CHILDREN. */
static bool is_running(int pid)
{
	siginfo_t info = { .si_pid = 0 };

	return pid && raw5(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL, 0) == 0 && !info.si_pid;
}

static bool may_take(void)
{
	if (!file_header || life->state != LIFE_RECORDING || thread_is_mute()) {
		file_count(COUNT_REACH_FAILED, 1); /* in a sandbox that counting leaves alone */
		return false;
	}
	for (unsigned i = 0; i < REACH_SNAPSHOTS_MOST; i++)
		if (is_running(copies[i])) {
			fail("the one before it was still being written");
			return false;
		}
	if (taken < REACH_SNAPSHOTS_MOST)
		return true;
	fail("there are 16 already");
	return false;
}

static void take_now(uintptr_t sp, uintptr_t registers, size_t registers_size, uint32_t detail)
{
	long pid;

	struct thread *t = thread_enter();

	if (t)
		thread_settle(t); /* its stack is among those of the plan now */
	if (!may_take())
		return;
	taken++;
	if (!make_plan(sp, registers, registers_size, detail)) {
		fail("there is no memory");
		return;
	}
	pid = make_copy();
	if (pid > 0)
		copies[taken - 1] = (int)pid;
	else
		fail(pid == -ENOMEM   ? "there is no memory for a copy of the process"
		     : pid == -EAGAIN ? "there may be no more processes"
				      : "the system does not allow to copy the process");
	raw2(SYS_munmap, plan->window, windows_first_bytes());
}

static void take(uintptr_t sp, uintptr_t registers, size_t registers_size, uint32_t detail)
{
	uint32_t idle = 0;

	if (!__atomic_compare_exchange_n(&is_taking, &idle, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	take_now(sp, registers, registers_size, detail);
	__atomic_store_n(&is_taking, 0, __ATOMIC_RELEASE);
}

/* Registers that a caller may have kept something in; they stand on the stack above what is looked at. */
__attribute__((noinline)) static void take_here(uint32_t detail)
{
	volatile uintptr_t saved[12];

#if defined(__x86_64__)
	__asm__ volatile("movq %%rbx, 0(%0)\n\tmovq %%rbp, 8(%0)\n\tmovq %%r12, 16(%0)\n\t"
			 "movq %%r13, 24(%0)\n\tmovq %%r14, 32(%0)\n\tmovq %%r15, 40(%0)"
			 :
			 : "r"(saved)
			 : "memory");
#else
	__asm__ volatile("stp x19, x20, [%0, #0]\n\tstp x21, x22, [%0, #16]\n\tstp x23, x24, [%0, #32]\n\t"
			 "stp x25, x26, [%0, #48]\n\tstp x27, x28, [%0, #64]\n\tstr x29, [%0, #80]"
			 :
			 : "r"(saved)
			 : "memory");
#endif
	take((uintptr_t)saved, 0, 0, detail);
	__asm__ volatile("" : : "r"(saved) : "memory");
}

/* ---- triggers ------------------------------------------------------------------------------------------------- */

static void on_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
#if defined(__x86_64__)
	uintptr_t sp = (uintptr_t)uc->uc_mcontext.gregs[REG_RSP];
#else
	uintptr_t sp = uc->uc_mcontext.sp;
#endif

	(void)info;
	take(sp - RED_ZONE, (uintptr_t)uc, sizeof(*uc), (uint32_t)sig);
}

/* Only a signal that the program has not taken; if it takes it later, its handler replaces ours. */
static void arm(const char *name)
{
	struct sigaction now, ours = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };
	int sig = config_signal(name, text_len(name));

	if (sig && real.sigaction(sig, NULL, &now) == 0 &&
	    (now.sa_handler == SIG_DFL || now.sa_sigaction == on_signal) && real.sigaction(sig, &ours, NULL) == 0)
		trigger = REACH_AT_SIGNAL;
	else
		fail("the signal is taken already");
}

static void find_static_tls(void)
{
	void (*info)(size_t * size, size_t * align) = dlsym(RTLD_DEFAULT, "_dl_get_tls_static_info");
	size_t align = 0;

	if (info)
		info(&static_tls, &align);
	else
		dlerror();
	static_tls += align;
}

void reach_begin(void)
{
	static const char by_signal[] = "signal:";

	taken = 0;
	for (unsigned i = 0; i < REACH_SNAPSHOTS_MOST; i++)
		copies[i] = 0;
	is_taking = 0;
	trigger = 0;
	if (text_same(config.reach, "off"))
		return;
	if (!static_tls)
		find_static_tls();
	if (config.heap != RSD_HEAP_EXACT)
		fail("it needs heap=exact");
	else if (text_same(config.reach, "exit"))
		trigger = REACH_AT_EXIT;
	else if (text_same(config.reach, "mark"))
		trigger = REACH_AT_MARK;
	else
		arm(config.reach + sizeof(by_signal) - 1);
}

/* A copy that does not come to an end must not keep the program from its own. */
static void wait_for(int pid)
{
	uint64_t end = clock_mono_ns() + EXIT_WAIT_NS;
	struct timespec nap = { 0, 200000 };

	while (is_running(pid)) {
		raw2(SYS_nanosleep, &nap, NULL);
		if (nap.tv_nsec < 5000000)
			nap.tv_nsec *= 2;
		if (clock_mono_ns() < end)
			continue;
		raw2(SYS_kill, pid, SIGKILL);
		fail("it took more than a minute");
		break;
	}
	raw4(SYS_wait4, pid, NULL, __WALL, NULL);
}

void reach_exit(void)
{
	if (trigger == REACH_AT_EXIT)
		take_here(0);
	for (unsigned i = 0; i < REACH_SNAPSHOTS_MOST; i++)
		if (copies[i])
			wait_for(copies[i]);
}

void reach_exit_mute(void)
{
	if (trigger == REACH_AT_EXIT)
		file_count(COUNT_REACH_FAILED, 1);
}

void reach_mark(uint32_t name)
{
	if (unlikely(trigger == REACH_AT_MARK))
		take_here(name);
}
