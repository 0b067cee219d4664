/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/symbols/source.h"
#include "analyzer/util/buf.h"

/* The next element of a ':' list: its length; *at moves behind it. False at the end. */
static bool next_element(const char **at, const char **element, size_t *len)
{
	if (!*at || !**at)
		return false;
	*element = *at;
	*len = strcspn(*at, ":");
	*at += *len + ((*at)[*len] == ':');
	return true;
}

const char *source_shown(const char *recorded, const struct source_options *options)
{
	const char *at = options->trim_path, *prefix;
	size_t len;

	while (next_element(&at, &prefix, &len)) {
		while (len && prefix[len - 1] == '/')
			len--;
		if (len && !strncmp(recorded, prefix, len) && recorded[len] == '/')
			return recorded + len + 1;
	}
	return recorded;
}

static int read_all(int fd, size_t size, char **text)
{
	size_t done = 0;
	ssize_t got = 1;

	*text = malloc(size + 1);
	if (!*text)
		return -ENOMEM;
	while (done < size && (got = read(fd, *text + done, size - done)) > 0)
		done += (size_t)got;
	(*text)[done] = '\0';
	return got < 0 ? -errno : (int)done;
}

/* Cut the text into lines in place. */
static int split_lines(struct source_file *f, size_t size)
{
	size_t count = 1, len = 0;
	char *at = f->text, *end = f->text + size;

	for (size_t i = 0; i < size; i++)
		count += f->text[i] == '\n';
	f->lines = malloc(count * sizeof(*f->lines));
	if (!f->lines)
		return -ENOMEM;
	while (at < end) {
		char *newline = memchr(at, '\n', (size_t)(end - at));

		f->lines[len++] = at;
		if (!newline)
			break;
		*newline = '\0';
		if (newline > at && newline[-1] == '\r')
			newline[-1] = '\0';
		at = newline + 1;
	}
	f->len = len;
	return 0;
}

static int try_open(struct source_file *f, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), ret;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		ret = -errno;
	else if (!S_ISREG(st.st_mode))
		ret = -ENOENT;
	else if (st.st_size > (off_t)SOURCE_SIZE_MAX)
		ret = -EFBIG;
	else
		ret = read_all(fd, (size_t)st.st_size, &f->text);
	close(fd);
	if (ret >= 0)
		ret = split_lines(f, (size_t)ret);
	if (!ret) {
		f->path = strdup(path);
		ret = f->path ? 0 : -ENOMEM;
	}
	if (ret)
		source_release(f);
	return ret;
}

/* Look for `shown` below one directory, then without its first directory, and so on. */
static int try_below(struct source_file *f, const char *dir, size_t dir_len, const char *shown)
{
	struct buf path = { 0 };
	int ret = -ENOENT;

	while (shown && ret == -ENOENT) {
		shown += strspn(shown, "/");
		buf_clear(&path);
		buf_printf(&path, "%.*s/%s", (int)dir_len, dir, shown);
		ret = path.failed ? -ENOMEM : try_open(f, path.data);
		if (ret == -ENOTDIR)
			ret = -ENOENT;
		shown = strchr(shown, '/');
	}
	buf_release(&path);
	return ret;
}

int source_open(struct source_file *f, const char *recorded, const struct source_options *options)
{
	const char *at = options->source_path, *dir;
	size_t len;
	int ret;

	memset(f, 0, sizeof(*f));
	ret = recorded[0] == '/' ? try_open(f, recorded) : -ENOENT;
	while (ret && next_element(&at, &dir, &len)) {
		int below = try_below(f, dir, len, source_shown(recorded, options));

		if (!below || ret == -ENOENT)
			ret = below;
	}
	return ret;
}

void source_release(struct source_file *f)
{
	free(f->path);
	free(f->text);
	free(f->lines);
	memset(f, 0, sizeof(*f));
}
