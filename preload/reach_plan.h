/* SPDX-License-Identifier: MIT */
/* reach_plan.h - what the copy has to know, put down before it is made. See reach.h. */
#ifndef RINGSIDE_PRELOAD_REACH_PLAN_H
#define RINGSIDE_PRELOAD_REACH_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/record.h"

#define REACH_THREADS_MOST 16384u

struct reach_thread {
	uint32_t tid;
	uintptr_t pointer; /* its thread pointer: static TLS and descriptor lie around it */
	uintptr_t sp;	   /* 0: not known, it runs */
};

struct reach_plan {
	struct rsd_header *window; /* the first window of the dump, mapped once more for the copy */
	uint64_t tick_before;
	uint32_t number; /* of the snapshot, from 1 */
	uint32_t trigger, detail;
	uint32_t parent;		    /* pid */
	uintptr_t registers, registers_end; /* where those of the calling thread were saved, if not on its stack */
	size_t static_tls;
	uint32_t threads_len, threads_lost;
	struct reach_thread threads[REACH_THREADS_MOST];
};

/* reach_child - all that the copy does; it does not return. Memory is its own, descriptors are the parent's still. */
__attribute__((noreturn)) void reach_child(const struct reach_plan *plan);

#endif
