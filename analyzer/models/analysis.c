/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/models/analysis.h"
#include "analyzer/util/cores.h"
#include "format/kinds.h"

/* A dump of fewer units is read before a thread has begun to help. */
#define SMALL_UNITS 32u

static bool thread_matches(const regex_t *re, const struct rsd_thread *thread)
{
	char name[sizeof(thread->name) + 1] = "", tid[16];

	memcpy(name, thread->name, sizeof(thread->name));
	snprintf(tid, sizeof(tid), "%u", thread->tid);
	return !regexec(re, name, 0, NULL, 0) || !regexec(re, tid, 0, NULL, 0);
}

static int choose_threads(const struct recording *rec, const char *pattern, bool **chosen, struct buf *error)
{
	regex_t re;
	size_t matches = 0;
	int err = regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB);

	if (err) {
		char words[128];

		regerror(err, &re, words, sizeof(words));
		buf_printf(error, "--thread: %s", words);
		return -EINVAL;
	}
	*chosen = calloc(rec->threads_len + 1, sizeof(**chosen));
	for (uint32_t i = 0; *chosen && i < rec->threads_len; i++)
		matches += (*chosen)[i] = recording_thread(rec, i) && thread_matches(&re, &rec->threads[i]);
	regfree(&re);
	if (!*chosen)
		return -ENOMEM;
	if (!matches) {
		buf_printf(error, "--thread: no thread of %s has a name or tid like %s", rec->reader.path, pattern);
		return -EINVAL;
	}
	return 0;
}

static int init_models(struct analysis *a)
{
	int err = heap_init(&a->heap, &a->rec);

	if (a->filter.from_ns || a->filter.threads)
		a->heap.early.window = 0;
	a->heap.size_min = a->size_min;
	a->heap.size_max = a->size_max ? a->size_max : UINT64_MAX;
	err = err ? err : pools_init(&a->pools, &a->rec);
	err = err ? err : cpu_init(&a->cpu, &a->rec);
	err = err ? err : waits_init(&a->waits, &a->rec);
	err = err ? err : locks_init(&a->locks, &a->rec, &a->heap);
	deadlocks_init(&a->deadlocks, &a->rec);
	err = err ? err : fds_init(&a->fds, &a->rec);
	workload_init(&a->workload, &a->rec);
	return err ? err : threads_init(&a->threads, &a->rec);
}

int analysis_pass(struct analysis *a, const struct pass_sink *const *sinks, size_t sinks_len)
{
	a->stats = (struct pass_stats){ 0 };
	return pass_run(&a->rec, &a->filter, sinks, sinks_len, a->rec.reader.units < SMALL_UNITS ? 0 : cores_to_spare(),
			&a->stats, a->progress);
}

static int run(struct analysis *a)
{
	const struct pass_sink all[] = { heap_sink(&a->heap),	     pools_sink(&a->pools),
					 cpu_sink(&a->cpu),	     waits_sink(&a->waits),
					 locks_sink(&a->locks),	     fds_sink(&a->fds),
					 threads_sink(&a->threads),  deadlocks_sink(&a->deadlocks),
					 workload_sink(&a->workload) };
	const struct pass_sink *sinks[sizeof(all) / sizeof(all[0])];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		sinks[i] = &all[i];
	return analysis_pass(a, sinks, sizeof(all) / sizeof(all[0]));
}

/* What the file itself says, and what was left out of it. */
static void count_losses(struct analysis *a)
{
	a->processes = 1;
	a->dump_bytes = a->rec.reader.units * RSD_UNIT;
	a->is_filtered = a->filter.from_ns || a->filter.to_ns || a->filter.threads || a->size_min || a->size_max;
	memcpy(a->counter, a->rec.reader.header.counter, sizeof(a->counter));
	a->lost_events = a->counter[COUNT_LOST_FULL] + a->counter[COUNT_LOST_NESTED] +
			 a->counter[COUNT_LOST_NO_THREAD] + a->counter[COUNT_SAMPLES_LOST];
}

/* By the records: the slots of the dump count only when lines about the heap were asked for. */
static void count_by_thread(struct analysis *a)
{
	for (size_t i = 0; i < a->threads.rows_len; i++) {
		struct thread_row *row = &a->threads.rows[i];
		const struct heap_thread *thread = &a->heap.threads[row->index + 1];

		row->allocations = weight_count(thread->allocations);
		row->allocated_bytes = thread->allocated_bytes;
	}
}

static int finish(struct analysis *a)
{
	const struct pass_filter *filter = &a->filter;
	bool has_window = filter->from_ns || filter->to_ns;
	uint64_t end_ns = recording_end_ns(&a->rec);

	heap_finish(&a->heap);
	pools_finish(&a->pools);
	cpu_finish(&a->cpu, filter);
	waits_finish(&a->waits, filter);
	fds_finish(&a->fds, has_window || filter->threads);
	threads_finish(&a->threads);
	count_by_thread(a);
	deadlocks_finish(&a->deadlocks);
	if (filter->to_ns && filter->to_ns < end_ns)
		end_ns = filter->to_ns;
	a->duration_ns = end_ns > filter->from_ns ? end_ns - filter->from_ns : 0;
	if (!has_window)
		a->duration_ns += a->rec.reader.header.startup_ns;
	a->damaged = a->rec.reader.damaged;
	return locks_finish(&a->locks);
}

