/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/launch/launch.h"
#include "analyzer/launch/launch_ahead.h"
#include "analyzer/symbols/modules.h"
#include "analyzer/commands/session.h"
#include "analyzer/util/die.h"

#define SUFFIXES_MAX 1000u
#define DEFAULT_OUT "ringside.%e.%p.rsd"
/* The recorder keeps the out toggle in this much room, NUL included. */
#define OUT_MAX 512u

int launch_library(struct buf *path, struct buf *error)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n < 0) {
		buf_printf(error, "/proc/self/exe: %s", strerror(errno));
		return -errno;
	}
	self[n] = 0;
	slash = strrchr(self, '/');
	slash[0] = 0;
	slash = strrchr(self, '/');
	if (slash)
		slash[0] = 0;
	buf_printf(path, "%s/lib/ringside/libringside.so", self);
	if (access(buf_string(path), R_OK)) {
		buf_printf(error, "%s: %s", buf_string(path), strerror(errno));
		return -ENOENT;
	}
	if (strpbrk(buf_string(path), " :\t\n")) {
		buf_printf(error, "%s: the loader splits LD_PRELOAD at spaces and colons; install ringside elsewhere",
			   buf_string(path));
		return -EINVAL;
	}
	return 0;
}

/* ---- in the child: the name and the file ---------------------------------------------------------------------- */

/* The value of the last out= in a list of toggles, or NULL; the caller frees. */
static char *toggle_out(const char *toggles)
{
	char *found = NULL;

	for (; toggles && *toggles; toggles += strcspn(toggles, ","), toggles += *toggles == ',')
		if (!strncmp(toggles, "out=", 4)) {
			free(found);
			found = strndup(toggles + 4, strcspn(toggles + 4, ","));
		}
	return found;
}

static void expand(struct buf *out, const char *pattern, const char *program)
{
	char host[256] = "";

	if (*pattern != '/') {
		char *cwd = getcwd(NULL, 0);

		buf_printf(out, "%s/", cwd ? cwd : ".");
		free(cwd);
	}
	for (; *pattern; pattern++) {
		if (*pattern != '%' || !pattern[1]) {
			buf_add_char(out, *pattern);
			continue;
		}
		switch (*++pattern) {
		case 'e':
			buf_add_string(out, path_base(program));
			break;
		case 'p':
			buf_printf(out, "%d", (int)getpid());
			break;
		case 'h':
			gethostname(host, sizeof(host) - 1);
			buf_add_string(out, host);
			break;
		case 't':
			buf_printf(out, "%lld", (long long)time(NULL));
			break;
		default:
			buf_add_char(out, *pattern);
		}
	}
}

static int create_private(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	(void)!fchmod(fd, 0600); /* whatever the umask takes away */
	close(fd);
	return 0;
}

/* Only what replacing FILE means: the dumps of the recording it held. Anything else in there stays. */
static void remove_descendants(const char *file)
{
	struct buf path = { 0 };
	DIR *dir;

	buf_printf(&path, "%s.d", file);
	dir = launch_directory(buf_string(&path));
	for (struct dirent *d; dir && (d = readdir(dir));)
		if (is_dump_name(d->d_name))
			unlinkat(dirfd(dir), d->d_name, 0);
	if (dir) {
		closedir(dir);
		rmdir(buf_string(&path));
	}
	buf_release(&path);
}

