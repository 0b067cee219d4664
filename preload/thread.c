/* SPDX-License-Identifier: MIT */
/* thread.c - registration, last words, recycling. See thread.h for the invariants. */
#include "preload/thread.h"

#include <pthread.h>
#include <sys/prctl.h>

#include "preload/config.h"
#include "preload/file.h"
#include "preload/heap.h"
#include "preload/hook.h"
#include "preload/life.h"
#include "preload/memory.h"
#include "preload/proc.h"
#include "preload/raw.h"
#include "preload/sampler.h"
#include "preload/windows.h"

#define EXIT_PASSES 3 /* of PTHREAD_DESTRUCTOR_ITERATIONS, so that other destructors are still recorded */
#define TAG_SHIFT 48
#define SLOT_TABLES 16384 /* 1.5 million threads, one after another */
#define REST_AGAIN 32u	  /* tables of 64 KiB: together the largest piece that the kernel maps at once */

__thread struct thread *thread_self __attribute__((tls_model("initial-exec")));

/* Set when a thread has had its last words; its slot, should it speak again. */
static __thread uint32_t finished_slot __attribute__((tls_model("initial-exec")));

static struct life life_at_boot;
struct life *life = &life_at_boot;

static uint64_t free_threads; /* tagged pointer to a list */
static struct thread *made_threads;
static bool is_mute;
static pthread_key_t exit_key;
static bool has_exit_key;
static uint32_t arming; /* threads that are about to use exit_key */
static struct rsd_extent *slot_tables[SLOT_TABLES];
static uint32_t slot_tables_end; /* none is made from here on */
static uint16_t slots_finished[SLOT_TABLES];

/* ---- free list of states: the tag in the upper bits makes a reused head differ ---- */

static struct thread *untagged(uint64_t word)
{
	return (struct thread *)(word & (((uint64_t)1 << TAG_SHIFT) - 1));
}

