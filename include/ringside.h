/* SPDX-License-Identifier: MIT */
/*
 * ringside.h - tell Ringside what your program is doing: tasks, regions, logs, counters, memory pools.
 *
 * Header only. Every call goes through a weak symbol that exists only while libringside.so is preloaded:
 * without it a call is one load and one branch, nothing is linked, and the program behaves the same.
 *
 *     ringside_task job = ringside_task_begin("order");
 *     ringside_region parse = ringside_region_begin(job, "parse");
 *     ...
 *     ringside_region_end(parse);
 *     ringside_logf(job, "customer", "id %d", id);
 *     ringside_task_end(job);
 *
 * Names (types, categories, counter and pool names) should be few: string literals. Messages may be anything.
 *
 * Safety:  thread-safe; not async-signal-safe; errno is kept. No call fails: what can't be recorded is
 *          counted and told by the reports.
 * Cost:    recorded 0.1-0.3 us and 60-100 bytes a call (a stack is taken with each), else about 1 ns.
 * Limits:  in a program linked with -static, or with -z nodynamic-undefined-weak, nothing is recorded.
 */
#ifndef RINGSIDE_H
#define RINGSIDE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The two entry points of the recorder; use the functions below. `op` is an enum ringside_op. */
enum ringside_op {
	RINGSIDE_TASK_BEGIN = 1,
	RINGSIDE_TASK_END = 2,
	RINGSIDE_REGION_BEGIN = 3,
	RINGSIDE_REGION_END = 4,
	RINGSIDE_LOG = 5,
	RINGSIDE_COUNTER = 6,
	RINGSIDE_POOL_ALLOC = 7,
	RINGSIDE_POOL_FREE = 8,
	RINGSIDE_MARK = 9
};
__attribute__((weak)) uint64_t ringside_note_v1(int op, uint64_t id, uint64_t parent, const char *name,
						const char *text, double value);
__attribute__((weak)) void ringside_pool_v1(int op, const void *pool, const char *name, const void *block, size_t size);

/*
 * Their addresses, or 0. Without -fPIC or -fPIE a compiler takes the address of a weak symbol as a constant, which
 * the linker makes 0 for good; read from the global offset table it stays open until the program is loaded.
 */
typedef uint64_t (*ringside_note_function)(int, uint64_t, uint64_t, const char *, const char *, double);
typedef void (*ringside_pool_function)(int, const void *, const char *, const void *, size_t);

static inline ringside_note_function ringside_note_recorder(void)
{
#if defined(__x86_64__) && !defined(__PIC__)
	ringside_note_function f;

	__asm__(".weak ringside_note_v1\n\tmovq ringside_note_v1@GOTPCREL(%%rip), %0" : "=r"(f));
	return f;
#else
	return ringside_note_v1;
#endif
}

static inline ringside_pool_function ringside_pool_recorder(void)
{
#if defined(__x86_64__) && !defined(__PIC__)
	ringside_pool_function f;

	__asm__(".weak ringside_pool_v1\n\tmovq ringside_pool_v1@GOTPCREL(%%rip), %0" : "=r"(f));
	return f;
#else
	return ringside_pool_v1;
#endif
}

static inline uint64_t ringside_note(int op, uint64_t id, uint64_t parent, const char *name, const char *text,
				     double value)
{
	ringside_note_function note = ringside_note_recorder();

	return note ? note(op, id, parent, name, text, value) : 0;
}

static inline void ringside_pool(int op, const void *pool, const char *name, const void *block, size_t size)
{
	ringside_pool_function record = ringside_pool_recorder();

	if (record)
		record(op, pool, name, block, size);
}

/* A unit of work that may cross threads. `id` 0: none, or not recorded. */
typedef struct ringside_task {
	uint64_t id;
} ringside_task;

/* A stretch of one thread's time, part of a task or of none. Regions of a thread nest. */
typedef struct ringside_region {
	uint64_t id;
	uint64_t task;
	const char *type;
} ringside_region;

static const ringside_task RINGSIDE_NO_TASK __attribute__((unused)) = { 0 };

/* 1 while a recorder is present, else 0: to skip the making of expensive messages. */
static inline int ringside_active(void)
{
	return ringside_note_recorder() != 0;
}

static inline ringside_task ringside_subtask_begin(ringside_task parent, const char *type)
{
	ringside_task task = { 0 };

	task.id = ringside_note(RINGSIDE_TASK_BEGIN, 0, parent.id, type, 0, 0);
	return task;
}

static inline ringside_task ringside_task_begin(const char *type)
{
	return ringside_subtask_begin(RINGSIDE_NO_TASK, type);
}

/* Any thread may end a task. */
static inline void ringside_task_end(ringside_task task)
{
	ringside_note(RINGSIDE_TASK_END, task.id, 0, 0, 0, 0);
}

static inline ringside_region ringside_region_begin(ringside_task task, const char *type)
{
	ringside_region region = { 0, task.id, type };

	region.id = ringside_note(RINGSIDE_REGION_BEGIN, 0, task.id, type, 0, 0);
	return region;
}

/* By the thread that began it, innermost first. */
static inline void ringside_region_end(ringside_region region)
{
	ringside_note(RINGSIDE_REGION_END, region.id, region.task, region.type, 0, 0);
}

static inline void ringside_log(ringside_task task, const char *category, const char *message)
{
	ringside_note(RINGSIDE_LOG, 0, task.id, category, message, 0);
}

/* The message is cut at 255 bytes. */
__attribute__((format(printf, 3, 4))) static inline void ringside_logf(ringside_task task, const char *category,
								       const char *format, ...)
{
	char message[256];
	va_list args;

	if (!ringside_active())
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	ringside_log(task, category, message);
}

/* The current value of something that goes up and down: queue length, cache bytes. */
static inline void ringside_counter(const char *name, double value)
{
	ringside_note(RINGSIDE_COUNTER, 0, 0, name, 0, value);
}

/*
 * A moment: reports show what happened between two of them, as the peak of the heap. With reach=mark the recorder also
 * looks who points to which block, which takes about 3 ms per 100 MB.
 */
static inline void ringside_mark(const char *name)
{
	ringside_note(RINGSIDE_MARK, 0, 0, name, 0, 0);
}

/*
 * An allocator of your own. `pool` is any address that identifies it, `name` says what it is in reports.
 * Call alloc after a block was handed out and free before it is taken back, as malloc's own records do.
 * Pool blocks are booked apart from the heap, so the memory under a pool is not counted twice.
 */
static inline void ringside_pool_alloc(const void *pool, const char *name, const void *block, size_t size)
{
	ringside_pool(RINGSIDE_POOL_ALLOC, pool, name, block, size);
}

static inline void ringside_pool_free(const void *pool, const void *block)
{
	ringside_pool(RINGSIDE_POOL_FREE, pool, 0, block, 0);
}

static inline void ringside_pool_resize(const void *pool, const char *name, const void *old_block, const void *block,
					size_t size)
{
	ringside_pool_free(pool, old_block);
	ringside_pool_alloc(pool, name, block, size);
}

#ifdef __cplusplus
}
#endif

#endif
