/* SPDX-License-Identifier: MIT */
/*
 * launch_ahead.h - give the recorded program pages of its file before it asks for them.
 *
 * A fresh page of the file costs the recorder about 1 us, and 8 us where a virtual machine has to get it from its host
 * first: as much as everything else that a pair of malloc and free costs. A page that is in the page cache costs
 * 0.2 us. The launcher has nothing to do while the program runs, so it keeps some of the file ahead of the program
 * there, on another core. What is too much is cut off at the end, as everything behind the last unit.
 */
#ifndef RINGSIDE_LAUNCH_AHEAD_H
#define RINGSIDE_LAUNCH_AHEAD_H

#include <pthread.h>
#include <stdbool.h>

struct launch_ahead {
	const char *file;
	pthread_t thread;
	bool is_running;
	int over_fd; /* readable when the program has ended */
};

/* launch_ahead_begin - start with `file`, which is kept. Where that can't be (one core, an old kernel), nothing
 * happens. */
void launch_ahead_begin(struct launch_ahead *a, const char *file);

/* launch_ahead_end - the program has ended: no page is made after this returns. */
void launch_ahead_end(struct launch_ahead *a);

#endif
