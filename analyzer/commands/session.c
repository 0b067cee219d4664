/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/commands/session.h"
#include "analyzer/util/cores.h"
#include "analyzer/util/die.h"

/* A recording of more processes than this is shown without the rest. */
#define FILES_MAX 65536u
/* Progress is shown when a pass is longer than this. */
#define PROGRESS_AFTER_NS UINT64_C(700000000)

/* ---- the terminal --------------------------------------------------------------------------------------------- */

unsigned session_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

bool session_color(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb");
}

void session_pager(struct session *s)
{
	const char *pager = getenv("PAGER");
	FILE *pipe;

	if (s->has_pager || !isatty(STDOUT_FILENO) || (pager && (!*pager || !strcmp(pager, "cat"))))
		return;
	setenv("LESS", "FRX", 0);
	fflush(stdout);
	pipe = popen(pager ? pager : "less", "w");
	if (!pipe)
		return;
	/* A reader who quits early is no failure. */
	signal(SIGPIPE, SIG_IGN);
	s->out = pipe;
	s->has_pager = true;
}

static uint64_t progress_start_ns;
static bool progress_shown;

static void show_progress(double share)
{
	if (!isatty(STDERR_FILENO) || clock_mono_ns() - progress_start_ns < PROGRESS_AFTER_NS)
		return;
	fprintf(stderr, "\r%3.0f %%", share * 100);
	fflush(stderr);
	progress_shown = true;
}

void session_progress_end(void)
{
	if (progress_shown)
		fputs("\r     \r", stderr);
	progress_shown = false;
}

/* ---- files ---------------------------------------------------------------------------------------------------- */

bool is_dump_name(const char *name)
{
	const char *end = name + strlen(name);

	/* A second one of a name is NAME.rsd.1 */
	while (end > name && end[-1] >= '0' && end[-1] <= '9')
		end--;
	if (*end && end > name && end[-1] == '.')
		end--;
	else
		end = name + strlen(name);
	return end - name > 4 && !strncmp(end - 4, ".rsd", 4);
}

static char *newest_file(void)
{
	DIR *dir = opendir(".");
	struct timespec best = { 0 };
	char *found = NULL;

	for (struct dirent *d; dir && (d = readdir(dir));) {
		struct stat st;

		if (strncmp(d->d_name, "ringside.", 9) || !is_dump_name(d->d_name) || stat(d->d_name, &st) ||
		    !S_ISREG(st.st_mode) || !st.st_size)
			continue;
		if (found && (st.st_mtim.tv_sec < best.tv_sec ||
			      (st.st_mtim.tv_sec == best.tv_sec && st.st_mtim.tv_nsec <= best.tv_nsec)))
			continue;
		free(found);
		found = strdup(d->d_name);
		best = st.st_mtim;
	}
	if (dir)
		closedir(dir);
	return found;
}