/* Where a link of the user's own leads. Somebody else's is not followed: it may lead to any file of the user's. */
static int follow_link(struct buf *file)
{
	int fd = open(buf_string(file), O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct buf target = { 0 };
	char text[PATH_MAX], *real = NULL;
	struct stat st;
	ssize_t n = -1;

	if (fd < 0 || fstat(fd, &st) || !S_ISLNK(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		return fd < 0 ? -errno : 0;
	}
	if (st.st_uid == geteuid())
		n = readlinkat(fd, "", text, sizeof(text));
	close(fd);
	if (n > 0 && text[0] != '/')
		buf_add(&target, file->data, (size_t)(strrchr(buf_string(file), '/') + 1 - file->data));
	if (n > 0 && (size_t)n < sizeof(text) && !buf_add(&target, text, (size_t)n))
		real = realpath(buf_string(&target), NULL);
	buf_release(&target);
	if (!real)
		return -EINVAL;
	buf_clear(file);
	buf_add_string(file, real);
	free(real);
	return 0;
}

/* -o FILE: what is there is replaced in one step, and only if it is an ordinary file. */
static int replace_file(struct buf *file)
{
	struct buf temporary = { 0 };
	struct stat st;
	int err = follow_link(file);

	if (err && err != -ENOENT)
		return err;
	if (!lstat(buf_string(file), &st) && !S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	buf_printf(&temporary, "%s.%d.tmp", buf_string(file), (int)getpid());
	err = create_private(buf_string(&temporary));
	if (!err && rename(buf_string(&temporary), buf_string(file))) {
		err = -errno;
		unlink(buf_string(&temporary));
	}
	if (!err)
		remove_descendants(buf_string(file));
	buf_release(&temporary);
	return err;
}

/* A default name that is taken gets a suffix: nothing is ever overwritten without being asked for. */
static int create_new(struct buf *file)
{
	size_t len = file->len;
	int err = create_private(buf_string(file));

	for (unsigned i = 1; err == -EEXIST && i < SUFFIXES_MAX; i++) {
		file->len = len;
		buf_printf(file, ".%u", i);
		err = create_private(buf_string(file));
	}
	return err;
}

static int make_file(const struct launch *l, struct buf *file)
{
	char *from_env = toggle_out(getenv("RINGSIDE")), *from_toggles = toggle_out(l->toggles);
	const char *pattern = l->output ? l->output : from_toggles ? from_toggles : from_env ? from_env : DEFAULT_OUT;
	int err;

	expand(file, pattern, l->program);
	err = file->failed ? -ENOMEM : l->output ? replace_file(file) : create_new(file);
	free(from_env);
	free(from_toggles);
	if (!err && (file->len >= OUT_MAX || strchr(buf_string(file), ','))) {
		unlink(buf_string(file));
		err = strchr(buf_string(file), ',') ? -EINVAL : -ENAMETOOLONG;
	}
	return err;
}

/* What refuses to run behind another library. */
static bool wants_to_be_first(const char *preload)
{
	return strstr(preload, "libasan") || strstr(preload, "libtsan") || strstr(preload, "libclang_rt");
}

/* Before what the user preloads: an allocator behind us is the one we record, one before us would never get here. */
static void add_preload(struct buf *value, const char *library, const char *preload)
{
	if (!preload || !*preload)
		buf_add_string(value, library);
	else if (wants_to_be_first(preload))
		buf_printf(value, "%s:%s", preload, library);
	else
		buf_printf(value, "%s:%s", library, preload);
}

static int set_environment(const struct launch *l, const struct buf *file)
{
	const char *toggles = getenv("RINGSIDE");
	struct buf value = { 0 };
	int err;

	add_preload(&value, l->library, getenv("LD_PRELOAD"));
	err = setenv("LD_PRELOAD", buf_string(&value), 1);
	buf_clear(&value);
	buf_printf(&value, "%s%s%s%sout=", toggles ? toggles : "", toggles && *toggles ? "," : "",
		   l->toggles ? l->toggles : "", l->toggles && *l->toggles ? "," : "");
	for (const char *c = buf_string(file); *c; c++) {
		if (*c == '%')
			buf_add_char(&value, '%');
		buf_add_char(&value, *c);
	}
	err = value.failed || setenv("RINGSIDE", buf_string(&value), 1) ? -ENOMEM : err;
	buf_release(&value);
	return err;
}

/* What the child tells its parent: the path of FILE, then perhaps why there will be no program. */
struct message {
	char stage; /* 'F' FILE is made, 'M' it could not be, 'X' exec failed */
	int err;
	uint32_t len;
};

static void tell(int fd, char stage, int err, const struct buf *text)
{
	struct message m = { .stage = stage, .err = err, .len = (uint32_t)text->len };
	struct buf all = { 0 };

	buf_add(&all, &m, sizeof(m));
	buf_add(&all, text->data, text->len);
	if (write(fd, all.data, all.len) < 0)
		_exit(EXIT_OWN_FAILURE);
	buf_release(&all);
}

/* A name that is no place for a recording is told before anything runs; a full disk must not keep a program from it. */
static bool is_wrong_place(int err)
{
	return err == EINVAL || err == EISDIR;
}

__attribute__((noreturn)) static void run_child(const struct launch *l, int fd, const sigset_t *mask)
{
	struct buf file = { 0 };
	int err = make_file(l, &file), saved;

	tell(fd, err ? 'M' : 'F', -err, &file);
	if (is_wrong_place(-err) || (!err && set_environment(l, &file)))
		_exit(EXIT_OWN_FAILURE);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(l->program, l->argv);
	saved = errno;
	if (!err)
		unlink(buf_string(&file));
	tell(fd, 'X', saved, &file);
	_exit(EXIT_OWN_FAILURE);
}

/* ---- in the parent -------------------------------------------------------------------------------------------- */

static volatile pid_t child_pid;

static void pass_on(int sig)
{
	int saved = errno;

	if (child_pid > 0)
		kill(child_pid, sig);
	errno = saved;
}

static void set_signals(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN },
			 forward = { .sa_handler = pass_on, .sa_flags = SA_RESTART };

	sigaction(SIGINT, &ignore, NULL);
	sigaction(SIGQUIT, &ignore, NULL);
	sigaction(SIGTERM, &forward, NULL);
	sigaction(SIGHUP, &forward, NULL);
}

static bool read_full(int fd, void *out, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = read(fd, (char *)out + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* Until exec closes the pipe. */
static int listen_to_child(struct launch *l, int fd, struct buf *error)
{
	struct message m;
	int code = 0;

	while (read_full(fd, &m, sizeof(m)) && m.len < 2 * PATH_MAX) {
		char text[2 * PATH_MAX];

		if (!read_full(fd, text, m.len))
			break;
		buf_clear(&l->file);
		buf_add(&l->file, text, m.len);
		if (m.stage == 'M') {
			buf_printf(error, "%s: %s", buf_string(&l->file),
				   is_wrong_place(m.err) ? "not a place for a recording" : strerror(m.err));
			code = is_wrong_place(m.err) ? EXIT_OWN_FAILURE : 0;
			l->is_unrecorded = true;
		} else if (m.stage == 'X') {
			buf_printf(error, "%s: %s", l->program, strerror(m.err));
			code = m.err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
		}
	}
	return code;
}

static void wait_for(struct launch *l)
{
	while (wait4(l->pid, &l->status, 0, &l->usage) < 0 && errno == EINTR)
		;
	child_pid = 0;
}

int launch_run(struct launch *l, struct buf *error)
{
	int pipe_fds[2], code;
	sigset_t all, mask;
	struct launch_ahead ahead;

	if (pipe2(pipe_fds, O_CLOEXEC)) {
		buf_printf(error, "pipe: %s", strerror(errno));
		return EXIT_OWN_FAILURE;
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	l->pid = fork();
	if (!l->pid)
		run_child(l, pipe_fds[1], &mask);
	child_pid = l->pid;
	if (l->pid > 0)
		set_signals();
	sigprocmask(SIG_SETMASK, &mask, NULL);
	close(pipe_fds[1]);
	if (l->pid < 0) {
		buf_printf(error, "fork: %s", strerror(errno));
		close(pipe_fds[0]);
		return EXIT_OWN_FAILURE;
	}
	code = listen_to_child(l, pipe_fds[0], error);
	close(pipe_fds[0]);
	launch_ahead_begin(&ahead, buf_string(&l->file));
	wait_for(l);
	launch_ahead_end(&ahead);
	return code;
}

void launch_release(struct launch *l)
{
	buf_release(&l->file);
}
