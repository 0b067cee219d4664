/* SPDX-License-Identifier: MIT */
/* launch_finish.c - the dumps of a recording after its first process has ended. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analyzer/read/clock.h"
#include "analyzer/launch/launch.h"
#include "analyzer/launch/launch_exec.h"
#include "analyzer/read/pack.h"
#include "analyzer/read/reader.h"

static uint64_t timeval_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

#define STORE(fd, field, value)                                                                                        \
	do {                                                                                                           \
		__typeof__(((struct rsd_header *)0)->field) stored = (value);                                          \
		if (pwrite(fd, &stored, sizeof(stored), offsetof(struct rsd_header, field)) < 0)                       \
			return -errno;                                                                                 \
	} while (0)

/* The wait status is the last word, except over exec: there the process went on under another name. */
static int store_end(int fd, const struct launch *l, const struct rsd_header *h)
{
	if (h->end_kind == RSD_END_EXEC)
		return 0;
	if (WIFSIGNALED(l->status)) {
		STORE(fd, end_code, WTERMSIG(l->status));
		STORE(fd, end_kind, RSD_END_SIGNAL);
	} else {
		STORE(fd, end_code, WEXITSTATUS(l->status));
		STORE(fd, end_kind, RSD_END_EXIT);
	}
	if (!h->end.tick) {
		struct rsd_clock now = { clock_now_tick(h), clock_mono_ns() };

		if (now.tick)
			STORE(fd, end, now);
	}
	return 0;
}

/*
 * The kernel's sum knows the work of exec and exit that the process can't measure itself. It holds descendants that
 * were waited for: they are taken out where the process told their share at its exit, else it is only taken where there
 * are none.
 */
static int store_usage(int fd, const struct launch *l, const struct rsd_header *h, bool is_alone)
{
	uint64_t user_ns = timeval_ns(l->usage.ru_utime), system_ns = timeval_ns(l->usage.ru_stime);

	if (h->end_kind == RSD_END_EXEC || (!is_alone && !h->cpu_ns))
		return 0;
	if (user_ns + system_ns > h->cpu_ns + h->children_cpu_ns)
		STORE(fd, cpu_ns, user_ns + system_ns - h->children_cpu_ns);
	if (!h->cpu_ns) {
		STORE(fd, user_ns, user_ns);
		STORE(fd, system_ns, system_ns);
	}
	if (!h->max_rss_bytes)
		STORE(fd, max_rss_bytes, (uint64_t)l->usage.ru_maxrss * 1024);
	return 0;
}

static void count_slots(const struct reader *r, const struct extent *ext, struct launch_result *result)
{
	struct rsd_thread slots[RSD_THREADS_PER_UNIT];
	size_t size = ext->size < sizeof(slots) ? (size_t)ext->size : sizeof(slots);

	if (reader_read(r, ext->offset, slots, size))
		return;
	for (size_t i = 0; i < size / sizeof(slots[0]); i++) {
		result->events += slots[i].events;
		result->samples += slots[i].samples;
	}
}

/* What the slots of threads say, without reading any event. */
static void count_events(const struct reader *r, struct launch_result *result)
{
	for (size_t i = 0; i < r->extents_len; i++) {
		const struct extent *ext = &r->extents[i];

		if (ext->kind == RSD_EXTENT_THREADS)
			count_slots(r, ext, result);
	}
}