static int add_file(struct session *s, const char *path, struct buf *error)
{
	struct process_file *files = realloc(s->files, (s->files_len + 1) * sizeof(*files));
	struct process_file *file;
	struct reader r;
	int err;

	if (!files)
		return -ENOMEM;
	s->files = files;
	err = reader_open_head(&r, path, error);
	if (err)
		return err;
	file = &s->files[s->files_len];
	*file = (struct process_file){ .path = strdup(path),
				       .exe = reader_text(&r, r.header.exe, NULL),
				       .pid = r.header.pid,
				       .ppid = r.header.ppid,
				       .start_realtime_ns = r.header.start_realtime_ns,
				       .end_kind = r.header.end_kind,
				       .end_code = r.header.end_code };
	reader_release(&r);
	if (file->exe)
		memmove(file->exe, path_base(file->exe), strlen(path_base(file->exe)) + 1);
	if (!file->path || !file->exe) {
		free(file->path);
		free(file->exe);
		return -ENOMEM;
	}
	s->files_len++;
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct process_file *x = a, *y = b;

	if (x->start_realtime_ns != y->start_realtime_ns)
		return x->start_realtime_ns < y->start_realtime_ns ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* Descendants that can't be read are counted: a process may have died while it made its dump. */
static int add_descendants(struct session *s)
{
	struct buf name = { 0 }, error = { 0 };
	int err = 0;
	DIR *dir;

	buf_printf(&name, "%s.d", s->path);
	dir = opendir(buf_string(&name));
	for (struct dirent *d; dir && !err && (d = readdir(dir)) && s->files_len < FILES_MAX;) {
		if (!is_dump_name(d->d_name))
			continue;
		buf_clear(&name);
		buf_clear(&error);
		buf_printf(&name, "%s.d/%s", s->path, d->d_name);
		err = name.failed ? -ENOMEM : add_file(s, buf_string(&name), &error);
		if (err && err != -ENOMEM) {
			s->files_unreadable++;
			err = 0;
		}
	}
	if (dir)
		closedir(dir);
	if (s->files_len > 2)
		qsort(s->files + 1, s->files_len - 1, sizeof(*s->files), by_start);
	buf_release(&name);
	buf_release(&error);
	return err;
}

static int choose_process(struct session *s, const char *wanted)
{
	const char *names[64];
	size_t len = 0;

	if (!wanted)
		return 0;
	for (s->shown = 0; s->shown < s->files_len; s->shown++) {
		const struct process_file *file = &s->files[s->shown];
		char pid[16];

		snprintf(pid, sizeof(pid), "%" PRIu32, file->pid);
		if (!strcmp(wanted, pid) || !strcmp(wanted, file->exe))
			return 0;
		if (len < 64)
			names[len++] = file->exe;
	}
	if (nearest_word(wanted, names, len) >= 0)
		warn("%s: no process %s; did you mean %s?", s->path, wanted, names[nearest_word(wanted, names, len)]);
	else
		warn("%s: no process %s among %zu", s->path, wanted, s->files_len);
	return EXIT_USAGE;
}

/* What needs events can't be told from sums. */
static int refuse_import(const char *path, const struct import_format *format)
{
	warn("%s is %s, which has sums but no events. `ringside report`, `heap`, `cpu`, `block` and `diff` read it; "
	     "this "
	     "wants a recording (.rsd)",
	     path, format->words);
	return EXIT_USAGE;
}

/* *format: what FILE is if it is no recording; NULL: that is an error. */
static int find(struct session *s, const struct options *o, const struct import_format **format)
{
	const struct import_format *other = NULL;
	struct buf error = { 0 };
	int err;

	*s = (struct session){ .out = stdout };
	if (o->args_len > 1) {
		warn("one FILE at a time; %s is one too many", o->args[1]);
		return EXIT_USAGE;
	}
	s->path = o->args_len ? strdup(o->args[0]) : newest_file();
	if (!s->path) {
		warn("no ringside.*.rsd here; `ringside record PROGRAM` makes one");
		return EXIT_UNREADABLE;
	}
	err = add_file(s, s->path, &error);
	if (err)
		other = import_recognise(s->path);
	if (format)
		*format = other;
	if (other) {
		buf_release(&error);
		return format ? 0 : refuse_import(s->path, other);
	}
	err = err ? err : add_descendants(s);
	if (err)
		warn("%s", error.len ? buf_string(&error) : strerror(-err));
	buf_release(&error);
	return err ? EXIT_UNREADABLE : choose_process(s, o->process);
}

int session_find(struct session *s, const struct options *o)
{
	return find(s, o, NULL);
}

/* ---- imports -------------------------------------------------------------------------------------------------- */

static int open_import(struct session *s, const struct options *o, const struct import_format *format)
{
	static const enum option_id events[] = { OPT_thread, OPT_time, OPT_size, OPT_process, OPT_kind };
	struct buf error = { 0 };
	int err;

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (!o->given[events[i]])
			continue;
		warn("--%s wants the events of a recording; %s is %s, which has sums", option_infos[events[i]].name,
		     s->path, format->words);
		return EXIT_USAGE;
	}
	s->import = calloc(1, sizeof(*s->import));
	err = s->import ? import_open(s->import, format, s->path, s->stacks, &error) : -ENOMEM;
	if (err)
		warn("%s", error.len ? buf_string(&error) : strerror(-err));
	buf_release(&error);
	return err ? EXIT_UNREADABLE : 0;
}

