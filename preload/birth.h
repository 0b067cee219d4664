/* SPDX-License-Identifier: MIT */
/*
 * birth.h - how a new thread learns who made it: a shim between the creation call and the start routine.
 *
 * The packet comes from memory of our own, never the program's heap; the shim gives it back before it calls the
 * start routine. The shim pushes no cleanup handler and has unwind tables, so pthread_exit and
 * cancellation unwind through it.
 */
#ifndef RINGSIDE_PRELOAD_BIRTH_H
#define RINGSIDE_PRELOAD_BIRTH_H

#include <stdint.h>

#include "preload/stacks.h"

struct birth;

/* birth_make - a packet for a thread that will call `start` with `arg`. NULL: create it without us. */
struct birth *birth_make(struct regs from, uintptr_t start, void *arg);

/* birth_free - the creation failed. */
void birth_free(struct birth *birth);

/* birth_packets - where all packets are; both 0 while there are none. What is in them is the program's. */
void birth_packets(uintptr_t *from, uintptr_t *to);

void *birth_start_posix(void *birth);
int birth_start_c11(void *birth);

#endif