/* Nothing is read from the file any more: of a large tree of processes all stay in memory until they are merged. */
static void rest(struct analysis *a)
{
	live_release(&a->heap.live);
	reader_close(&a->rec.reader);
}

static bool is_short_of_memory(const struct analysis *a)
{
	return a->heap.failed || a->pools.failed || a->cpu.failed || a->waits.failed || a->locks.failed ||
	       a->fds.failed || a->deadlocks.failed || a->workload.failed;
}

static int begin(struct analysis *a, const char *path, const struct analysis_filter *filter, struct buf *error)
{
	int err = 0;

	if (filter) {
		a->filter.from_ns = filter->from_ns;
		a->filter.to_ns = filter->to_ns;
		a->size_min = filter->size_min;
		a->size_max = filter->size_max;
	}
	if (filter && filter->thread_pattern)
		err = choose_threads(&a->rec, filter->thread_pattern, &a->filter.threads, error);
	count_losses(a);
	stack_space_reserve(a->rec.space);
	if (err && !error->len)
		buf_printf(error, "%s: %s", path, reader_words(err));
	return err;
}

int analysis_begin(struct analysis *a, const char *path, struct stacks *stacks, const struct analysis_filter *filter,
		   const struct analysis_watch *watch, struct buf *error)
{
	int err;

	*a = (struct analysis){ .progress = watch ? watch->progress : NULL };
	err = recording_open(&a->rec, path, stacks, error);
	if (err)
		return err;
	err = begin(a, path, filter, error);
	if (err)
		analysis_release(a);
	else if (watch && watch->opened)
		watch->opened(&a->rec);
	return err;
}

int analysis_models(struct analysis *a)
{
	int err = init_models(a);

	err = err ? err : run(a);
	err = err ? err : finish(a);
	return !err && is_short_of_memory(a) ? -ENOMEM : err;
}

int analysis_open(struct analysis *a, const char *path, struct stacks *stacks, const struct analysis_filter *filter,
		  const struct analysis_watch *watch, struct buf *error)
{
	int err = analysis_begin(a, path, stacks, filter, watch, error);

	if (err)
		return err;
	err = analysis_models(a);
	if (!err) {
		rest(a);
		return 0;
	}
	buf_printf(error, "%s: %s", path, reader_words(err));
	analysis_release(a);
	return err;
}

void analysis_release(struct analysis *a)
{
	heap_release(&a->heap);
	pools_release(&a->pools);
	cpu_release(&a->cpu);
	waits_release(&a->waits);
	locks_release(&a->locks);
	fds_release(&a->fds);
	threads_release(&a->threads);
	deadlocks_release(&a->deadlocks);
	workload_release(&a->workload);
	free(a->filter.threads);
	a->filter.threads = NULL;
	recording_release(&a->rec);
}

int analysis_merge(struct analysis *into, const struct analysis *from)
{
	int err = heap_merge(&into->heap, &from->heap);

	err = err ? err : cpu_merge(&into->cpu, &from->cpu);
	err = err ? err : waits_merge(&into->waits, &from->waits);
	err = err ? err : locks_merge(&into->locks, &from->locks);
	err = err ? err : fds_merge(&into->fds, &from->fds);
	err = err ? err : threads_merge(&into->threads, &from->threads);
	err = err ? err : workload_merge(&into->workload, &from->workload);
	into->stats.events += from->stats.events;
	into->stats.unknown += from->stats.unknown;
	into->stats.recycled += from->stats.recycled;
	into->dump_bytes += from->dump_bytes;
	into->lost_events += from->lost_events;
	into->damaged += from->damaged;
	into->processes += from->processes;
	for (unsigned i = 0; i < RSD_COUNTERS; i++)
		into->counter[i] += from->counter[i];
	return err;
}

unsigned analysis_losses(const struct analysis *a, struct buf *out)
{
	unsigned count = 0;

	for (unsigned slot = 0; slot < RSD_COUNTERS; slot++) {
		const struct counter_info *info = counter_info(slot);

		if (!info || !info->is_loss || !a->counter[slot])
			continue;
		buf_printf(out, "%" PRIu64 " %s\n", a->counter[slot], info->words);
		count++;
	}
	if (a->counter[COUNT_LOST_RECYCLED] && ++count)
		buf_printf(out,
			   "%" PRIu64 " event extents were overwritten by the ring: only the newest events are here\n",
			   a->counter[COUNT_LOST_RECYCLED]);
	if (a->damaged && ++count)
		buf_printf(out, "%" PRIu64 " damaged places were skipped, the first at offset %" PRIu64 ": %s\n",
			   a->damaged, a->rec.reader.damaged_offset,
			   a->rec.reader.damaged_words ? a->rec.reader.damaged_words : "in another process's dump");
	if (a->stats.unknown && ++count)
		buf_printf(out, "%" PRIu64 " records are of kinds that only a newer ringside knows\n",
			   a->stats.unknown);
	if (a->heap.missed_frees && ++count)
		buf_printf(out, "%" PRIu64 " blocks were handed out twice: the frees between were not recorded\n",
			   a->heap.missed_frees);
	if (stack_space_unknown(a->rec.space) && ++count)
		buf_printf(out, "%" PRIu64 " stacks are not in the dump\n", stack_space_unknown(a->rec.space));
	return count;
}
