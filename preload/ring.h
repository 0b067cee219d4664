/* SPDX-License-Identifier: MIT */
/*
 * ring.h - ring=SIZE: event extents are used again, oldest sealed first.
 *
 * A full extent is sealed into a queue; while the recording has its SIZE, a thread that needs an extent takes
 * the queue's head and writes it anew under a new sequence number. Stacks, names and threads are never
 * recycled, so what is left stays readable.
 */
#ifndef RINGSIDE_PRELOAD_RING_H
#define RINGSIDE_PRELOAD_RING_H

#include "preload/thread.h"

/* ring_begin - make room for a queue of the configured size; again in a child. */
void ring_begin(void);

/*
 * ring_extent - seal `full` (may be NULL) and take a recycled extent, published and empty.
 * Returns NULL while the ring has not reached its size, or when every extent is in use: take a fresh one.
 */
struct rsd_extent *ring_extent(struct thread *t, struct rsd_extent *full);

#endif