static void free_push(struct thread *t)
{
	uint64_t head = __atomic_load_n(&free_threads, __ATOMIC_RELAXED), next;

	do {
		t->next_free = (uint64_t)(uintptr_t)untagged(head);
		next = (uint64_t)(uintptr_t)t | ((head >> TAG_SHIFT) + 1) << TAG_SHIFT;
	} while (!__atomic_compare_exchange_n(&free_threads, &head, next, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

static struct thread *free_pop(void)
{
	uint64_t head = __atomic_load_n(&free_threads, __ATOMIC_ACQUIRE), next;
	struct thread *t;

	do {
		t = untagged(head);
		if (!t)
			return NULL;
		/* States are never unmapped, so this reads valid memory even when another thread took it. */
		next = t->next_free | ((head >> TAG_SHIFT) + 1) << TAG_SHIFT;
	} while (!__atomic_compare_exchange_n(&free_threads, &head, next, true, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE));
	return t;
}

static void made_push(struct thread *t)
{
	t->next_made = __atomic_load_n(&made_threads, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&made_threads, &t->next_made, t, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

void thread_each(void (*visit)(struct thread *t))
{
	for (struct thread *t = __atomic_load_n(&made_threads, __ATOMIC_ACQUIRE); t; t = t->next_made)
		visit(t);
}

static struct thread *make_state(void)
{
	struct thread *t = raw_map(sizeof(*t));

	if (!t)
		return NULL;
	t->lane[0].stacks = lane_make_stacks();
	if (!t->lane[0].stacks) {
		raw_unmap(t, sizeof(*t));
		return NULL;
	}
	t->timer = -1;
	made_push(t);
	file_note_memory();
	return t;
}

/* ---- slots ---- */

struct rsd_thread *thread_slot(uint32_t index)
{
	uint32_t table = (uint32_t)(index / RSD_THREADS_PER_UNIT);
	struct rsd_extent *ext = table < SLOT_TABLES ? __atomic_load_n(&slot_tables[table], __ATOMIC_ACQUIRE) : NULL;

	return ext ? (struct rsd_thread *)extent_data(ext) + index % RSD_THREADS_PER_UNIT : NULL;
}

static void raise_tables_end(uint32_t end)
{
	uint32_t seen = __atomic_load_n(&slot_tables_end, __ATOMIC_RELAXED);

	while (seen < end &&
	       !__atomic_compare_exchange_n(&slot_tables_end, &seen, end, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* Two threads may come at once: the loser's extent stays unpublished. */
static bool make_table(uint32_t table)
{
	uint32_t first = table * (uint32_t)RSD_THREADS_PER_UNIT;
	struct rsd_extent *none = NULL, *ext;

	if (table >= SLOT_TABLES)
		return false;
	if (__atomic_load_n(&slot_tables[table], __ATOMIC_ACQUIRE))
		return true;
	raise_tables_end(table + 1);
	ext = file_extent(RSD_EXTENT_THREADS, 1, first, first, 4096);
	if (!ext)
		return false;
	if (__atomic_compare_exchange_n(&slot_tables[table], &none, ext, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		extent_publish(ext);
	else
		file_rest(ext);
	return true;
}

/* The thread in the middle of a table makes the next one: many that start at once would each make it. */
static struct rsd_thread *make_slot(uint32_t index)
{
	uint32_t table = (uint32_t)(index / RSD_THREADS_PER_UNIT);
	struct rsd_thread *slot = make_table(table) ? thread_slot(index) : NULL;

	if (index % RSD_THREADS_PER_UNIT == RSD_THREADS_PER_UNIT / 2)
		make_table(table + 1);
	return slot && file_populate(slot, sizeof(*slot)) == 0 ? slot : NULL;
}

static void fill_slot(struct thread *t, const struct thread_birth *birth, uint64_t now)
{
	struct rsd_thread *slot = t->slot;

	slot->tid = t->tid;
	slot->start_tick = slot->cpu_tick = now;
	slot->handle = (uint64_t)pthread_self();
	if (birth) {
		slot->creator = birth->creator;
		slot->create_stack = birth->creator_stack;
		slot->start_routine = birth->start_routine;
	}
	raw2(SYS_prctl, PR_GET_NAME, slot->name);
	__atomic_store_n(&slot->state, 1, __ATOMIC_RELEASE);
}

static bool is_table_finished(uint32_t table)
{
	return __atomic_load_n(&slots_finished[table], __ATOMIC_RELAXED) >= RSD_THREADS_PER_UNIT;
}

/* Of a program that starts a million threads only the tables with living ones stay in memory. */
static void rest_table(uint32_t table)
{
	if (is_table_finished(table))
		file_rest(slot_tables[table]);
}

/*
 * A thread has had its last words. What it frees or locks after them touches its slot once more, so a table rests again
 * when it is old.
 */
static void finish_slot(uint32_t index)
{
	uint32_t table = (uint32_t)(index / RSD_THREADS_PER_UNIT);

	if (__atomic_add_fetch(&slots_finished[table], 1, __ATOMIC_RELAXED) != RSD_THREADS_PER_UNIT)
		return;
	rest_table(table);
	if (table >= FILE_OLD_UNITS)
		rest_table(table - FILE_OLD_UNITS);
}

/* ---- registration ---- */

static void put_thread_record(struct thread *t, struct lane *lane)
{
	struct rec_thread record = { .thread = t->index };

	if (lane->ext)
		lane_put(t, lane, EV_THREAD, clock_now(), &record, sizeof(record));
}

/* A state on a slot; the extents it brings along continue with this thread's records. */
static void adopt_slot(struct thread *t, uint32_t index, struct rsd_thread *slot)
{
	t->index = index;
	t->slot = slot;
	for (int i = 0; i < 2; i++) {
		t->lane[i].guard = (uintptr_t)__builtin_frame_address(0);
		put_thread_record(t, &t->lane[i]);
		t->lane[i].guard = 0;
	}
}

/* What the last owner's stack looked like is of no use, and that stack may be unmapped. */
static struct thread *take_state(void)
{
	struct thread *t = free_pop();

	if (!t)
		return make_state();
	lane_forget_stacks(t->lane[0].stacks);
	lane_forget_stacks(t->lane[1].stacks);
	lane_forget_stacks(t->sample_stacks);
	return t;
}

/*
 * Never 0, which the generator would keep. Threads and processes begin close to each other in time, and a sample's
 * first draws must not be close for that: every bit of the seed depends on every bit of what is known (splitmix64).
 */
static uint64_t random_seed(const struct thread *t, uint64_t now)
{
	uint64_t x = now ^ (uint64_t)t->tid << 32 ^ file_header->random;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	x ^= x >> 31;
	return x ? x : 1;
}

/* The builtin for it is newer than the compilers we want to build with. */
static uintptr_t thread_pointer(void)
{
	uintptr_t pointer;

#if defined(__x86_64__)
	__asm__("movq %%fs:0, %0" : "=r"(pointer));
#else
	__asm__("mrs %0, tpidr_el0" : "=r"(pointer));
#endif
	return pointer;
}

/*
 * Have on_thread_exit called for this thread. False when the program has got our key: whoever gives it away looks at
 * `arming` after it has cleared `has_exit_key`, so the key that is set here is still ours.
 */
static bool arm_exit(struct thread *t)
{
	bool is_ours;

	__atomic_fetch_add(&arming, 1, __ATOMIC_SEQ_CST);
	is_ours = __atomic_load_n(&has_exit_key, __ATOMIC_SEQ_CST);
	if (is_ours)
		real.pthread_setspecific(exit_key, t);
	__atomic_fetch_sub(&arming, 1, __ATOMIC_SEQ_CST);
	return is_ours;
}

/* It may allocate for a high key number: the thread is registered by now, so that is only recorded. */
static void arm_exit_recorded(struct thread *t)
{
	struct lane *lane = lane_enter(t);

	arm_exit(t);
	if (lane)
		lane_leave(t, lane);
}

bool thread_give_key(void)
{
	if (!__atomic_exchange_n(&has_exit_key, false, __ATOMIC_SEQ_CST))
		return false;
	if (__atomic_load_n(&arming, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&has_exit_key, true, __ATOMIC_SEQ_CST);
		return false;
	}
	return real.pthread_key_delete(exit_key) == 0;
}

void thread_returns(void)
{
	if (unlikely(!has_exit_key) && thread_self && life->state == LIFE_RECORDING)
		thread_finish(thread_self);
}

struct thread *thread_register(const struct thread_birth *birth)
{
	struct thread *t = is_mute ? NULL : take_state();
	struct rsd_thread *slot;
	uint32_t index;
	uint64_t now;

	if (!t || !file_header) {
		file_count(COUNT_LOST_NO_THREAD, 1);
		return NULL;
	}
	index = (uint32_t)__atomic_fetch_add(&file_header->next_thread, 1, __ATOMIC_RELAXED);
	slot = make_slot(index);
	if (!slot) {
		free_push(t);
		file_count(COUNT_LOST_NO_THREAD, 1);
		return NULL;
	}
	now = clock_now();
	t->tid = (uint32_t)raw1(SYS_gettid, 0);
	t->is_late = false;
	t->pointer = thread_pointer();
	t->exit_passes = 0;
	t->held_len = 0;
	t->checkpoint_tick = now;
	t->checkpoint_cpu_ns = clock_thread_cpu_ns();
	t->random = random_seed(t, now);
	heap_begin_thread(t);
	adopt_slot(t, index, slot);
	if (unlikely(thread_self)) {
		/* A signal handler of the program came in between and registered its thread: this slot stays unused. */
		free_push(t);
		return thread_self;
	}
	thread_self = t;
	fill_slot(t, birth, now);
	slot->cpu_ns = t->checkpoint_cpu_ns;
	arm_exit_recorded(t);
	sampler_thread_begin(t);
	return t;
}

/* A thread whose state is recycled already frees or locks something in its very last steps. */
static struct thread *borrow_state(void)
{
	uint32_t index = finished_slot - 1;
	struct rsd_thread *slot = thread_slot(index);
	struct thread *t = slot ? take_state() : NULL;

	if (!t) {
		file_count(COUNT_LOST_NO_THREAD, 1);
		return NULL;
	}
	t->tid = slot->tid;
	t->is_late = true;
	heap_begin_thread(t);
	adopt_slot(t, index, slot);
	return t;
}

void thread_give_back(struct thread *t)
{
	t->slot->end_tick = clock_now();
	t->is_late = false;
	free_push(t);
}

struct thread *thread_enter_slow(void)
{
	uint32_t state = life->state;

	if (state == LIFE_UNKNOWN) {
		if (!life_started() || !life_child())
			return NULL;
		state = life->state;
	}
	if (state != LIFE_RECORDING)
		return NULL;
	if (thread_self)
		return thread_self;
	if (is_mute)
		return NULL;
	if (finished_slot)
		return borrow_state();
	return thread_register(NULL);
}

/* ---- last words ---- */

void thread_checkpoint(struct thread *t, uint64_t now, uint64_t *cpu_ns, uint64_t *since_ticks)
{
	uint64_t cpu = clock_thread_cpu_ns();

	if (cpu_ns)
		*cpu_ns = cpu - t->checkpoint_cpu_ns;
	if (since_ticks)
		*since_ticks = now - t->checkpoint_tick;
	t->checkpoint_cpu_ns = cpu;
	t->checkpoint_tick = now;
	t->slot->cpu_ns = cpu;
	t->slot->cpu_tick = now;
}

void thread_finish(struct thread *t)
{
	uint64_t now = clock_now();

	sampler_thread_end(t);
	memory_threads(-1);
	thread_checkpoint(t, now, NULL, NULL);
	raw2(SYS_prctl, PR_GET_NAME, t->slot->name);
	t->slot->end_tick = now;
	t->slot->waiting = 0;
	__atomic_store_n(&t->slot->state, 2, __ATOMIC_RELEASE);
	finished_slot = t->index + 1;
	finish_slot(t->index);
	thread_self = NULL;
	free_push(t);
}

void thread_mute(bool is_all)
{
	struct thread *t = thread_self;

	is_mute = true;
	thread_checkpoint(t, clock_now(), NULL, NULL);
	sampler_thread_end(t);
	if (is_all) {
		life->state = LIFE_OFF;
		heap_update();
		thread_each(sampler_thread_end);
	}
	thread_self = NULL;
}

void thread_unmute(struct thread *t)
{
	is_mute = false;
	thread_self = t;
	life->state = LIFE_RECORDING;
	heap_update();
	sampler_thread_begin(t);
}

bool thread_is_mute(void)
{
	return is_mute;
}

/* Re-armed until the last pass, because other keys' destructors still allocate and lock. */
static void on_thread_exit(void *value)
{
	struct thread *t = value;

	if (t != thread_self || life->state != LIFE_RECORDING)
		return;
	if (t->exit_passes++ >= EXIT_PASSES || !arm_exit(t))
		thread_finish(t);
}

/* The CPU clock of another thread of this process, as the kernel encodes it. */
static uint64_t cpu_of(uint32_t tid)
{
	int32_t id = (int32_t)(~tid << 3 | 6);
	int64_t ts[2] = { 0, 0 };

	return raw2(SYS_clock_gettime, id, ts) == 0 ? (uint64_t)ts[0] * 1000000000u + (uint64_t)ts[1] : 0;
}

void thread_finish_process(void)
{
	uint64_t n = file_header ? __atomic_load_n(&file_header->next_thread, __ATOMIC_RELAXED) : 0;

	for (uint64_t i = 0; i < n; i++) {
		struct rsd_thread *slot;
		uint64_t cpu;

		if (i % RSD_THREADS_PER_UNIT == 0 && i / RSD_THREADS_PER_UNIT < SLOT_TABLES &&
		    is_table_finished((uint32_t)(i / RSD_THREADS_PER_UNIT))) {
			i += RSD_THREADS_PER_UNIT - 1;
			continue;
		}
		slot = thread_slot((uint32_t)i);
		if (!slot || slot->state != 1)
			continue;
		proc_thread_name(slot->tid, slot->name);
		cpu = cpu_of(slot->tid);
		if (cpu > slot->cpu_ns) {
			slot->cpu_ns = cpu;
			slot->cpu_tick = clock_now();
		}
	}
}

/*
 * The last key whose value needs no memory of the heap's (glibc has the first 32 in the thread itself): the program's
 * own keys then have the numbers that they have without us, and what was never created is no key.
 */
#define KEYS_INSIDE 32

void thread_begin(void)
{
	pthread_key_t keys[KEYS_INSIDE];
	int n = 0;

	if (!real.pthread_key_create || !real.pthread_key_delete)
		return;
	while (n < KEYS_INSIDE && real.pthread_key_create(&keys[n], on_thread_exit) == 0 && keys[n++] < KEYS_INSIDE - 1)
		;
	has_exit_key = n > 0;
	if (has_exit_key)
		exit_key = keys[--n];
	while (n > 0)
		real.pthread_key_delete(keys[--n]);
}

/* Interrupted while it writes or captures; or such a writer was left by longjmp and nobody noticed yet. */
static bool is_at_work(const struct thread *t)
{
	return t->lane[0].guard || t->lane[1].guard || t->sampling;
}

void thread_begin_child(void)
{
	struct thread *t = thread_self;

	/* fork's wrapper has done so already; _Fork and clone have none. */
	if (t && is_at_work(t))
		windows_stand_in();
	free_threads = 0;
	made_threads = NULL;
	for (uint32_t i = 0; i < slot_tables_end; i++) {
		slot_tables[i] = NULL;
		slots_finished[i] = 0;
	}
	thread_self = NULL;
	finished_slot = 0;
	arming = 0;
	if (!t || is_at_work(t))
		return;
	/* Its buffers lie in the parent's file; the memory itself can serve again. */
	for (int i = 0; i < 2; i++) {
		t->lane[i].ext = NULL;
		t->lane[i].ready = t->lane[i].guard = t->lane[i].extents_taken = 0;
		lane_forget_stacks(t->lane[i].stacks);
	}
	t->samples = NULL;
	t->samples_ready = 0;
	t->sampling = 0;
	t->timer = -1;
	t->perf = NULL;
	lane_forget_stacks(t->sample_stacks);
	made_push(t);
	free_push(t);
}
