/* SPDX-License-Identifier: MIT */
/* lines.c - SCHED, HEAP, STALL, LOCK and IO lines. See lines.h. */
#include "preload/lines.h"

#include <signal.h>

#include "format/kinds.h"
#include "preload/config.h"
#include "preload/file.h"
#include "preload/heap.h"
#include "preload/hook.h"
#include "preload/modules.h"
#include "preload/proc.h"
#include "preload/raw.h"
#include "preload/text.h"

#define LINE 512
#define STALLS 64u
#define CIRCLE_MAX 64u

/* Sums over all thread slots at one moment. */
struct sums {
	uint64_t threads, running, blocked[RSD_WAITS];
	uint64_t allocs, alloc_bytes, frees, live_bytes;
};

struct ticker {
	uint64_t start_ns, last_ns;
	uint64_t last_cpu_ns, last_allocs, peak_bytes;
	struct {
		uint32_t tid;
		uint64_t since;
	} stalled[STALLS]; /* waits that were told already */
};

/* Circles that were told, by their first threads: a deadlock stays. */
static uint32_t deadlocks_told[STALLS];

static void write_line(const struct text *t)
{
	raw3(SYS_write, 2, t->buf, t->len);
}

static void put_place(struct text *t, uintptr_t ip)
{
	struct module module;

	if (!module_find(ip, &module)) {
		text_hex(t, ip);
		return;
	}
	text_str(t, module.name && *module.name ? text_basename(module.name) : "program");
	text_str(t, "+");
	text_hex(t, ip - module.bias);
}

static struct sums add_up(void)
{
	struct sums sums = { 0 };
	uint64_t n = file_header ? __atomic_load_n(&file_header->next_thread, __ATOMIC_RELAXED) : 0;

	for (uint64_t i = 0; i < n; i++) {
		const struct rsd_thread *slot = thread_slot((uint32_t)i);

		if (!slot)
			continue;
		sums.allocs += slot->allocs;
		sums.alloc_bytes += slot->alloc_bytes;
		sums.frees += slot->frees;
		sums.live_bytes += slot->usable_live;
		if (slot->state != 1)
			continue;
		sums.threads++;
		if (slot->waiting && slot->waiting < RSD_WAITS)
			sums.blocked[slot->waiting]++;
		else
			sums.running++;
	}
	return sums;
}

static uint64_t count_runnable(void)
{
	uint64_t n = file_header ? file_header->next_thread : 0, runnable = 0;

	for (uint64_t i = 0; i < n; i++) {
		const struct rsd_thread *slot = thread_slot((uint32_t)i);

		if (slot && slot->state == 1 && !slot->waiting)
			runnable += proc_is_runnable(slot->tid);
	}
	return runnable;
}

static void sched_line(struct ticker *ticker, uint64_t now)
{
	char buf[LINE];
	struct text t = text_on(buf, sizeof(buf));
	struct sums sums = add_up();
	uint64_t cpu = clock_process_cpu_ns(), wall = now - ticker->last_ns, runnable = count_runnable();

	text_str(&t, "SCHED ");
	text_u64(&t, (now - ticker->start_ns) / 1000000);
	text_str(&t, "ms: threads=");
	text_u64(&t, sums.threads);
	text_str(&t, " running=");
	text_u64(&t, runnable);
	/* Not in a call that we see, yet not running: waiting in one that we don't, or for a processor. */
	text_str(&t, " other=");
	text_u64(&t, sums.running > runnable ? sums.running - runnable : 0);
	text_str(&t, " blocked=[");
	for (unsigned i = 1, any = 0; i < RSD_WAITS; i++) {
		if (!sums.blocked[i])
			continue;
		text_str(&t, any++ ? " " : "");
		text_str(&t, wait_name(i));
		text_str(&t, ":");
		text_u64(&t, sums.blocked[i]);
	}
	text_str(&t, "] cpu=");
	text_u64(&t, wall ? (cpu - ticker->last_cpu_ns) * 100 / wall : 0);
	text_str(&t, "%\n");
	ticker->last_cpu_ns = cpu;
	write_line(&t);
}

