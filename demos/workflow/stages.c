/* SPDX-License-Identifier: MIT */
/*
 * stages.c - what is done to one job.
 *
 * Every stage leaves the job in a state that job_free understands, whether it succeeded, failed or was cancelled.
 * What a profile must find: copy_name allocates most blocks; normalize_name needs its block only for a moment;
 * with --join locked, scan_dictionary runs under the dictionary's lock while join_stage of other jobs waits.
 */
#include "workflow/workflow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/books.h"
#include "common/rng.h"

#define LINE_SIZE 56u /* room for one line of text */
#define LOOK_EVERY 64 /* records between two looks whether the workflow was cancelled */
#define SCORE_ROUNDS 400

/* ---- load ------------------------------------------------------------------------------------------------- */

/* Stands for a slow source: nothing but time passes. */
__attribute__((noinline)) static void wait_for_source(uint64_t dur_ns)
{
	if (dur_ns)
		clock_sleep_ns(dur_ns);
}

static void write_text(struct job *job)
{
	const struct options *opt = job->flow->opt;
	struct rng rng = { opt->seed + job->id * 7919 };

	for (uint64_t i = 0; i < opt->records; i++) {
		char name[NAME_SIZE];
		uint32_t key = (uint32_t)rng_next(&rng);

		dictionary_name(name, rng_next(&rng) % (opt->dictionary + opt->dictionary / 4), opt->seed);
		job->text_len += (size_t)snprintf(job->text + job->text_len, job->text_size - job->text_len,
						  "%08x %s %lu\n", key, name, rng_next(&rng) % 1000);
	}
}

static int load_stage(struct job *job)
{
	book_wait("sleep", NULL, (wait_for_source(job->flow->opt->load_us * 1000), 0));
	job->text_size = job->flow->opt->records * LINE_SIZE + 1;
	job->text = book_malloc(job->text_size);
	if (!job->text)
		return -ENOMEM;
	write_text(job);
	ringside_logf(job->task, "load", "job %lu: %zu bytes", job->id, job->text_len);
	return 0;
}

/* ---- parse ------------------------------------------------------------------------------------------------ */

__attribute__((noinline)) static char *copy_name(const char *name, size_t len)
{
	char *copy = book_malloc(NAME_SIZE);

	if (!copy)
		return NULL;
	memcpy(copy, name, len);
	copy[len] = 0;
	return copy;
}

/* "key name value\n" at *text, which moves behind it. Returns 0, -EILSEQ or -ENOMEM. */
static int parse_line(struct record *record, const char **text)
{
	char *end;
	const char *name;
	size_t len;

	record->name = NULL;
	record->key = (uint32_t)strtoul(*text, &end, 16);
	if (end == *text || *end != ' ')
		return -EILSEQ;
	name = end + 1;
	len = strcspn(name, " ");
	if (!len || len >= NAME_SIZE || !name[len])
		return -EILSEQ;
	record->value = (uint32_t)strtoul(name + len + 1, &end, 10);
	if (*end != '\n')
		return -EILSEQ;
	*text = end + 1;
	record->name = copy_name(name, len);
	return record->name ? 0 : -ENOMEM;
}

static int parse_records(struct job *job)
{
	const char *text = job->text;
	int err = 0;

	while (!err && *text && job->count < job->cap) {
		struct record *record = arena_take(&job->arena);

		if (!record)
			return -ENOMEM;
		if (job->count % LOOK_EVERY == 0 && workflow_is_cancelled(job->flow))
			return -ECANCELED;
		err = parse_line(record, &text);
		if (!err)
			job->records[job->count++] = record;
	}
	return err ? err : (*text ? -EILSEQ : 0);
}

static int parse_stage(struct job *job)
{
	int err;

	job->cap = job->flow->opt->records;
	job->records = book_calloc(job->cap, sizeof(*job->records));
	if (!job->records)
		return -ENOMEM;
	book_cpu("parse_records", err = parse_records(job));
	book_free(job->text, job->text_size);
	job->text = NULL;
	return err;
}

/* ---- transform -------------------------------------------------------------------------------------------- */

/* Upper case, in a block that lives for one call of score_record. */
__attribute__((noinline)) static char *normalize_name(const char *name)
{
	char *upper = book_malloc(NAME_SIZE);

	for (size_t i = 0; upper && i < NAME_SIZE; i++) {
		upper[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32) : name[i];
		if (!name[i])
			break;
	}
	return upper;
}

__attribute__((noinline)) static uint64_t score_record(const struct record *record, const char *name)
{
	uint64_t score = record->key;

	for (int round = 0; round < SCORE_ROUNDS; round++)
		score = (score ^ (uint8_t)name[round % 4]) * 0x100000001b3ull + record->value;
	return score;
}

static int transform_records(struct job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		char *name = normalize_name(job->records[i]->name);

		if (!name)
			return -ENOMEM;
		job->records[i]->score = score_record(job->records[i], name);
		book_free(name, NAME_SIZE);
		if (i % LOOK_EVERY == 0 && workflow_is_cancelled(job->flow))
			return -ECANCELED;
	}
	return 0;
}

