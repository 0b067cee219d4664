/* SPDX-License-Identifier: MIT */
/* file.c - the mapped dump. See file.h. */
#include "preload/file.h"

#include <elf.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "preload/clock.h"
#include "preload/config.h"
#include "preload/open.h"
#include "preload/path.h"
#include "preload/proc.h"
#include "preload/raw.h"
#include "preload/text.h"
#include "preload/windows.h"

#define PIECE_UNITS 32u /* divides every window */

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#define PAGE 4096u
#define FILE_MOST ((uint64_t)256 << 30) /* sparse: costs neither disk nor, until it fills, address space */
#define FILE_LEAST ((uint64_t)1 << 20)
#define HEADER_READY (2 * PAGE)

struct rsd_header *file_header;
uint32_t file_generation;
static uint64_t file_cap_units; /* 0: closed for growth */
static struct rsd_extent *meta_extent;

static uint64_t limit_of(int resource)
{
	struct rlimit limit;

	if (raw4(SYS_prlimit64, 0, resource, NULL, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur;
}

/* How far the file may ever grow. Sizing past RLIMIT_FSIZE would raise SIGXFSZ, so the limit is asked first. */
static uint64_t wanted_size(void)
{
	uint64_t size = FILE_MOST;
	uint64_t file_limit = limit_of(RLIMIT_FSIZE), space_limit = limit_of(RLIMIT_AS);

	if (config.limit && config.limit < size)
		size = config.limit;
	if (file_limit < size)
		size = file_limit;
	if (space_limit != UINT64_MAX && space_limit / 8 < size)
		size = space_limit / 8;
	return size / RSD_UNIT * RSD_UNIT;
}

int file_populate(void *p, size_t size)
{
	uintptr_t from = (uintptr_t)p & ~(uintptr_t)(PAGE - 1);
	uintptr_t to = ((uintptr_t)p + size + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
	long ret;

	do
		ret = raw3(SYS_madvise, from, to - from, MADV_POPULATE_WRITE);
	while (ret == -EINTR || ret == -EAGAIN);
	return ret == -EINVAL ? 0 : (int)ret;
}

/* Size and map the file, smaller and smaller where the system refuses. */
static struct rsd_header *map_file(int fd)
{
	for (uint64_t size = wanted_size(); size >= FILE_LEAST; size = size / 2 / RSD_UNIT * RSD_UNIT) {
		struct rsd_header *h;

		if (raw2(SYS_ftruncate, fd, size) != 0)
			continue;
		h = windows_begin(fd, size);
		if (!h || file_populate(h, HEADER_READY) != 0)
			return NULL;
		file_cap_units = size / RSD_UNIT;
		return h;
	}
	return NULL;
}

static struct rsd_text header_text(struct rsd_header *h, uint32_t *at, const char *text, size_t len)
{
	struct rsd_text ret = { *at, 0 };

	if (len > RSD_UNIT - *at)
		len = RSD_UNIT - *at;
	if (file_populate((char *)h + *at, len + 1) != 0)
		return ret;
	for (size_t i = 0; i < len; i++)
		((char *)h)[*at + i] = text[i];
	ret.len = (uint32_t)len;
	*at += (uint32_t)len;
	return ret;
}

/* The length of argv[0] NUL argv[1] ... as it lies in memory, cut at half a unit. */
static size_t argv_length(char **argv)
{
	const char *begin = argv[0], *end = begin;

	for (; *argv; argv++) {
		if (*argv != end)
			break;
		end = *argv + text_len(*argv) + 1;
	}
	return end - begin > RSD_UNIT / 2 ? RSD_UNIT / 2 : (size_t)(end - begin);
}

static void fill_texts(struct rsd_header *h, char **argv)
{
	char host[390] = "";
	uint32_t at = RSD_TEXT_OFFSET;

	raw1(SYS_uname, host);
	h->exe = header_text(h, &at, path_exe, text_len(path_exe));
	h->toggles = header_text(h, &at, config.toggles, text_len(config.toggles));
	h->host = header_text(h, &at, host + 65, text_len(host + 65));
	h->out = header_text(h, &at, path_dump, text_len(path_dump));
	if (argv && argv[0])
		h->argv = header_text(h, &at, argv[0], argv_length(argv));
}

static void fill_header(struct rsd_header *h, const struct rsd_header *parent, char **argv)
{
	struct timespec now;

	raw2(SYS_clock_gettime, CLOCK_REALTIME, &now);
	h->version = RSD_VERSION;
	h->header_size = sizeof(*h);
	h->unit_size = RSD_UNIT;
#if defined(__x86_64__)
	h->machine = EM_X86_64;
#else
	h->machine = EM_AARCH64;
#endif
	h->pid = (uint32_t)raw1(SYS_getpid, 0);
	h->ppid = (uint32_t)raw1(SYS_getppid, 0);
	h->pid_start = proc_start_time();
	h->start_realtime_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	h->start = clock_pair();
	h->tick_kind = clock_is_tsc ? RSD_TICK_TSC : RSD_TICK_MONO_NS;
	h->heap_mode = config.heap;
	h->sample_bytes = config.sample_bytes;
	h->cpu_hz = (uint32_t)config.cpu;
	h->block_ns = config.block;
	h->ring_bytes = config.ring;
	h->limit_bytes = config.limit;
	h->depth = (uint32_t)config.depth;
	h->free_every = (uint32_t)config.freestack;
	h->cap_units = file_cap_units;
	h->next_unit = 1;
	h->next_node = h->next_string = h->next_module = 1;
	/* A first process counts from its own exec on; a descendant may have been another program before. */
	if (path_is_descendant())
		h->start_cpu_ns = clock_process_cpu_ns();
	else
		h->startup_ns = clock_process_cpu_ns();
	raw3(SYS_getrandom, &h->random, sizeof(h->random), 1 /* GRND_NONBLOCK */);
	if (parent) {
		h->parent_random = parent->random;
		h->parent_pid_dump = parent->pid;
	}
	fill_texts(h, argv);
	/* The magic last: a file without it was never begun. */
	for (int i = 7; i >= 0; i--)
		__atomic_store_n(&h->magic[i], RSD_MAGIC[i], __ATOMIC_RELEASE);
}

int file_open(bool is_child, const struct rsd_header *parent, char **argv)
{
	struct rsd_header *h;
	int fd = path_open(is_child);

	if (fd < 0)
		return fd;
	h = map_file(fd);
	if (!h) {
		path_abandon(fd);
		raw1(SYS_close, fd);
		return -ENOSPC;
	}
	raw1(SYS_close, fd);
	fill_header(h, parent, argv);
	meta_extent = NULL;
	file_generation++;
	__atomic_store_n(&file_header, h, __ATOMIC_RELEASE);
	return 0;
}

static bool is_dump(const struct rsd_header *h)
{
	for (int i = 0; i < 8; i++)
		if (h->magic[i] != RSD_MAGIC[i])
			return false;
	return h->version == RSD_VERSION;
}

void file_tell_missing(void)
{
	int fd = path_is_descendant() ? path_open_root() : -1;
	struct rsd_header *h;
	long p;

	if (fd < 0)
		return;
	p = raw6(SYS_mmap, raw_place(PAGE, 0), PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	raw1(SYS_close, fd);
	if (p < 0 && p > -4096)
		return;
	h = (struct rsd_header *)p;
	if (is_dump(h))
		__atomic_fetch_add(&h->counter[COUNT_CHILD_LOST], 1, __ATOMIC_RELAXED);
	raw2(SYS_munmap, p, PAGE);
}

/* No further extent is tried once the system refused one, or each failure would move the file's end. */
static void stop_growing(void)
{
	__atomic_store_n(&file_cap_units, 0, __ATOMIC_SEQ_CST);
}

static uint64_t timeval_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000;
}

void file_finish_mute(int end_kind, int end_code)
{
	struct rsd_header *h = file_header;

	h->end_kind = (uint32_t)end_kind;
	h->end_code = end_code;
	if (clock_is_tsc) {
		h->end.tick = clock_now();
		h->end.mono_ns = h->start.mono_ns + clock_ns(h->end.tick - h->start.tick);
	}
}

void file_note_memory(void)
{
	if (file_header)
		__atomic_store_n(&file_header->counter[COUNT_OWN_BYTES], __atomic_load_n(&raw_mapped, __ATOMIC_RELAXED),
				 __ATOMIC_RELAXED);
}

void file_finish(int end_kind, int end_code)
{
	struct rsd_header *h = file_header;
	struct rusage usage;
	int fd;

	if (!h)
		return;
	h->cpu_ns = clock_process_cpu_ns();
	file_note_memory();
	if (raw2(SYS_getrusage, RUSAGE_SELF, &usage) == 0) {
		h->user_ns = timeval_ns(usage.ru_utime);
		h->system_ns = timeval_ns(usage.ru_stime);
		h->max_rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
	}
	if (raw2(SYS_getrusage, RUSAGE_CHILDREN, &usage) == 0)
		h->children_cpu_ns = timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime);
	h->end_kind = (uint32_t)end_kind;
	h->end_code = end_code;
	h->end = clock_pair();

	/* Closed for growth first: extents taken until now stay inside the file. */
	stop_growing();
	fd = path_reopen();
	if (fd < 0)
		return;
	raw2(SYS_ftruncate, fd, __atomic_load_n(&h->next_unit, __ATOMIC_SEQ_CST) * RSD_UNIT);
	raw1(SYS_close, fd);
}

/* `units` units of the file that lie in one window, taken: the number of the first, or 0 when there are none left. */
static uint64_t take_units(struct rsd_header *h, unsigned units)
{
	uint64_t unit;

	do {
		if (__atomic_load_n(&h->next_unit, __ATOMIC_RELAXED) + units >
		    __atomic_load_n(&file_cap_units, __ATOMIC_RELAXED))
			return 0;
		unit = __atomic_fetch_add(&h->next_unit, units, __ATOMIC_SEQ_CST);
		if (unit + units > __atomic_load_n(&file_cap_units, __ATOMIC_SEQ_CST))
			return 0;
	} while (!windows_hold(unit, units));
	return unit;
}

struct rsd_extent *file_extent(enum rsd_extent_kind kind, unsigned units, uint32_t thread, uint32_t first,
			       size_t populate)
{
	struct rsd_header *h = file_header;
	uint64_t unit = h ? take_units(h, units) : 0;
	struct rsd_extent *ext;

	if (!unit)
		return NULL;
	ext = windows_at(unit);
	if (!ext ||
	    file_populate(ext, populate && populate < (size_t)units * RSD_UNIT ? populate : (size_t)units * RSD_UNIT) !=
		    0) {
		stop_growing();
		return NULL;
	}
	ext->kind = (uint16_t)kind;
	ext->units = (uint16_t)units;
	ext->thread = thread;
	ext->first = first;
	ext->seq = unit;
	ext->base = clock_pair();
	ext->stream.tick = ext->base.tick;
	return ext;
}

/*
 * One touch maps all that the page cache keeps in one piece, on ext4 up to 2 MiB: what rested already comes back with a
 * neighbour's record. So of an old piece all rests; who is still at work in it gets it back with the next touch.
 */
void file_rest(struct rsd_extent *ext)
{
	uint64_t from = ext->seq, to = from + ext->units;

	if (__atomic_load_n(&file_header->next_unit, __ATOMIC_RELAXED) >= from + FILE_OLD_UNITS) {
		from -= from % PIECE_UNITS;
		to += PIECE_UNITS - 1 - (to - 1) % PIECE_UNITS;
	}
	raw3(SYS_madvise, windows_at(from), (to - from) * RSD_UNIT, MADV_DONTNEED);
}

/* ---- META: a few writers at once, each in what it reserved by one atomic add ---- */

static struct rsd_extent *meta_take(struct rsd_extent *full)
{
	struct rsd_extent *ext = file_extent(RSD_EXTENT_META, 1, 0, 0, PAGE);
	struct rsd_extent *expected = full;

	if (!ext)
		return NULL;
	extent_publish(ext);
	/* Another thread may have been faster: then ours stays empty. */
	if (!__atomic_compare_exchange_n(&meta_extent, &expected, ext, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return expected;
	return ext;
}

void *meta_reserve(enum rsd_meta_kind kind, size_t size)
{
	struct rsd_extent *ext = __atomic_load_n(&meta_extent, __ATOMIC_ACQUIRE);

	size = (size + 7) & ~(size_t)7;
	for (int tries = 0; tries < 4; tries++) {
		uint64_t at;
		struct rsd_meta *head;

		if (!ext)
			ext = meta_take(NULL);
		if (!ext)
			return NULL;
		at = __atomic_fetch_add(&ext->used, size, __ATOMIC_RELAXED);
		if (at + size <= extent_capacity(ext)) {
			head = (struct rsd_meta *)((char *)extent_data(ext) + at);
			if (file_populate(head, size) != 0)
				return NULL;
			head->len = (uint32_t)size;
			__atomic_store_n(&head->kind, (uint16_t)kind, __ATOMIC_RELEASE);
			return head;
		}
		ext = meta_take(ext);
	}
	return NULL;
}

void meta_commit(void *record)
{
	struct rsd_meta *head = record;

	__atomic_store_n(&head->flags, RSD_META_COMMITTED, __ATOMIC_RELEASE);
}

static uint32_t put_text(enum rsd_meta_kind kind, const char *text, size_t len)
{
	struct meta_string *record;

	if (!file_header)
		return 0;
	if (len > RSD_STRING_MAX)
		len = RSD_STRING_MAX;
	record = meta_reserve(kind, sizeof(*record) + len);
	if (!record) {
		file_count(COUNT_STRINGS_LOST, 1);
		return 0;
	}
	record->id =
		kind == META_STRING ? (uint32_t)__atomic_fetch_add(&file_header->next_string, 1, __ATOMIC_RELAXED) : 0;
	record->text_len = (uint32_t)len;
	__builtin_memcpy(record + 1, text, len);
	meta_commit(record);
	return record->id;
}

void meta_notice(const char *text)
{
	put_text(META_NOTICE, text, text_len(text));
}

uint32_t meta_string(const char *text, size_t len)
{
	return put_text(META_STRING, text, len);
}