static void heap_line(struct ticker *ticker, uint64_t now)
{
	char buf[LINE];
	struct text t = text_on(buf, sizeof(buf));
	struct sums sums = add_up();
	uint64_t wall = now - ticker->last_ns;
	uint64_t live = (int64_t)sums.live_bytes > 0 ? sums.live_bytes : 0;

	if (live > ticker->peak_bytes)
		ticker->peak_bytes = live;
	text_str(&t, "HEAP ");
	text_u64(&t, (now - ticker->start_ns) / 1000000);
	text_str(&t, "ms: live=");
	text_bytes_unit(&t, live);
	text_str(&t, " blocks=");
	text_u64(&t, sums.allocs > sums.frees ? sums.allocs - sums.frees : 0);
	text_str(&t, " allocs=");
	text_u64(&t, wall ? (sums.allocs - ticker->last_allocs) * 1000000000u / wall : 0);
	text_str(&t, "/s peak=");
	text_bytes_unit(&t, ticker->peak_bytes);
	text_str(&t, " rss=");
	text_bytes_unit(&t, proc_rss_bytes());
	text_str(&t, "\n");
	ticker->last_allocs = sums.allocs;
	write_line(&t);
}

/* One line for each wait that has lasted long enough, once. */
static void stall_lines(struct ticker *ticker, uint64_t now_tick)
{
	uint64_t n = file_header ? file_header->next_thread : 0, limit = clock_ticks(config.stalltrace);

	for (uint64_t i = 0; i < n; i++) {
		const struct rsd_thread *slot = thread_slot((uint32_t)i);
		char buf[LINE];
		struct text t = text_on(buf, sizeof(buf));

		if (!slot || slot->state != 1 || !slot->waiting || now_tick - slot->waiting_since < limit ||
		    now_tick < slot->waiting_since)
			continue;
		if (ticker->stalled[i % STALLS].tid == slot->tid &&
		    ticker->stalled[i % STALLS].since == slot->waiting_since)
			continue;
		ticker->stalled[i % STALLS].tid = slot->tid;
		ticker->stalled[i % STALLS].since = slot->waiting_since;
		text_str(&t, "STALL tid=");
		text_u64(&t, slot->tid);
		text_str(&t, " ");
		text_bytes(&t, slot->name, text_len(slot->name) < 16 ? text_len(slot->name) : 15);
		text_str(&t, ": no progress for ");
		text_duration(&t, clock_ns(now_tick - slot->waiting_since));
		text_str(&t, " in ");
		text_str(&t, wait_name(slot->waiting));
		text_str(&t, " ");
		text_hex(&t, slot->waiting_object);
		text_str(&t, "\n");
		write_line(&t);
	}
}

/* ---- deadlocks ---- */

static bool is_lock_wait(unsigned wait)
{
	return wait == WAIT_MUTEX || wait == WAIT_RWLOCK_READ || wait == WAIT_RWLOCK_WRITE;
}

/* The thread that owns what this one waits for, when it has waited for at least `limit`. */
static const struct rsd_thread *owner_of_wanted(const struct rsd_thread *slot, uint64_t now_tick, uint64_t limit)
{
	uint64_t n = file_header ? file_header->next_thread : 0;

	if (slot->state != 1 || !is_lock_wait(slot->waiting) || !slot->waiting_peer || now_tick < slot->waiting_since ||
	    now_tick - slot->waiting_since < limit)
		return NULL;
	for (uint64_t i = 0; i < n; i++) {
		const struct rsd_thread *owner = thread_slot((uint32_t)i);

		if (owner && owner->state == 1 && owner->tid == slot->waiting_peer)
			return owner;
	}
	return NULL;
}

/* Does the chain of owners come back to `first`? Its length, 0: no. */
static unsigned circle_length(const struct rsd_thread *first, uint64_t now_tick, uint64_t limit)
{
	const struct rsd_thread *at = first;

	for (unsigned len = 1; len <= CIRCLE_MAX; len++) {
		at = owner_of_wanted(at, now_tick, limit);
		if (!at)
			return 0;
		if (at == first)
			return len;
		/* Told from its thread of the lowest number. */
		if (at->tid < first->tid)
			return 0;
	}
	return 0;
}

static void deadlock_line(const struct rsd_thread *slot)
{
	char buf[LINE];
	struct text t = text_on(buf, sizeof(buf));

	text_str(&t, "DEADLOCK tid=");
	text_u64(&t, slot->tid);
	text_str(&t, " ");
	text_bytes(&t, slot->name, text_len(slot->name) < 16 ? text_len(slot->name) : 15);
	text_str(&t, " waits for ");
	text_str(&t, wait_name(slot->waiting));
	text_str(&t, " ");
	text_hex(&t, slot->waiting_object);
	text_str(&t, " at ");
	put_place(&t, slot->waiting_site);
	text_str(&t, ", held by tid=");
	text_u64(&t, slot->waiting_peer);
	text_str(&t, "\n");
	write_line(&t);
}

