/* SPDX-License-Identifier: MIT */
/* cmd_record.c - look at the program, run it recorded, say what was written. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analyzer/commands/inspect.h"
#include "analyzer/commands/options.h"
#include "analyzer/launch/launch.h"
#include "analyzer/show/render.h"
#include "analyzer/util/die.h"

/* FILE as short as it can be typed here, quoted when a shell would take it apart. */
static void put_file(struct buf *out, const char *file)
{
	char *cwd = getcwd(NULL, 0);
	size_t len = cwd ? strlen(cwd) : 0;

	if (len && !strncmp(file, cwd, len) && file[len] == '/')
		file += len + 1;
	free(cwd);
	if (!file[strspn(file, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./+:@%-")]) {
		buf_add_string(out, file);
		return;
	}
	buf_add_char(out, '\'');
	for (; *file; file++)
		*file == '\'' ? buf_add_string(out, "'\\''") : buf_add_char(out, *file);
	buf_add_char(out, '\'');
}

static char *directory_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? strndup(file, (size_t)(slash - file) + 1) : strdup(".");
}

/* The file itself is safe from others; its name is only as safe as the directory. */
static void warn_of_directory(const char *file)
{
	char *directory = directory_of(file);
	struct stat st;

	if (directory && !stat(directory, &st) &&
	    (((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX)) || (st.st_uid && st.st_uid != geteuid())))
		warn("%s: others can write to this directory: they can remove the recording or put another one in its "
		     "place",
		     directory);
	free(directory);
}

/* Less than a first extent of each kind takes. */
static bool is_disk_full(const char *file)
{
	struct statvfs fs;
	char *directory = directory_of(file);
	bool is_full = directory && !statvfs(directory, &fs) && fs.f_bavail * fs.f_frsize < 1 << 20;

	free(directory);
	return is_full;
}

static void summarize(const struct launch *l, const struct launch_result *r)
{
	char events[RENDER_NUMBER_MAX], samples[RENDER_NUMBER_MAX], lost[RENDER_NUMBER_MAX], bytes[RENDER_NUMBER_MAX];
	char raw[RENDER_NUMBER_MAX];
	struct buf file = { 0 }, more = { 0 }, size = { 0 };

	if (!r->has_file && !r->descendants) {
		if (is_disk_full(buf_string(&l->file)))
			warn("nothing was recorded: no space left for %s", buf_string(&l->file));
		else
			warn("nothing was recorded: %s never loaded the library", l->program);
		return;
	}
	warn_of_directory(buf_string(&l->file));
	put_file(&file, buf_string(&l->file));
	if (r->descendants)
		buf_printf(&more, " and %zu descendants%s", r->descendants, r->running ? ", some still running" : "");
	if (r->raw_bytes)
		buf_printf(&size, ", compressed from %s", render_bytes(raw, (int64_t)r->raw_bytes));
	warn("%s events, %s samples, %s%s in %s (%s%s)%s; see: ringside report %s",
	     render_count(events, (int64_t)r->events), render_count(samples, (int64_t)r->samples),
	     r->lost ? render_count(lost, (int64_t)r->lost) : "nothing", " lost", buf_string(&file),
	     render_bytes(bytes, (int64_t)r->bytes), buf_string(&size), buf_string(&more), buf_string(&file));
	buf_release(&file);
	buf_release(&more);
	buf_release(&size);
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? EXIT_SIGNAL_BASE + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run(struct launch *l)
{
	struct launch_result result;
	struct buf error = { 0 };
	int code = launch_run(l, &error);

	if (code) {
		warn("%s", buf_string(&error));
	} else if (l->is_unrecorded) {
		warn("nothing was recorded: %s", buf_string(&error));
		code = exit_status(l->status);
	} else {
		launch_finish(l, &result);
		if (l->compress && launch_compress(l, &result, &error))
			warn("not compressed: %s", buf_string(&error));
		/* Symbol slices for reading the dump on another machine are to be appended here. */
		summarize(l, &result);
		code = exit_status(l->status);
	}
	buf_release(&error);
	return code;
}

int cmd_record(struct options *o)
{
	struct launch l = { .output = o->output, .toggles = o->toggles, .compress = o->compress };
	struct buf library = { 0 }, error = { 0 };
	int code;

	if (!o->args_len) {
		warn("record: no PROGRAM; for example `ringside record ./program arg`");
		return EXIT_USAGE;
	}
	l.program = o->args[0];
	l.argv = o->args;
	code = program_inspect(l.program);
	if (!code && launch_library(&library, &error)) {
		warn("%s", buf_string(&error));
		code = EXIT_OWN_FAILURE;
	}
	l.library = buf_string(&library);
	code = code ? code : run(&l);
	launch_release(&l);
	buf_release(&library);
	buf_release(&error);
	return code;
}
