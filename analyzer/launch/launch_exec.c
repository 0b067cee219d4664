/* SPDX-License-Identifier: MIT */
/* launch_exec.c - see launch_exec.h. Only headers are read. */
#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/launch/launch.h"
#include "analyzer/launch/launch_exec.h"
#include "analyzer/util/buf.h"
#include "format/record.h"

struct image {
	struct buf path;
	uint32_t pid, end_kind;
	struct rsd_clock start;
};

struct images {
	struct image *list;
	size_t len, cap;
};

static int open_dump(const char *path, int flags)
{
	return open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
}

static void add_image(struct images *images, const char *path)
{
	struct rsd_header h;
	int fd = open_dump(path, O_RDONLY);
	bool is_dump = fd >= 0 && pread(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) &&
		       !memcmp(h.magic, RSD_MAGIC, sizeof(h.magic)) && h.version >= RSD_VERSION_OLDEST && h.version <= RSD_VERSION;
	struct image *list = images->list;

	if (fd >= 0)
		close(fd);
	if (!is_dump)
		return;
	if (images->len == images->cap) {
		images->cap = images->cap ? 2 * images->cap : 64;
		list = realloc(images->list, images->cap * sizeof(*list));
		if (!list) {
			images->cap = images->len;
			return;
		}
		images->list = list;
	}
	list[images->len] = (struct image){ .pid = h.pid, .end_kind = h.end_kind, .start = h.start };
	buf_add_string(&list[images->len++].path, path);
}

static int by_pid_and_start(const void *a, const void *b)
{
	const struct image *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->start.mono_ns < y->start.mono_ns ? -1 : x->start.mono_ns > y->start.mono_ns;
}

static void mark(const struct image *image, const struct image *next)
{
	uint32_t kind = RSD_END_EXEC;
	int fd = open_dump(buf_string(&image->path), O_WRONLY);

	if (fd < 0)
		return;
	if (pwrite(fd, &next->start, sizeof(next->start), offsetof(struct rsd_header, end)) == sizeof(next->start))
		(void)!pwrite(fd, &kind, sizeof(kind), offsetof(struct rsd_header, end_kind));
	close(fd);
}

void launch_mark_execs(const char *file, const char *directory)
{
	struct images images = { 0 };
	DIR *dir = launch_directory(directory);

	add_image(&images, file);
	for (struct dirent *d; dir && (d = readdir(dir));) {
		struct buf path = { 0 };

		buf_printf(&path, "%s/%s", directory, d->d_name);
		add_image(&images, buf_string(&path));
		buf_release(&path);
	}
	if (dir)
		closedir(dir);
	if (images.len)
		qsort(images.list, images.len, sizeof(*images.list), by_pid_and_start);
	for (size_t i = 0; i + 1 < images.len; i++)
		if (images.list[i].pid == images.list[i + 1].pid && images.list[i].end_kind == RSD_END_NONE)
			mark(&images.list[i], &images.list[i + 1]);
	for (size_t i = 0; i < images.len; i++)
		buf_release(&images.list[i].path);
	free(images.list);
}