static void count_lost(const struct rsd_header *h, struct launch_result *result)
{
	static const enum rsd_counter lost[] = { COUNT_LOST_FULL, COUNT_LOST_NESTED, COUNT_LOST_NO_THREAD,
						 COUNT_SAMPLES_LOST };

	for (unsigned i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
		result->lost += h->counter[lost[i]];
}

static void cut(int fd, const struct reader *r)
{
	struct stat st;

	if (!fstat(fd, &st) && (uint64_t)st.st_size > r->units * RSD_UNIT)
		(void)!ftruncate(fd, (off_t)(r->units * RSD_UNIT));
}

/* One dump. Returns whether it is one. */
static bool finish_dump(const struct launch *l, const char *path, bool is_alone, struct launch_result *result)
{
	struct buf error = { 0 };
	struct reader r;
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	bool is_live, is_dump = fd >= 0 && !reader_open(&r, path, &error);

	buf_release(&error);
	if (is_dump) {
		is_live = r.header.pid != (uint32_t)l->pid && reader_is_live(&r);
		if (r.header.pid == (uint32_t)l->pid &&
		    (store_end(fd, l, &r.header) || store_usage(fd, l, &r.header, is_alone)))
			result->lost++;
		if (is_live)
			result->running++;
		else
			cut(fd, &r);
		result->bytes += r.units * RSD_UNIT;
		count_events(&r, result);
		count_lost(&r.header, result);
		reader_release(&r);
	}
	if (fd >= 0)
		close(fd);
	return is_dump;
}

DIR *launch_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	DIR *dir = fd >= 0 && !fstat(fd, &st) && st.st_uid == geteuid() ? fdopendir(fd) : NULL;

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

static size_t count_descendants(const char *directory)
{
	DIR *dir = launch_directory(directory);
	size_t count = 0;

	for (struct dirent *d; dir && (d = readdir(dir));)
		count += d->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return count;
}

static void finish_descendants(const struct launch *l, const char *directory, struct launch_result *result)
{
	DIR *dir = launch_directory(directory);

	for (struct dirent *d; dir && (d = readdir(dir));) {
		struct buf path = { 0 };
		struct stat st;

		buf_printf(&path, "%s/%s", directory, d->d_name);
		if (d->d_name[0] != '.' && !lstat(buf_string(&path), &st) && S_ISREG(st.st_mode)) {
			if (finish_dump(l, buf_string(&path), false, result))
				result->descendants++;
			else if (!st.st_size)
				unlinkat(dirfd(dir), d->d_name, 0);
		}
		buf_release(&path);
	}
	if (dir) {
		closedir(dir);
		rmdir(directory);
	}
}

void launch_finish(const struct launch *l, struct launch_result *result)
{
	const char *file = buf_string(&l->file);
	struct buf directory = { 0 };
	struct stat st;

	*result = (struct launch_result){ 0 };
	buf_printf(&directory, "%s.d", file);
	launch_mark_execs(file, buf_string(&directory));
	result->has_file = finish_dump(l, file, !count_descendants(buf_string(&directory)), result);
	finish_descendants(l, buf_string(&directory), result);
	if (!result->has_file && !lstat(file, &st) && S_ISREG(st.st_mode) && !st.st_size)
		unlink(file);
	buf_release(&directory);
}

/* ---- compressing ---------------------------------------------------------------------------------------------- */

struct compressing {
	struct launch_result *result;
	struct buf *error;
};

static int compress_one(void *self, const char *path, const char *name)
{
	struct compressing *c = self;
	struct pack_result packed;
	struct buf error = { 0 };
	int err = pack_file(path, path, false, &packed, &error);

	(void)name;
	if (!err) {
		c->result->raw_bytes += packed.before;
		c->result->bytes -= packed.before - packed.after;
	} else if (err == -EBUSY || packed.is_unreadable) {
		err = 0; /* still recorded, or a process that died while it made its dump */
	} else {
		buf_add_string(c->error, buf_string(&error));
	}
	buf_release(&error);
	return err;
}

int launch_compress(const struct launch *l, struct launch_result *result, struct buf *error)
{
	struct compressing c = { result, error };
	int err = 0;

	signal(SIGINT, SIG_DFL); /* no longer the program's: what is not compressed then stays as it is */
	if (result->has_file)
		err = compress_one(&c, buf_string(&l->file), NULL);
	return err ? err : pack_descendants(buf_string(&l->file), compress_one, &c);
}
