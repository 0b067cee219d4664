/* SPDX-License-Identifier: MIT */
/* path.c - names and safe creation of dump files. Raw system calls only. */
#include "preload/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "format/record.h"
#include "preload/config.h"
#include "preload/raw.h"
#include "preload/text.h"

#define SUFFIXES 1000

char path_dump[PATH_CAP], path_root[PATH_CAP], path_exe[PATH_CAP];
static uint64_t dump_dev, dump_ino;
static bool was_claimed;

static void read_exe(void)
{
	static const char deleted[] = " (deleted)";
	long n = raw4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path_exe, sizeof(path_exe) - 1);
	size_t len = n > 0 ? (size_t)n : 0;

	path_exe[len] = 0;
	if (len > sizeof(deleted) && text_same(path_exe + len - (sizeof(deleted) - 1), deleted))
		path_exe[len - (sizeof(deleted) - 1)] = 0;
}

static void put_host(struct text *t)
{
	char name[390]; /* struct utsname: six fields of 65 */

	if (raw1(SYS_uname, name) == 0)
		text_str(t, name + 65);
}

static void put_start_time(struct text *t)
{
	struct timespec now;

	raw2(SYS_clock_gettime, CLOCK_REALTIME, &now);
	text_u64(t, (uint64_t)now.tv_sec);
}

/* A path that fills its buffer may have lost its end: it would name another file. */
static bool is_cut(const struct text *path)
{
	return path->len + 1 >= path->cap;
}

/* The working directory with a slash behind; -errno when it was removed or lies outside of our root. */
static int put_directory(struct text *t)
{
	long n = raw2(SYS_getcwd, t->buf, t->cap);

	if (n > 0 && *t->buf == '/') {
		t->len = (size_t)n - 1;
		if (t->len > 1)
			text_str(t, "/");
		return 0;
	}
	*t = text_on(t->buf, t->cap);
	return n < 0 ? (int)n : -ENOENT;
}

/* The pattern with %e %p %h %t replaced, absolute. */
static int expand(struct text *t, const char *pattern)
{
	int err = *pattern != '/' ? put_directory(t) : 0;

	if (err)
		return err;
	for (; *pattern; pattern++) {
		if (*pattern != '%' || !pattern[1]) {
			text_bytes(t, pattern, 1);
			continue;
		}
		switch (*++pattern) {
		case 'e':
			text_str(t, *path_exe ? text_basename(path_exe) : "unknown");
			break;
		case 'p':
			text_u64(t, (uint64_t)raw1(SYS_getpid, 0));
			break;
		case 'h':
			put_host(t);
			break;
		case 't':
			put_start_time(t);
			break;
		default:
			text_bytes(t, pattern, 1);
		}
	}
	return 0;
}

