/* SPDX-License-Identifier: MIT */
/*
 * cmd_stat.c - a program several times, and how its main numbers spread. Each recording lives in a temporary directory
 * until it has been read. The numbers have the names of `ringside diff`.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analyzer/commands/inspect.h"
#include "analyzer/commands/session.h"
#include "analyzer/launch/launch.h"
#include "analyzer/show/render.h"
#include "analyzer/util/die.h"

#define RUNS_DEFAULT 5

enum { WALL, CPU, BLOCKED, SPANS, RSS, PEAK, INUSE, ALLOCATED, ALLOCATIONS, TEMPORARY, NUMBERS };

static const struct number {
	const char *name, *words;
	enum unit unit;
} numbers[NUMBERS] = {
	[WALL] = { "wall", "from start to end, recorded", UNIT_NS },
	[CPU] = { "cpu", "CPU time, user and system, the recorder's included", UNIT_NS },
	[BLOCKED] = { "blocked", "time blocked, in calls at least as long as the threshold", UNIT_NS },
	[SPANS] = { "spans", "such calls", UNIT_COUNT },
	[RSS] = { "rss", "largest resident memory, the recorder's included", UNIT_BYTES },
	[PEAK] = { "peak_space", "bytes on the heap when it was largest", UNIT_BYTES },
	[INUSE] = { "inuse_space", "bytes live at the end", UNIT_BYTES },
	[ALLOCATED] = { "alloc_space", "bytes allocated over the whole run", UNIT_BYTES },
	[ALLOCATIONS] = { "alloc_objects", "allocations over the whole run", UNIT_COUNT },
	[TEMPORARY] = { "temporary", "blocks freed before their thread's next allocation", UNIT_COUNT },
};

struct stat_run {
	struct options *o;
	char dir[4096]; /* "": not made yet */
	struct buf library;
	long wanted;
	double *values[NUMBERS]; /* by run */
	long runs;		 /* that gave numbers */
	uint64_t lost;
	int program_status; /* of the first run that failed, 0: none */
	bool is_stopped;    /* by a signal: no more runs */
};

/* ---- the directory -------------------------------------------------------------------------------------------- */

static int make_dir(struct stat_run *st)
{
	const char *parent = getenv("TMPDIR");

	/* A % of its name would be a pattern of --output. */
	if (!parent || parent[0] != '/' || strchr(parent, '%'))
		parent = "/tmp";
	snprintf(st->dir, sizeof(st->dir), "%s/ringside-stat.XXXXXX", parent);
	if (mkdtemp(st->dir))
		return 0;
	warn("stat: %s: %s", st->dir, strerror(errno));
	st->dir[0] = '\0';
	return EXIT_OWN_FAILURE;
}

/* Files, and one level of directories: FILE.d. */
static void remove_all(int parent, const char *name, unsigned depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	for (struct dirent *d; dir && (d = readdir(dir));) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		if (unlinkat(fd, d->d_name, 0) && errno == EISDIR && depth)
			remove_all(fd, d->d_name, depth - 1);
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	unlinkat(parent, name, AT_REMOVEDIR);
}

/* ---- one run -------------------------------------------------------------------------------------------------- */

static void note_values(struct stat_run *st, const struct analysis *a)
{
	st->values[WALL][st->runs] = (double)a->duration_ns;
	st->values[BLOCKED][st->runs] = (double)a->waits.total.blocked_ns;
	st->values[SPANS][st->runs] = (double)a->waits.total.spans;
	st->values[PEAK][st->runs] = (double)a->heap.total.peak_bytes;
	st->values[INUSE][st->runs] = (double)a->heap.total.live_bytes;
	st->values[ALLOCATED][st->runs] = (double)a->heap.total.allocated_bytes;
	st->values[ALLOCATIONS][st->runs] = (double)weight_count(a->heap.total.allocations);
	st->values[TEMPORARY][st->runs] = (double)weight_count(a->heap.total.temporary);
	st->lost += a->lost_events;
}

