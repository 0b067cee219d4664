/* SPDX-License-Identifier: MIT */
/* launch_ahead.c - see launch_ahead.h. Nothing in the file is believed: it only says how far the program is. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/launch/launch_ahead.h"
#include "format/record.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define IDLE_UNITS 48u	/* a program that wrote less is left alone: most end soon */
#define AHEAD_UNITS 96u /* 6 MiB: what a busy thread fills in 20 ms */
#define CHUNK_UNITS 16u /* made in one step */
#define WINDOW_UNITS 64u
#define NAP_LEAST_NS 500000u
#define NAP_MOST_NS 20000000u

/* Returns whether the program has ended, after `ns` at the latest. */
static bool nap(const struct launch_ahead *a, uint64_t ns)
{
	struct pollfd over = { .fd = a->over_fd, .events = POLLIN };

	return ppoll(&over, 1, &(struct timespec){ .tv_nsec = (long)ns }, NULL) != 0;
}

/*
 * The mapping through which pages are made. A large one, since taking a small one away costs 6 us a page: the kernel's
 * folios of the file are larger, and each dirty page walks all of its folio.
 */
struct window {
	int fd;
	uint64_t first; /* unit */
	char *at;	/* NULL: none */
};

static void window_release(struct window *w)
{
	if (w->at)
		munmap(w->at, (size_t)WINDOW_UNITS * RSD_UNIT);
	w->at = NULL;
}

static bool window_move(struct window *w, uint64_t unit)
{
	size_t size = (size_t)WINDOW_UNITS * RSD_UNIT;
	void *p;

	if (w->at && unit >= w->first && unit < w->first + WINDOW_UNITS)
		return true;
	window_release(w);
	w->first = unit / WINDOW_UNITS * WINDOW_UNITS;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, (off_t)(w->first * RSD_UNIT));
	if (p == MAP_FAILED)
		return false;
	w->at = p;
	return true;
}

/* Make units [from, from + CHUNK_UNITS) of the file. False: no space, or not on this kernel. */
static bool make_chunk(struct window *w, uint64_t from)
{
	return window_move(w, from) &&
	       !madvise(w->at + (from - w->first) * RSD_UNIT, (size_t)CHUNK_UNITS * RSD_UNIT, MADV_POPULATE_WRITE);
}

/* Read, not mapped: somebody may truncate the file meanwhile. */
static bool read_header(int fd, struct rsd_header *h)
{
	return pread(fd, h, sizeof(*h), 0) == (ssize_t)sizeof(*h);
}

static void keep_ahead(struct launch_ahead *a, struct window *w)
{
	uint64_t made = 0, nap_ns = NAP_MOST_NS / 4;
	struct rsd_header h;

	while (!nap(a, nap_ns) && read_header(w->fd, &h)) {
		uint64_t used = h.next_unit, cap = h.cap_units;

		if (made < used)
			made = (used + CHUNK_UNITS - 1) / CHUNK_UNITS * CHUNK_UNITS;
		if (used < IDLE_UNITS || made + CHUNK_UNITS > used + AHEAD_UNITS || made + CHUNK_UNITS > cap) {
			nap_ns = nap_ns * 2 < NAP_MOST_NS ? nap_ns * 2 : NAP_MOST_NS;
			continue;
		}
		if (!make_chunk(w, made))
			return;
		made += CHUNK_UNITS;
		nap_ns = made + CHUNK_UNITS > used + AHEAD_UNITS ? NAP_LEAST_NS : 0;
	}
}

static void *run(void *arg)
{
	struct launch_ahead *a = arg;
	struct window w = { .fd = -1 };
	bool is_sized = false;

	/* The program makes the file what it is; until then it is empty. */
	while (!is_sized && !nap(a, NAP_MOST_NS / 4)) {
		if (w.fd < 0)
			w.fd = open(a->file, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
		is_sized = w.fd >= 0 && lseek(w.fd, 0, SEEK_END) >= (off_t)RSD_UNIT;
	}
	if (is_sized) {
		keep_ahead(a, &w);
		window_release(&w);
	}
	if (w.fd >= 0)
		close(w.fd);
	return NULL;
}

void launch_ahead_begin(struct launch_ahead *a, const char *file)
{
	sigset_t all, mask;

	*a = (struct launch_ahead){ .file = file, .over_fd = -1 };
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || (a->over_fd = eventfd(0, EFD_CLOEXEC)) < 0)
		return;
	/* Signals are for the thread that passes them on. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask);
	a->is_running = !pthread_create(&a->thread, NULL, run, a);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

void launch_ahead_end(struct launch_ahead *a)
{
	if (a->is_running && !eventfd_write(a->over_fd, 1))
		pthread_join(a->thread, NULL);
	if (a->over_fd >= 0)
		close(a->over_fd);
}