/* The owner's rights are there whatever the umask says, or the file could not be cut to its size at the end. */
static int create(const struct text *path)
{
	int fd;

	if (is_cut(path))
		return -ENAMETOOLONG;
	fd = (int)raw4(SYS_openat, AT_FDCWD, path->buf, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		raw2(SYS_fchmod, fd, 0600);
	return fd;
}

/*
 * An empty file that is ours alone, as the launcher leaves one. -EEXIST when it is any other file; -EINVAL when it
 * is none: a dump in /dev/null is not to become a dump in /dev/null.d.
 */
static int claim(const char *path)
{
	struct stat st;
	int fd = (int)raw4(SYS_openat, AT_FDCWD, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	bool is_file;

	if (fd < 0)
		return fd;
	is_file = raw2(SYS_fstat, fd, &st) == 0 && S_ISREG(st.st_mode);
	/* Locked before the size that counts is read: two processes may find the file empty, one may have it. */
	if (is_file && raw2(SYS_flock, fd, LOCK_EX | LOCK_NB) == 0 && raw2(SYS_fstat, fd, &st) == 0 &&
	    st.st_uid == (uid_t)raw1(SYS_geteuid, 0) && st.st_nlink == 1 && st.st_size == 0)
		return fd;
	raw1(SYS_close, fd);
	return is_file ? -EEXIST : -EINVAL;
}

/* create, and if the name is taken NAME.1, NAME.2, ... */
static int create_with_suffix(struct text *path)
{
	size_t len = path->len;
	int fd = create(path);

	for (unsigned i = 1; fd == -EEXIST && i < SUFFIXES; i++) {
		path->len = len;
		text_str(path, ".");
		text_u64(path, i);
		fd = create(path);
	}
	return fd;
}

static int open_directory(const char *path)
{
	return (int)raw4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
}

/* FILE.d must be a directory of ours that nobody else may write. */
static int make_directory(const char *path)
{
	bool is_new = raw3(SYS_mkdirat, AT_FDCWD, path, 0700) == 0;
	struct stat st;
	int fd = open_directory(path), ret = 0;

	/* The umask may have taken the owner's rights. */
	if (is_new && fd == -EACCES && raw3(SYS_fchmodat, AT_FDCWD, path, 0700) == 0)
		fd = open_directory(path);
	if (fd < 0)
		return fd;
	if (is_new)
		raw2(SYS_fchmod, fd, 0700);
	if (raw2(SYS_fstat, fd, &st) != 0 || st.st_uid != (uid_t)raw1(SYS_geteuid, 0) || st.st_mode & 022)
		ret = -EPERM;
	raw1(SYS_close, fd);
	return ret;
}

/* The toggle children, for this program. */
static bool is_wanted(void)
{
	if (config.children == CHILDREN_MATCH)
		return text_match(config.children_match, text_basename(path_exe));
	return config.children == CHILDREN_ON;
}

static int open_descendant(void)
{
	struct text path = text_on(path_dump, PATH_CAP);
	int err;

	if (!is_wanted())
		return -ECHILD;

	text_str(&path, path_root);
	text_str(&path, ".d");
	if (is_cut(&path))
		return -ENAMETOOLONG;
	err = make_directory(path_dump);
	if (err)
		return err;
	text_str(&path, "/");
	text_str(&path, *path_exe ? text_basename(path_exe) : "unknown");
	text_str(&path, ".");
	text_u64(&path, (uint64_t)raw1(SYS_getpid, 0));
	text_str(&path, ".rsd");
	return create_with_suffix(&path);
}

static bool pattern_names_process(const char *pattern)
{
	for (; *pattern; pattern++)
		if (*pattern == '%' && pattern[1] && *++pattern == 'p')
			return true;
	return false;
}

static int open_first(void)
{
	struct text path = text_on(path_dump, PATH_CAP);
	struct text root = text_on(path_root, PATH_CAP);
	int fd = expand(&path, config.out);

	if (fd < 0)
		return fd;
	text_str(&root, path_dump);
	fd = create(&path);
	if (fd == -EEXIST) {
		fd = claim(path_dump);
		was_claimed = fd >= 0;
	}
	if (fd != -EEXIST)
		return fd;
	if (!pattern_names_process(config.out))
		return open_descendant();
	path.len = root.len;
	fd = create_with_suffix(&path);
	root = text_on(path_root, PATH_CAP);
	text_str(&root, path_dump);
	return fd;
}

int path_open(bool is_child)
{
	struct stat st;
	int fd;

	was_claimed = false;
	read_exe();
	fd = is_child ? open_descendant() : open_first();
	if (fd >= 0 && raw2(SYS_fstat, fd, &st) == 0) {
		dump_dev = st.st_dev;
		dump_ino = st.st_ino;
	}
	return fd;
}

void path_abandon(int fd)
{
	if (was_claimed)
		raw2(SYS_ftruncate, fd, 0);
	else
		raw3(SYS_unlinkat, AT_FDCWD, path_dump, 0);
}

bool path_is_descendant(void)
{
	return !text_same(path_dump, path_root);
}

int path_reopen(void)
{
	struct stat st;
	int fd = (int)raw4(SYS_openat, AT_FDCWD, path_dump, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0);

	if (fd < 0)
		return fd;
	if (raw2(SYS_fstat, fd, &st) == 0 && st.st_dev == dump_dev && st.st_ino == dump_ino)
		return fd;
	raw1(SYS_close, fd);
	return -ESTALE;
}

int path_open_root(void)
{
	struct stat st;
	int fd = (int)raw4(SYS_openat, AT_FDCWD, path_root, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);

	if (fd < 0)
		return fd;
	if (raw2(SYS_fstat, fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == (uid_t)raw1(SYS_geteuid, 0) &&
	    st.st_size >= RSD_TEXT_OFFSET)
		return fd;
	raw1(SYS_close, fd);
	return -EPERM;
}