/* What the kernel says of the program and all its descendants that were waited for. */
static void note_usage(struct stat_run *st, const struct launch *l)
{
	const struct rusage *u = &l->usage;

	st->values[CPU][st->runs] = (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e9 +
				    (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1e3;
	st->values[RSS][st->runs] = (double)u->ru_maxrss * 1024;
}

static int read_run(struct stat_run *st, const struct launch *l)
{
	char *path[] = { l->file.data };
	struct options of = { .args = path, .args_len = 1, .is_all = true };
	struct session s;
	int status = session_open(&s, &of, NULL);

	if (!status) {
		note_values(st, &s.analyses[0]);
		note_usage(st, l);
		st->runs++;
	}
	return session_close(&s, status);
}

static void note_status(struct stat_run *st, int status)
{
	int code = WIFSIGNALED(status) ? EXIT_SIGNAL_BASE + WTERMSIG(status) : WEXITSTATUS(status);

	if (code && !st->program_status)
		st->program_status = code;
	st->is_stopped = WIFSIGNALED(status);
}

static int run_once(struct stat_run *st, const char *file)
{
	struct launch l = { .library = buf_string(&st->library),
			    .output = file,
			    .toggles = st->o->toggles,
			    .program = st->o->args[0],
			    .argv = st->o->args };
	struct launch_result result;
	struct buf error = { 0 };
	int code = launch_run(&l, &error);

	if (!code && l.is_unrecorded)
		code = EXIT_OWN_FAILURE;
	if (code)
		warn("%s", buf_string(&error));
	if (!code) {
		note_status(st, l.status);
		launch_finish(&l, &result);
		if (!result.has_file) {
			warn("nothing was recorded: %s never loaded the library", l.program);
			code = EXIT_OWN_FAILURE;
		}
	}
	code = code ? code : read_run(st, &l);
	launch_release(&l);
	buf_release(&error);
	return code;
}

static int run_all(struct stat_run *st)
{
	struct buf file = { 0 }, more = { 0 };
	int code = 0;

	buf_printf(&file, "%s/run.rsd", st->dir);
	buf_printf(&more, "%s.d", buf_string(&file));
	for (long i = 0; !code && !st->is_stopped && i < st->wanted; i++) {
		code = file.failed || more.failed ? EXIT_OWN_FAILURE : run_once(st, buf_string(&file));
		unlink(buf_string(&file));
		remove_all(AT_FDCWD, buf_string(&more), 0);
	}
	buf_release(&file);
	buf_release(&more);
	return code;
}

/* ---- the numbers ---------------------------------------------------------------------------------------------- */

struct spread_of {
	double mean, deviation, min, median, max;
};

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* `sorted` has room for all; the deviation is that of a sample: n - 1. */
static struct spread_of spread_make(const double *values, long len, double *sorted)
{
	struct spread_of s = { 0 };
	double squares = 0;

	memcpy(sorted, values, (size_t)len * sizeof(*sorted));
	qsort(sorted, (size_t)len, sizeof(*sorted), compare_doubles);
	for (long i = 0; i < len; i++)
		s.mean += values[i] / (double)len;
	for (long i = 0; i < len; i++)
		squares += (values[i] - s.mean) * (values[i] - s.mean);
	s.deviation = len > 1 ? sqrt(squares / (double)(len - 1)) : 0;
	s.min = sorted[0];
	s.max = sorted[len - 1];
	s.median = (sorted[(len - 1) / 2] + sorted[len / 2]) / 2;
	return s;
}

static void number_cell(struct table *t, enum unit unit, double value)
{
	char number[RENDER_NUMBER_MAX];

	if (unit == UNIT_COUNT && value != floor(value))
		table_textf(t, "%.1f", value);
	else
		table_text(t, render_value(number, unit, llround(value)));
}

static void add_columns(struct table *t)
{
	static const char *const titles[] = { "mean", "+- stddev", "", "min", "median", "max" };

	table_column(t, "", "name", UNIT_TEXT);
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		table_column(t, titles[i], titles[i], UNIT_TEXT);
		if (t->columns_len)
			t->columns[t->columns_len - 1].is_left = false;
	}
	table_column(t, "", "words", UNIT_TEXT);
}

static void add_row(struct table *t, const struct number *number, const struct spread_of *s)
{
	char share[RENDER_NUMBER_MAX];

	table_row(t);
	table_text(t, number->name);
	number_cell(t, number->unit, s->mean);
	number_cell(t, number->unit, s->deviation);
	table_text(t, render_percent(share, s->mean > 0 ? s->deviation / s->mean : 0));
	number_cell(t, number->unit, s->min);
	number_cell(t, number->unit, s->median);
	number_cell(t, number->unit, s->max);
	table_text(t, number->words);
}

static int print_text(const struct stat_run *st, double *sorted, FILE *out)
{
	struct table t;
	int err;

	table_init(&t, "stat");
	add_columns(&t);
	for (unsigned i = 0; i < NUMBERS; i++) {
		struct spread_of s = spread_make(st->values[i], st->runs, sorted);

		add_row(&t, &numbers[i], &s);
	}
	safe_puts(st->o->args[0], out);
	fprintf(out, ", %ld run%s\n\n", st->runs, st->runs == 1 ? "" : "s");
	err = render_text(&t, &(struct render_style){ .indent = 2 }, out);
	if (st->lost)
		fprintf(out, "\n  %" PRIu64 " events were lost: the numbers are too low\n", st->lost);
	table_release(&t);
	return err;
}

static int print_json(const struct stat_run *st, double *sorted, FILE *out)
{
	struct json j;

	json_init(&j, out);
	json_begin_object(&j);
	json_field_string(&j, "schema", "ringside.stat/1");
	json_key(&j, "argv");
	json_begin_array(&j);
	for (int i = 0; i < st->o->args_len; i++)
		json_string(&j, st->o->args[i]);
	json_end(&j);
	json_field_i64(&j, "runs", st->runs);
	json_field_i64(&j, "program_status", st->program_status);
	json_field_u64(&j, "lost_events", st->lost);
	json_key(&j, "numbers");
	json_begin_object(&j);
	for (unsigned i = 0; i < NUMBERS; i++) {
		struct spread_of s = spread_make(st->values[i], st->runs, sorted);

		json_key(&j, numbers[i].name);
		json_begin_object(&j);
		json_field_f64(&j, "mean", s.mean);
		json_field_f64(&j, "stddev", s.deviation);
		json_field_f64(&j, "min", s.min);
		json_field_f64(&j, "median", s.median);
		json_field_f64(&j, "max", s.max);
		json_key(&j, "values");
		json_begin_array(&j);
		for (long r = 0; r < st->runs; r++)
			json_f64(&j, st->values[i][r]);
		json_end(&j);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	return json_finish(&j);
}

/* To --output, or to stdout behind what the program wrote there. */
static int print(const struct stat_run *st)
{
	FILE *out = st->o->output ? fopen(st->o->output, "we") : stdout;
	double *sorted = calloc((size_t)st->runs + 1, sizeof(*sorted));
	int err = !out ? -errno : sorted ? 0 : -ENOMEM;

	if (!err)
		err = st->o->is_json ? print_json(st, sorted, out) : print_text(st, sorted, out);
	if (out && (out == stdout ? fflush(out) : fclose(out)) && !err)
		err = -errno;
	free(sorted);
	if (err)
		warn("stat: %s: %s", st->o->output ? st->o->output : "the output could not be written", strerror(-err));
	return err ? EXIT_OWN_FAILURE : 0;
}

/* ---- the command ---------------------------------------------------------------------------------------------- */

static int prepare(struct stat_run *st)
{
	struct buf error = { 0 };
	int code = program_inspect(st->o->args[0]);

	if (!code && launch_library(&st->library, &error)) {
		warn("%s", buf_string(&error));
		code = EXIT_OWN_FAILURE;
	}
	buf_release(&error);
	for (unsigned i = 0; i < NUMBERS; i++) {
		st->values[i] = calloc((size_t)st->wanted, sizeof(double));
		if (!st->values[i])
			code = EXIT_OWN_FAILURE;
	}
	return code ? code : make_dir(st);
}

int cmd_stat(struct options *o)
{
	struct stat_run st = { .o = o, .wanted = o->runs ? o->runs : RUNS_DEFAULT };
	int code;

	if (!o->args_len) {
		warn("stat: no PROGRAM; for example `ringside stat -r 10 ./program arg`");
		return EXIT_USAGE;
	}
	code = prepare(&st);
	code = code ? code : run_all(&st);
	if (st.dir[0])
		remove_all(AT_FDCWD, st.dir, 1);
	if (!code && st.runs)
		code = print(&st);
	for (unsigned i = 0; i < NUMBERS; i++)
		free(st.values[i]);
	buf_release(&st.library);
	return code ? code : st.program_status;
}