/* Each circle once, beginning with the thread of the lowest number in it. */
static void deadlock_lines(uint64_t now_tick)
{
	uint64_t n = file_header ? file_header->next_thread : 0, limit = clock_ticks(config.deadlocktrace);

	for (uint64_t i = 0; i < n; i++) {
		const struct rsd_thread *slot = thread_slot((uint32_t)i), *at = slot;
		unsigned len =
			slot && slot->tid != deadlocks_told[i % STALLS] ? circle_length(slot, now_tick, limit) : 0;

		if (!len)
			continue;
		for (unsigned k = 0; k < len; k++) {
			deadlock_line(at);
			at = owner_of_wanted(at, now_tick, limit);
			if (!at)
				break;
		}
		deadlocks_told[i % STALLS] = slot->tid;
	}
}

static uint64_t shortest(uint64_t a, uint64_t b)
{
	return !a ? b : !b || a < b ? a : b;
}

static void sleep_until(uint64_t ns)
{
	struct timespec until = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };

	raw4(SYS_clock_nanosleep, CLOCK_MONOTONIC, 1 /* TIMER_ABSTIME */, &until, NULL);
}

static void *tick(void *unused)
{
	struct ticker sched = { .start_ns = clock_mono_ns() }, heap = sched, stall = sched;
	uint64_t stall_ms = config.stalltrace == CONFIG_OFF ? 0 : config.stalltrace / 4000000 + 1;
	uint64_t deadlock_ms = config.deadlocktrace == CONFIG_OFF ? 0 : config.deadlocktrace / 4000000 + 1;
	uint64_t step_ms = shortest(shortest(config.schedtrace, config.heaptrace), shortest(stall_ms, deadlock_ms));
	uint64_t next = sched.start_ns;

	(void)unused;
	sched.last_ns = heap.last_ns = stall.last_ns = sched.start_ns;
	sched.last_cpu_ns = clock_process_cpu_ns();
	for (;;) {
		uint64_t now;

		next += step_ms * 1000000;
		sleep_until(next);
		/* The program's threads have all ended one by one: libc ends the process with the last, which is this.
		 */
		if (proc_is_over())
			return NULL;
		now = clock_mono_ns();
		if (config.schedtrace && now - sched.last_ns + 500000 >= config.schedtrace * 1000000) {
			sched_line(&sched, now);
			sched.last_ns = now;
		}
		if (config.heaptrace && now - heap.last_ns + 500000 >= config.heaptrace * 1000000) {
			heap_line(&heap, now);
			heap.last_ns = now;
		}
		if (stall_ms)
			stall_lines(&stall, clock_now());
		if (deadlock_ms)
			deadlock_lines(clock_now());
	}
}

void lines_begin(void)
{
	uint64_t all = ~((uint64_t)3 << 31), old; /* but for libc's own two: setuid waits until every thread got one */
	pthread_t thread;
	pthread_attr_t attr;

	if (!config.schedtrace && !config.heaptrace && config.stalltrace == CONFIG_OFF &&
	    config.deadlocktrace == CONFIG_OFF)
		return;
	/* Blocked in the helper from its first instruction: it must not receive a signal meant for the program. */
	raw4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof(all));
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	real.pthread_create(&thread, &attr, tick, NULL);
	pthread_attr_destroy(&attr);
	raw4(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof(old));
}

/* "libfoo.so+0x1234": names are the analyzer's work. */
void lines_span(enum rsd_wait kind, const struct rec_span *record, uint32_t tid, const struct regs *from)
{
	char buf[LINE];
	struct text t = text_on(buf, sizeof(buf));
	bool is_io = kind >= WAIT_POLL && kind <= WAIT_LOCK_FILE;

	text_str(&t, is_io ? "IO tid=" : "LOCK tid=");
	text_u64(&t, tid);
	text_str(&t, " ");
	text_str(&t, wait_name(kind));
	if (is_io && (int64_t)record->object >= 0) {
		text_str(&t, " fd=");
		text_u64(&t, record->object);
		text_str(&t, " bytes=");
		text_u64(&t, record->amount);
	} else if (!is_io) {
		text_str(&t, " ");
		text_hex(&t, record->object);
	}
	text_str(&t, " waited ");
	text_duration(&t, clock_ns(record->dur_ticks));
	if (record->peer) {
		text_str(&t, " held by tid=");
		text_u64(&t, record->peer);
	}
	text_str(&t, " at ");
	put_place(&t, from->ip);
	text_str(&t, "\n");
	write_line(&t);
}
