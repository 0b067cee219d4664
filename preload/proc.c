/* SPDX-License-Identifier: MIT */
/* proc.c - see proc.h. Fields of stat are counted after the last ')', because the name may hold anything. */
#include "preload/proc.h"

#include <fcntl.h>

#include "preload/raw.h"
#include "preload/text.h"

long proc_read(const char *path, char *buf, size_t size)
{
	long fd = raw4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0), n;

	if (fd < 0)
		return fd;
	n = raw3(SYS_read, fd, buf, size);
	raw1(SYS_close, fd);
	return n;
}

static uint64_t number_at(const char *buf, long n, long at)
{
	uint64_t value = 0;

	for (; at < n && buf[at] >= '0' && buf[at] <= '9'; at++)
		value = value * 10 + (uint64_t)(buf[at] - '0');
	return value;
}

/* statm: size, resident, shared, ... in pages. */
bool proc_memory(uint64_t *rss_bytes, uint64_t *file_bytes)
{
	char buf[128];
	long n = proc_read("/proc/self/statm", buf, sizeof(buf)), at = 0;

	while (at < n && buf[at] != ' ')
		at++;
	*rss_bytes = number_at(buf, n, ++at) * 4096;
	while (at < n && buf[at] != ' ')
		at++;
	*file_bytes = number_at(buf, n, at + 1) * 4096;
	return *rss_bytes != 0;
}

uint64_t proc_rss_bytes(void)
{
	uint64_t rss_bytes, file_bytes;

	proc_memory(&rss_bytes, &file_bytes);
	return rss_bytes;
}

/* Where field 3 of a stat line begins, 0 when it is cut. */
static long after_name(const char *buf, long n)
{
	long at = 0;

	for (long i = 0; i + 2 < n; i++)
		if (buf[i] == ')')
			at = i + 2;
	return at;
}

static long read_of_thread(uint32_t tid, const char *file, char *buf, size_t size)
{
	char path[64];
	struct text t = text_on(path, sizeof(path));

	text_str(&t, "/proc/self/task/");
	text_u64(&t, tid);
	text_str(&t, file);
	return proc_read(path, buf, size);
}

void proc_thread_name(uint32_t tid, char name[16])
{
	char buf[32];
	long n = read_of_thread(tid, "/comm", buf, sizeof(buf));

	if (n < 1 || n > 16)
		return;
	for (long i = 0; i < n; i++)
		name[i] = i == n - 1 ? 0 : buf[i]; /* it ends with a newline */
}

bool proc_is_runnable(uint32_t tid)
{
	char buf[512];
	long n = read_of_thread(tid, "/stat", buf, sizeof(buf)), at;

	at = after_name(buf, n);
	return at && buf[at] == 'R';
}

/* Where `field` of a stat line begins, 0 or the end when there is none. */
static long field_at(const char *buf, long n, int field)
{
	long at = after_name(buf, n);

	for (int i = 3; at && at < n && i < field; at++)
		i += buf[at] == ' ';
	return at;
}

bool proc_is_over(void)
{
	char buf[1024];
	long n = proc_read("/proc/self/stat", buf, sizeof(buf)), at = field_at(buf, n, 3);

	return at && at < n && buf[at] == 'Z' && number_at(buf, n, field_at(buf, n, 20)) == 2;
}

uint64_t proc_start_time(void)
{
	char buf[1024];
	long n = proc_read("/proc/self/stat", buf, sizeof(buf));

	return number_at(buf, n, field_at(buf, n, 22));
}
