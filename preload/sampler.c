/* SPDX-License-Identifier: MIT */
/* sampler.c - see sampler.h. The handler touches no libc, no lock and no loader, and keeps errno. */
#include "preload/sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

#include "preload/config.h"
#include "preload/file.h"
#include "preload/hook.h"
#include "preload/raw.h"

#define SAMPLE_STEP (16u << 10)
#define PAGE 4096u

int sampler_signal;

/* The kernel's struct sigaction; libc's wrapper would add its own restorer and could be interposed. */
struct kernel_sigaction {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

#define SA_RESTORER_FLAG 0x04000000ul

#if defined(__x86_64__)
void sampler_restore(void);
/* rt_sigreturn, in the very bytes that unwinders recognise as a signal frame. */
__asm__(".text\n"
	".p2align 4\n"
	"nop\n"
	".globl sampler_restore\n"
	".hidden sampler_restore\n"
	".type sampler_restore, @function\n"
	"sampler_restore:\n"
	"\tmovq $15, %rax\n"
	"\tsyscall\n"
	".size sampler_restore, .-sampler_restore\n");
#endif

/* ---- the handler ---- */

static bool sample_room(struct thread *t)
{
	struct rsd_extent *ext = t->samples;

	if (ext && ext->used + sizeof(struct rec_sample) <= t->samples_ready)
		return true;
	if (ext && t->samples_ready + SAMPLE_STEP <= extent_capacity(ext)) {
		if (file_populate((char *)extent_data(ext) + t->samples_ready, SAMPLE_STEP) != 0)
			return false;
		t->samples_ready += SAMPLE_STEP;
		return true;
	}
	ext = file_extent(RSD_EXTENT_SAMPLES, 1, t->index, 0, SAMPLE_STEP);
	if (!ext)
		return false;
	extent_publish(ext);
	t->samples = ext;
	t->samples_ready = SAMPLE_STEP - sizeof(*ext);
	return true;
}

static bool sample_stacks(struct thread *t)
{
	void *memory;

	if (t->sample_stacks)
		return true;
	memory = raw_map(stack_state_size((unsigned)config.depth));
	if (memory)
		t->sample_stacks = stack_state_init(memory, (unsigned)config.depth);
	return memory != NULL;
}

static void take_sample(struct thread *t, const ucontext_t *context, uint32_t weight)
{
	struct rec_sample record = { .weight = weight, .thread = t->index };
	uint64_t now = clock_now();
	struct rec_head head = { RSD_HEAD(EV_SAMPLE, sizeof(record), 0), now };
#if defined(__x86_64__)
	const greg_t *g = context->uc_mcontext.gregs;
	struct regs from = { (uintptr_t)g[REG_RIP], (uintptr_t)g[REG_RSP], (uintptr_t)g[REG_RBP], context };
#else
	struct regs from = { context->uc_mcontext.pc, context->uc_mcontext.sp, context->uc_mcontext.regs[29],
			     context };
#endif

	if (!sample_stacks(t) || !sample_room(t)) {
		file_count(COUNT_SAMPLES_LOST, weight);
		return;
	}
	record.stack = stack_capture(t->sample_stacks, &from, true);
	record.cpu_ns = clock_thread_cpu_ns();
	record.h = head;
	__builtin_memcpy((char *)extent_data(t->samples) + t->samples->used, &record, sizeof(record));
	t->samples->last_tick = now;
	__atomic_store_n(&t->samples->used, t->samples->used + sizeof(record), __ATOMIC_RELEASE);
	t->slot->samples += weight;
	t->slot->cpu_ns = record.cpu_ns;
	t->slot->cpu_tick = now;
	t->slot->self_ticks += clock_now() - now;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	struct thread *t = thread_self;
	uint32_t weight = 1;

	(void)sig;
	/* Only our timer and our perf event; anybody else's use of the number is not ours to act on. */
	if (info->si_code == SI_TIMER) {
		weight += (uint32_t)info->si_overrun;
		if (info->si_overrun)
			file_count(COUNT_SAMPLES_BLOCKED, (uint64_t)info->si_overrun);
	} else if (info->si_code != POLL_IN && info->si_code != POLL_HUP) {
		return;
	}
	if (!t || *life_state != LIFE_RECORDING || t->sampling)
		return;
	t->sampling = 1;
	take_sample(t, context, weight);
	t->sampling = 0;
}

/* ---- arming ---- */

static uint64_t tick_rate_hz(void)
{
	struct timespec resolution;

	if (raw2(SYS_clock_getres, CLOCK_MONOTONIC_COARSE, &resolution) != 0 || resolution.tv_nsec <= 0)
		return 250;
	return 1000000000u / (uint64_t)resolution.tv_nsec;
}

/*
 * A perf event of this thread on its own CPU time, user mode only: its interrupt arrives while the program's code
 * runs, so the signal can't cut a system call short.
 */
static void *perf_arm(uint32_t tid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = 1000000000u / config.cpu,
		.wakeup_events = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.disabled = 1,
	};
	struct {
		int type, pid;
	} owner = { 0 /* F_OWNER_TID */, (int)tid };
	long page, fd = raw5(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return NULL;
	page = raw6(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page < 0 && page > -4096)
		page = 0;
	if (page && (raw3(SYS_fcntl, fd, F_SETSIG, sampler_signal) != 0 ||
		     raw3(SYS_fcntl, fd, F_SETOWN_EX, &owner) != 0 || raw3(SYS_fcntl, fd, F_SETFL, O_ASYNC) != 0 ||
		     raw3(SYS_ioctl, fd, PERF_EVENT_IOC_ENABLE, 0) != 0)) {
		raw2(SYS_munmap, page, PAGE);
		page = 0;
	}
	/* The mapping keeps the event alive: the program finds its descriptors as without us. */
	raw1(SYS_close, fd);
	return (void *)page;
}

static void timer_arm(struct thread *t)
{
	struct {
		union sigval value;
		int signo, notify, tid;
		char pad[64 - 2 * sizeof(int) - sizeof(int) - sizeof(union sigval)];
	} event = { .signo = sampler_signal, .notify = 4 /* SIGEV_THREAD_ID */, .tid = (int)t->tid };
	uint64_t period_ns = 1000000000u / config.cpu;
	/* A random first expiry: short-lived threads are not all missed or all hit. */
	uint64_t first_ns = 1 + t->random % period_ns;
	struct itimerspec spec = {
		.it_interval = { (time_t)(period_ns / 1000000000u), (long)(period_ns % 1000000000u) },
		.it_value = { (time_t)(first_ns / 1000000000u), (long)(first_ns % 1000000000u) },
	};
	int id;

	if (raw3(SYS_timer_create, CLOCK_THREAD_CPUTIME_ID, &event, &id) != 0) {
		file_count(COUNT_TIMERS_REFUSED, 1);
		return;
	}
	t->timer = id;
	raw4(SYS_timer_settime, id, 0, &spec, NULL);
}

void sampler_thread_begin(struct thread *t)
{
	if (!sampler_signal)
		return;
	if (file_header->cpu_source == RSD_CPU_PERF) {
		t->perf = perf_arm(t->tid);
		if (t->perf)
			return;
		file_header->cpu_source = RSD_CPU_TIMER;
	}
	timer_arm(t);
}

void sampler_thread_end(struct thread *t)
{
	if (t->timer >= 0)
		raw1(SYS_timer_delete, t->timer);
	if (t->perf)
		raw2(SYS_munmap, t->perf, PAGE);
	t->timer = -1;
	t->perf = NULL;
}

void sampler_yield(void)
{
	sampler_signal = 0;
	if (thread_self)
		sampler_thread_end(thread_self);
}

void sampler_block(uint64_t *old_mask)
{
	uint64_t mask = sampler_signal ? (uint64_t)1 << (sampler_signal - 1) : 0;

	raw4(SYS_rt_sigprocmask, SIG_BLOCK, &mask, old_mask, sizeof(mask));
}

void sampler_unblock(const uint64_t *old_mask)
{
	raw4(SYS_rt_sigprocmask, SIG_SETMASK, old_mask, NULL, sizeof(*old_mask));
}

/* The highest real-time signal that nobody has touched. */
static int install(void)
{
	struct kernel_sigaction ours = {
		.handler = on_signal,
		.flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK,
		.mask = ~(uint64_t)0,
	};
	int lowest = 34;

#if defined(__x86_64__)
	ours.flags |= SA_RESTORER_FLAG;
	ours.restorer = sampler_restore;
#endif
	for (int sig = 64; sig >= lowest; sig--) {
		struct kernel_sigaction now = { 0 };

		if (raw4(SYS_rt_sigaction, sig, NULL, &now, 8) != 0 || now.handler)
			continue;
		if (raw4(SYS_rt_sigaction, sig, &ours, NULL, 8) == 0)
			return sig;
	}
	return 0;
}

void sampler_begin(void)
{
	if (!config.cpu)
		return;
	if (!sampler_signal) /* a child has the handler already */
		sampler_signal = install();
	if (sampler_signal)
		file_header->cpu_source = config.cpu > tick_rate_hz() ? RSD_CPU_PERF : RSD_CPU_TIMER;
}