static int transform_stage(struct job *job)
{
	int err;

	book_cpu("transform_records", err = transform_records(job));
	return err;
}

/* ---- index ------------------------------------------------------------------------------------------------ */

static void sift_down(struct record **heap, size_t at, size_t count)
{
	for (;;) {
		size_t child = 2 * at + 1;
		struct record *record = heap[at];

		if (child >= count)
			return;
		if (child + 1 < count && heap[child + 1]->key > heap[child]->key)
			child++;
		if (heap[child]->key <= record->key)
			return;
		heap[at] = heap[child];
		heap[child] = record;
		at = child;
	}
}

/* By key; heap sort, because libc's qsort allocates behind our books. */
__attribute__((noinline)) static void sort_records(struct record **records, size_t count)
{
	for (size_t i = count / 2; i-- > 0;)
		sift_down(records, i, count);
	for (size_t end = count; end-- > 1;) {
		struct record *last = records[end];

		records[end] = records[0];
		records[0] = last;
		sift_down(records, 0, end);
	}
}

static int index_stage(struct job *job)
{
	job->sorted = book_malloc(job->cap * sizeof(*job->sorted));
	if (!job->sorted)
		return -ENOMEM;
	memcpy(job->sorted, job->records, job->count * sizeof(*job->sorted));
	book_cpu("sort_records", sort_records(job->sorted, job->count));
	return 0;
}

/* ---- join ------------------------------------------------------------------------------------------------- */

/* From the front to the back, for every record. NULL: not in it. */
__attribute__((noinline)) static struct entry *find_entry(const struct dictionary *dictionary, const char *name)
{
	for (size_t i = 0; i < dictionary->count; i++) {
		if (!strcmp(dictionary->entries[i].name, name))
			return &dictionary->entries[i];
	}
	return NULL;
}

/* `counts`: one more hit for the entry; only with the dictionary's lock. */
__attribute__((noinline)) static void scan_dictionary(struct job *job, int counts)
{
	for (size_t i = 0; i < job->count; i++) {
		const struct record *record = job->sorted[i];
		struct entry *entry = find_entry(&job->flow->dictionary, record->name);

		job->digest = job->digest * 31 + record->score * (entry ? entry->weight : 1);
		job->hits += entry != NULL;
		if (entry && counts)
			entry->hits++;
	}
}

/* The lock is only for the hits, but it is held for the whole scan: one job at a time. */
__attribute__((noinline)) static int join_locked(struct job *job)
{
	struct dictionary *dictionary = &job->flow->dictionary;

	book_wait_while("mutex", "join_locked", "scan_dictionary", pthread_mutex_lock(&dictionary->lock));
	book_cpu("scan_dictionary", scan_dictionary(job, 1));
	pthread_mutex_unlock(&dictionary->lock);
	return 0;
}

static int join_stage(struct job *job)
{
	int err = 0;

	if (!strcmp(job->flow->opt->join, "locked"))
		err = join_locked(job);
	else
		book_cpu("scan_dictionary", scan_dictionary(job, 0));
	ringside_logf(job->task, "join", "job %lu: %lu of %zu found", job->id, job->hits, job->count);
	return err;
}

/* ---- store ------------------------------------------------------------------------------------------------ */

static int store_stage(struct job *job)
{
	char line[96];
	int len = snprintf(line, sizeof(line), "job %lu records %zu hits %lu digest %016lx\n", job->id, job->count,
			   job->hits, job->digest);
	ssize_t done = write(job->flow->out_fd, line, (size_t)len);

	if (done != len)
		return done < 0 ? -errno : -ENOSPC;
	__atomic_add_fetch(&job->flow->stored_bytes, (uint64_t)len, __ATOMIC_RELAXED);
	return 0;
}

const struct stage stages[STAGES] = {
	[STAGE_LOAD] = { "load", load_stage, 0 },
	[STAGE_PARSE] = { "parse", parse_stage, 1u << STAGE_LOAD },
	[STAGE_TRANSFORM] = { "transform", transform_stage, 1u << STAGE_PARSE },
	[STAGE_INDEX] = { "index", index_stage, 1u << STAGE_PARSE },
	[STAGE_JOIN] = { "join", join_stage, 1u << STAGE_TRANSFORM | 1u << STAGE_INDEX },
	[STAGE_STORE] = { "store", store_stage, 1u << STAGE_JOIN },
};

/* ---- life of a job ---------------------------------------------------------------------------------------- */

struct job *job_new(struct workflow *flow, uint64_t id)
{
	struct job *job = book_calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->flow = flow;
	job->id = id;
	job->task = ringside_task_begin("job");
	return job;
}

void job_free(struct job *job)
{
	for (size_t i = 0; i < job->count; i++)
		book_free(job->records[i]->name, NAME_SIZE);
	arena_release(&job->arena);
	book_free(job->sorted, job->cap * sizeof(*job->sorted));
	book_free(job->records, job->cap * sizeof(*job->records));
	book_free(job->text, job->text_size);
	ringside_task_end(job->task);
	book_free(job, sizeof(*job));
}
