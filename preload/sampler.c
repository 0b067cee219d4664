/* SPDX-License-Identifier: MIT */
/* sampler.c - see sampler.h. The handler touches no libc, no lock and no loader, and keeps errno. */
#include "preload/sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <ucontext.h>

#include "preload/config.h"
#include "preload/file.h"
#include "preload/handler.h"
#include "preload/hook.h"
#include "preload/memory.h"
#include "preload/raw.h"

#define SAMPLE_STEP (16u << 10)
#define PAGE 4096u
#define PERF_QUEUE_LEAST 256u /* signals that may be pending: handlers of the program keep ours waiting */

int sampler_signal;

/*
 * A CPU timer expires by CPU time but fires at the next kernel tick, so a period longer than a tick would charge a
 * burst's late code for its early code. The timer is therefore armed well below the tick: every tick that finds the
 * thread running sends one signal, all signals weigh the same, and every (tick rate / cpu)-th is kept.
 */
static uint32_t tick_hz;
#define EXPIRIES_PER_TICK 64u

/* ---- the handler ---- */

static bool sample_room(struct thread *t)
{
	struct rsd_extent *ext = t->samples;

	if (ext && ext->used + CODEC_RECORD_MAX <= t->samples_ready)
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

/* `record` begins with its head; of `size` bytes, with room for them. */
static void sample_put(struct thread *t, uint64_t now, const void *record, size_t size)
{
	__builtin_memcpy(extent_end(t->samples), record, size);
	t->samples->stream.tick = now;
	extent_commit(t->samples, size);
}

static bool sample_stacks(struct thread *t)
{
	if (!t->sample_stacks)
		t->sample_stacks = lane_make_stacks();
	return t->sample_stacks != NULL;
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
	struct regs from = { context->uc_mcontext.pc, context->uc_mcontext.sp, context->uc_mcontext.regs[29], context };
#endif

	if (!sample_stacks(t) || !sample_room(t)) {
		file_lost(COUNT_SAMPLES_LOST, weight);
		return;
	}
	record.stack = stack_capture(t->sample_stacks, &from, true);
	record.cpu_ns = clock_thread_cpu_ns();
	record.h = head;
	sample_put(t, now, &record, sizeof(record));
	t->slot->samples += weight;
	t->slot->cpu_ns = record.cpu_ns;
	t->slot->cpu_tick = now;
	t->slot->self_ticks += clock_now() - now;
}

/* Beside the sample, for all threads together: what the process holds. */
static void take_memory(struct thread *t)
{
	uint64_t now = clock_now();
	struct rec_head head = { RSD_HEAD(EV_MEMORY, sizeof(struct rec_memory), 0), now };
	struct rec_memory record;

	if (!memory_is_due(now) || !sample_room(t) || !memory_read(&record))
		return;
	record.h = head;
	sample_put(t, now, &record, sizeof(record));
	t->slot->self_ticks += clock_now() - now;
}

/* One tick of the thread's running time: is it to be sampled? The first phase is random, see timer_arm. */
static bool tick_is_due(struct thread *t)
{
	if (config.cpu >= tick_hz)
		return true;
	t->tick_phase += (uint32_t)config.cpu;
	if (t->tick_phase < tick_hz)
		return false;
	t->tick_phase -= tick_hz;
	return true;
}

/*
 * May our signal, and no other, have ended a system call, with EINTR or after a part of what was to be moved? The
 * kernel then left that result behind the instruction. If a handler of the program's is to run as well, ours is entered
 * from the first instruction of that one.
 */
static uint8_t cut_of(const ucontext_t *context)
{
#if defined(__x86_64__)
	const greg_t *g = context->uc_mcontext.gregs;
	const uint8_t *ip = (const uint8_t *)g[REG_RIP];

	if (((uintptr_t)ip & (PAGE - 1)) < 2 || ip[-2] != 0x0f || ip[-1] != 0x05)
		return CALL_WHOLE;
	return g[REG_RAX] == -EINTR ? CALL_EINTR : g[REG_RAX] > 0 ? CALL_SHORT : CALL_WHOLE;
#else
	(void)context;
	return CALL_WHOLE;
#endif
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	struct thread *t = thread_self;
	bool is_timer = info->si_code == SI_TIMER;
	uint8_t cut;

	/* Sent by kill, raise or sigqueue. The program has no handler for it, so far as it knows. */
	if (!is_timer && info->si_code <= 0)
		handler_die_of(sig);
	/* Only our timer and our perf event. */
	if (!is_timer && info->si_code != POLL_IN && info->si_code != POLL_HUP)
		return;
	if (!t || life->state != LIFE_RECORDING || t->sampling)
		return;
	cut = cut_of(context);
	if (cut)
		t->cut = cut;
	/* Ticks that passed while the program kept the signal blocked. */
	if (is_timer && info->si_overrun >= 2 * (int)EXPIRIES_PER_TICK)
		file_count(COUNT_SAMPLES_BLOCKED, (uint64_t)info->si_overrun / EXPIRIES_PER_TICK - 1);
	if (is_timer && !tick_is_due(t))
		return;
	t->sampling = 1;
	take_sample(t, context, 1);
	take_memory(t);
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
 * runs. The signal follows by a second interrupt; between the two the thread may enter a system call, which the signal
 * then ends. That is rare, not once in 100 000 calls of tests/programs/eintr, but see span_retry.
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
	page = raw6(SYS_mmap, raw_place(PAGE, 0), PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page < 0 && page > -4096)
		page = 0;
	if (page &&
	    (raw3(SYS_fcntl, fd, F_SETSIG, sampler_signal) != 0 || raw3(SYS_fcntl, fd, F_SETOWN_EX, &owner) != 0 ||
	     raw3(SYS_fcntl, fd, F_SETFL, O_ASYNC) != 0 || raw3(SYS_ioctl, fd, PERF_EVENT_IOC_ENABLE, 0) != 0)) {
		raw2(SYS_munmap, page, PAGE);
		page = 0;
	}
	/* The mapping keeps the event alive: the program finds its descriptors as without us. */
	raw1(SYS_close, fd);
	return (void *)page;
}

/* Each timer has a signal in reserve, which counts in RLIMIT_SIGPENDING: the host's own signals come first. */
static uint64_t timers_most;
static uint64_t timers_armed;

static uint64_t timers_allowed(void)
{
	struct rlimit limit;

	if (raw4(SYS_prlimit64, 0, RLIMIT_SIGPENDING, NULL, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur / 4;
}

/* See sampler_thread_blocks. */
static bool perf_may_signal(void)
{
	uint64_t mask = 0;

	return timers_most >= PERF_QUEUE_LEAST && raw4(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8) == 0 &&
	       !(mask >> (sampler_signal - 1) & 1);
}

static void timer_arm(struct thread *t)
{
	struct {
		union sigval value;
		int signo, notify, tid;
		char pad[64 - 2 * sizeof(int) - sizeof(int) - sizeof(union sigval)];
	} event = { .signo = sampler_signal, .notify = 4 /* SIGEV_THREAD_ID */, .tid = (int)t->tid };
	long period_ns = 1000000000 / (long)tick_hz / EXPIRIES_PER_TICK;
	struct itimerspec spec = { .it_interval = { 0, period_ns }, .it_value = { 0, period_ns } };
	int id;

	/* A random phase: short-lived threads are not all missed or all hit. */
	t->tick_phase = (uint32_t)(t->random % tick_hz);

	if (__atomic_fetch_add(&timers_armed, 1, __ATOMIC_RELAXED) >= timers_most ||
	    raw3(SYS_timer_create, CLOCK_THREAD_CPUTIME_ID, &event, &id) != 0) {
		__atomic_fetch_sub(&timers_armed, 1, __ATOMIC_RELAXED);
		file_count(COUNT_TIMERS_REFUSED, 1);
		return;
	}
	t->timer = id;
	raw4(SYS_timer_settime, id, 0, &spec, NULL);
}

void sampler_thread_begin(struct thread *t)
{
	memory_threads(1);
	if (!sampler_signal)
		return;
	if (file_header->cpu_source == RSD_CPU_PERF && perf_may_signal()) {
		t->perf = perf_arm(t->tid);
		if (t->perf)
			return;
		file_header->cpu_source = RSD_CPU_TIMER;
	}
	timer_arm(t);
}

void sampler_thread_blocks(struct thread *t)
{
	void *perf = __atomic_exchange_n(&t->perf, NULL, __ATOMIC_ACQ_REL);

	if (!perf)
		return;
	raw2(SYS_munmap, perf, PAGE);
	timer_arm(t);
}

void sampler_thread_end(struct thread *t)
{
	int timer = __atomic_exchange_n(&t->timer, -1, __ATOMIC_ACQ_REL);
	void *perf = __atomic_exchange_n(&t->perf, NULL, __ATOMIC_ACQ_REL);

	if (timer >= 0) {
		raw1(SYS_timer_delete, timer);
		__atomic_fetch_sub(&timers_armed, 1, __ATOMIC_RELAXED);
	}
	if (perf)
		raw2(SYS_munmap, perf, PAGE);
}

void sampler_yield(void)
{
	sampler_signal = 0;
	thread_each(sampler_thread_end);
}

void sampler_block(uint64_t *old_mask)
{
	uint64_t mask = sampler_signal ? (uint64_t)1 << (sampler_signal - 1) : 0;

	raw4(SYS_rt_sigprocmask, SIG_BLOCK, &mask, old_mask, sizeof(mask));
}

void sampler_unblock(const uint64_t *old_mask)
{
	uint64_t mask = sampler_signal ? (uint64_t)1 << (sampler_signal - 1) : 0;

	mask &= ~*old_mask;
	raw4(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, NULL, sizeof(mask));
}

/* The highest real-time signal that nobody has touched. */
static int install(void)
{
	int lowest = 34;

	for (int sig = 64; sig >= lowest; sig--)
		if (handler_install(sig, on_signal, ~(uint64_t)0, SA_RESTART))
			return sig;
	return 0;
}

void sampler_begin(void)
{
	if (!config.cpu)
		return;
	tick_hz = (uint32_t)tick_rate_hz();
	timers_most = timers_allowed();
	timers_armed = 0;
	if (!sampler_signal) /* a child has the handler already */
		sampler_signal = install();
	if (sampler_signal)
		file_header->cpu_source = config.cpu > tick_hz ? RSD_CPU_PERF : RSD_CPU_TIMER;
}
