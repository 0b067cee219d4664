/* SPDX-License-Identifier: MIT */
/* main.c - options, start and end, and what each stage took. */
#include "workflow/workflow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/books.h"
#include "common/options.h"
#include "common/stop.h"

static struct options opt = {
	.jobs = 400,
	.records = 1500,
	.max_workers = 3,
	.load_us = 2000,
	.dictionary = 1200,
	.seed = 1,
	.join = "locked",
};

static const char about[] =
	"Jobs go through stages: load, parse, transform and index, join, store. Each job is a task and each stage a\n"
	"region of ringside.h; records come from a pool that announces itself. An error in a stage cancels the rest.\n"
	"\n"
	"What to look for:\n"
	"  trace  regions: join and transform take most of the time; load only sleeps\n"
	"  block  with --parallel, join waits for the dictionary's lock while scan_dictionary runs in another job;\n"
	"         --join snapshot needs no lock\n"
	"  heap   copy_name makes one small block per record, normalize_name one that lives for a moment\n"
	"  pool   \"records\" holds one block per record\n";

static const struct option_row rows[] = {
	{ "parallel", OPTION_FLAG, &opt.is_parallel, 0, 0, "run stages on worker threads" },
	{ "max-workers", OPTION_NUMBER, &opt.max_workers, 1, 64, "worker threads with --parallel" },
	{ "jobs", OPTION_NUMBER, &opt.jobs, 1, 10000000, "jobs" },
	{ "records", OPTION_NUMBER, &opt.records, 1, 1000000, "records per job" },
	{ "load-us", OPTION_NUMBER, &opt.load_us, 0, 10000000, "how long a source takes to answer, in us" },
	{ "dictionary", OPTION_NUMBER, &opt.dictionary, 1, 1000000, "entries of the dictionary" },
	{ "join", OPTION_TEXT, &opt.join, 0, 0, "locked (the whole scan) or snapshot (no lock)" },
	{ "fail-stage", OPTION_TEXT, &opt.fail_stage, 0, 0, "stage that fails, with --fail-job" },
	{ "fail-job", OPTION_NUMBER, &opt.fail_job, 0, UINT64_MAX, "job in which it fails, 0: none" },
	{ "seed", OPTION_NUMBER, &opt.seed, 0, UINT64_MAX, "which records" },
	{ "truth", OPTION_FLAG, &opt.has_truth, 0, 0, "print what a right profile must say, as JSON" },
	{ 0 },
};

/* A file without a name: it is gone when the program is. Returns a descriptor or -errno. */
static int open_output(void)
{
	char path[256];
	const char *dir = getenv("TMPDIR");
	int fd;

	snprintf(path, sizeof(path), "%s/workflow-out.XXXXXX", dir ? dir : "/tmp");
	fd = mkstemp(path);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

static int start_and_run(struct workflow *flow)
{
	int err = dictionary_init(&flow->dictionary, opt.dictionary, opt.seed);

	if (err)
		return err;
	pthread_mutex_init(&flow->lock, NULL);
	pthread_cond_init(&flow->changed, NULL);
	flow->out_fd = open_output();
	err = flow->out_fd < 0 ? flow->out_fd : workflow_run(flow);
	if (flow->out_fd >= 0)
		close(flow->out_fd);
	pthread_cond_destroy(&flow->changed);
	pthread_mutex_destroy(&flow->lock);
	dictionary_release(&flow->dictionary);
	return err;
}

/* No block of heap or pool is left, whatever happened; all jobs are done unless something did happen. */
static int is_sound(const struct workflow *flow)
{
	struct books_totals heap = books_totals();
	struct arena_totals pool = arena_totals();

	if (heap.allocations != heap.frees || heap.live_bytes || pool.allocations != pool.frees)
		return 0;
	return flow->err || flow->done == opt.jobs;
}

static void print_summary(const struct workflow *flow)
{
	printf("workflow %s: %lu of %lu jobs in %.2f s, digest %016lx, hits %lu\n",
	       opt.is_parallel ? "parallel" : "sequential", flow->done, opt.jobs, (double)flow->wall_ns / 1e9,
	       flow->digest, flow->hits);
	printf("%-10s %8s %12s %12s %7s\n", "stage", "runs", "total ms", "worst ms", "failed");
	for (int id = 0; id < STAGES; id++) {
		const struct stage_metrics *metrics = &flow->stages[id];

		printf("%-10s %8lu %12.1f %12.2f %7lu\n", stages[id].name, metrics->count, (double)metrics->ns / 1e6,
		       (double)metrics->max_ns / 1e6, metrics->failed);
	}
}

static void print_truth(const struct workflow *flow)
{
	struct arena_totals pool = arena_totals();

	printf("{\"program\":\"workflow\",\"parallel\":%s,\"jobs\":%lu,\"digest\":\"%016lx\",\"wall_ns\":%lu,"
	       "\"interrupted\":%s,\"failed\":%s,\"tasks\":[{\"type\":\"job\",\"count\":%lu}],\"regions\":[",
	       opt.is_parallel ? "true" : "false", flow->done, flow->digest, flow->wall_ns,
	       stop_requested() ? "true" : "false", flow->err ? "true" : "false", flow->next_id - 1);
	for (int id = 0; id < STAGES; id++)
		printf("%s{\"type\":\"%s\",\"count\":%lu,\"ns\":%lu,\"max_ns\":%lu}", id ? "," : "", stages[id].name,
		       flow->stages[id].count, flow->stages[id].ns, flow->stages[id].max_ns);
	printf("],\"pools\":[{\"name\":\"%s\",\"allocations\":%lu,\"frees\":%lu,\"allocated_bytes\":%lu}],", ARENA_NAME,
	       pool.allocations, pool.frees, pool.bytes);
	books_print(stdout);
	printf("}\n");
}

static const char *wrong_usage(void)
{
	if (strcmp(opt.join, "locked") && strcmp(opt.join, "snapshot"))
		return "--join is locked or snapshot";
	if (!opt.fail_stage)
		return NULL;
	for (int id = 0; id < STAGES; id++) {
		if (!strcmp(stages[id].name, opt.fail_stage))
			return NULL;
	}
	return "--fail-stage is none of the stages";
}

int main(int argc, char **argv)
{
	static struct workflow flow = { .opt = &opt };
	int err, sound;

	books_stdout();
	options_parse(argc, argv, "workflow", about, rows);
	if (wrong_usage()) {
		fprintf(stderr, "workflow: %s\n", wrong_usage());
		return 2;
	}
	err = stop_install();
	if (!err)
		err = start_and_run(&flow);
	sound = is_sound(&flow);
	if (err && !(err == -ECANCELED && stop_requested()))
		fprintf(stderr, "workflow: %s\n", strerror(-err));
	if (!sound)
		fprintf(stderr, "workflow: the books don't balance\n");
	(opt.has_truth ? print_truth : print_summary)(&flow);
	if (stop_requested() && err == -ECANCELED)
		err = 0;
	stop_release();
	return err || !sound || fflush(stdout) ? 1 : 0;
}