/* ---- analyses ------------------------------------------------------------------------------------------------- */

/* The first that is analysed is the one that is shown. */
static int analyse(struct session *s, const struct options *o, const struct session_use *use, size_t file)
{
	struct analysis_watch watch = { .progress = show_progress };
	struct buf error = { 0 };
	int err;
	bool is_usage;

	if (use && !s->analyses_len)
		watch.opened = use->opened;
	err = (use && use->opens_only ? analysis_begin : analysis_open)(
		&s->analyses[s->analyses_len], s->files[file].path, s->stacks, &o->filter, &watch, &error);
	session_progress_end();
	if (!err)
		s->analyses_len++;
	else
		warn("%s", buf_string(&error));
	is_usage = !strncmp(buf_string(&error), "--", 2);
	buf_release(&error);
	return !err ? 0 : is_usage ? EXIT_USAGE : EXIT_UNREADABLE;
}

static int analyse_all(struct session *s, const struct options *o, const struct session_use *use)
{
	for (size_t i = 0; i < s->files_len; i++) {
		if (analyse(s, o, use, i)) {
			if (!i)
				return EXIT_UNREADABLE;
			s->files_unreadable++;
			continue;
		}
		if (s->analyses_len > 1 && analysis_merge(&s->analyses[0], &s->analyses[s->analyses_len - 1])) {
			warn("out of memory");
			return EXIT_UNREADABLE;
		}
	}
	return 0;
}

int session_open(struct session *s, const struct options *o, const struct session_use *use)
{
	struct symbol_options symbol_options = { .use_debuginfod = o->use_debuginfod,
						 .binaries = o->binaries,
						 .opens_ahead = use && use->names_heap && cores_to_spare() };
	const struct import_format *format = NULL;
	int status = find(s, o, use && use->takes_imports ? &format : NULL);

	if (status)
		return status;
	progress_start_ns = clock_mono_ns();
	s->is_guest = use && use->shares;
	s->symbols = s->is_guest ? use->shares->symbols : symbols_new(&symbol_options);
	s->stacks = s->is_guest ? use->shares->stacks : s->symbols ? stacks_new(s->symbols) : NULL;
	s->analyses = calloc(s->files_len ? s->files_len : 1, sizeof(*s->analyses));
	if (!s->stacks || !s->analyses) {
		warn("out of memory");
		return EXIT_UNREADABLE;
	}
	if (format)
		return open_import(s, o, format);
	return o->is_all ? analyse_all(s, o, use) : analyse(s, o, use, s->shown);
}

int session_close(struct session *s, int status)
{
	FILE *out = s->out ? s->out : stdout;
	bool has_failed = fflush(out) || ferror(out);

	if (s->has_pager) {
		pclose(out);
	} else if (has_failed) {
		warn("the output could not be written: %s", strerror(errno));
		status = status ? status : EXIT_FINDING;
	}
	if (s->import && s->import->format)
		import_release(s->import);
	free(s->import);
	for (size_t i = s->analyses_len; i-- > 0;)
		analysis_release(&s->analyses[i]);
	for (size_t i = 0; i < s->files_len; i++) {
		free(s->files[i].path);
		free(s->files[i].exe);
	}
	free(s->analyses);
	free(s->files);
	free(s->path);
	if (!s->is_guest) {
		stacks_free(s->stacks);
		symbols_free(s->symbols);
	}
	*s = (struct session){ 0 };
	return status;
}
