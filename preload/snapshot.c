/* SPDX-License-Identifier: MIT */
/* snapshot.c - see snapshot.h. */
#include "preload/snapshot.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "preload/clock.h"
#include "preload/config.h"
#include "preload/file.h"
#include "preload/hook.h"
#include "preload/path.h"
#include "preload/proc.h"
#include "preload/raw.h"
#include "preload/text.h"
#include "preload/windows.h"

uint64_t snapshot_block_ticks = UINT64_MAX;
static uint64_t rss_limit = UINT64_MAX;
static uint32_t taken, is_writing;

static void on_trigger(int sig)
{
	(void)sig;
	snapshot_take();
}

/* Only a signal that the program has not taken; if it takes it later, its handler replaces ours. */
static void arm_signal(const char *name)
{
	struct sigaction now, ours = { .sa_handler = on_trigger, .sa_flags = SA_RESTART | SA_ONSTACK };
	int sig = config_signal(name, text_len(name));

	if (sig && real.sigaction(sig, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
		real.sigaction(sig, &ours, NULL);
}

static const char *after(const char *s, const char *prefix)
{
	for (; *prefix; prefix++, s++)
		if (*s != *prefix)
			return NULL;
	return s;
}

void snapshot_begin(void)
{
	const char *value;
	uint64_t number;

	if ((value = after(config.trigger, "signal:")))
		arm_signal(value);
	else if ((value = after(config.trigger, "block:")) && config_duration(value, &number))
		snapshot_block_ticks = clock_ticks(number);
	else if ((value = after(config.trigger, "rss:")) && config_size(value, &number))
		rss_limit = number;
}

static int create_next(void)
{
	static char name[PATH_CAP]; /* one writer at a time; too large for a signal stack */
	struct text t = text_on(name, sizeof(name));
	uint32_t number = __atomic_add_fetch(&taken, 1, __ATOMIC_RELAXED);

	if (number > SNAPSHOTS_MOST)
		return -1;
	text_str(&t, path_dump);
	text_str(&t, ".snap");
	text_u64(&t, number);
	return (int)raw4(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* Past the limit on file sizes the kernel would send the host a SIGXFSZ. */
static bool is_too_large(uint64_t size)
{
	struct rlimit limit;

	return raw4(SYS_prlimit64, 0, RLIMIT_FSIZE, NULL, &limit) == 0 && size > limit.rlim_cur;
}

/* Unit by unit, each as far as it is populated: the rest of the copy stays sparse, as in the dump. */
static void copy(int fd)
{
	uint64_t units = __atomic_load_n(&file_header->next_unit, __ATOMIC_SEQ_CST);

	if (is_too_large(units * RSD_UNIT))
		return;
	raw2(SYS_ftruncate, fd, units * RSD_UNIT);
	for (uint64_t unit = 0; unit < units; unit++) {
		const char *from = windows_at(unit);

		/* A page that was never populated reads as a hole: write(2) from it fails or gives zeros, both right.
		 */
		for (uint64_t at = 0; from && at < RSD_UNIT;) {
			long n = raw4(SYS_pwrite64, fd, from + at, RSD_UNIT - at, unit * RSD_UNIT + at);

			if (n <= 0)
				break;
			at += (uint64_t)n;
		}
	}
}

void snapshot_take(void)
{
	uint32_t idle = 0;
	int fd;

	if (!file_header ||
	    !__atomic_compare_exchange_n(&is_writing, &idle, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	fd = create_next();
	if (fd >= 0) {
		copy(fd);
		raw1(SYS_close, fd);
	}
	__atomic_store_n(&is_writing, 0, __ATOMIC_RELEASE);
}

void snapshot_check_rss(void)
{
	if (rss_limit == UINT64_MAX || proc_rss_bytes() < rss_limit)
		return;
	rss_limit = UINT64_MAX;
	snapshot_take();
}
