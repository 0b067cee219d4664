/* SPDX-License-Identifier: MIT */
/*
 * watch.h - capture as the recorder would, and compare what came out with what others say of the same moment.
 *
 * Each thread has three places for that, as in the recorder: one for the wrappers, one for those of a handler that
 * interrupted the first, and one for our own signals. Each has a state that lives on, whose memo is tested that way,
 * and one that is made anew for each capture.
 *
 * Knobs, by environment:
 *   ORACLE_OUT     prefix of the account's file; without it nothing is done
 *   ORACLE_EVERY   capture in every n-th call of a thread (1)
 *   ORACLE_SECOND  ask libunwind, too, for every n-th captured call of a thread (64, 0: never)
 *   ORACLE_STEPS   instructions to step through after each timer signal (64)
 *   ORACLE_DEPTH   frames at most (128)
 *   ORACLE_LATE    us that the recorder comes late after each unloading (0)
 */
#ifndef RINGSIDE_TESTS_WATCH_H
#define RINGSIDE_TESTS_WATCH_H

#include <stdbool.h>
#include <ucontext.h>

#include "preload/stacks.h"
#include "tests/oracle/account.h"

/* watch_begin - once, when dlsym works. false: not wanted. */
bool watch_begin(void);

/* watch_end - write the account. */
void watch_end(void);

/* watch_call - a wrapper was called from there. errno is kept. */
void watch_call(const struct regs *from);

/* watch_be_late - pass the time of ORACLE_LATE. */
void watch_be_late(void);

/* watch_interrupt - compare at the instruction that a signal interrupted. errno is kept. */
void watch_interrupt(enum place place, const ucontext_t *uc);

/* watch_is_busy - does this thread run our code, rather than the program's? */
bool watch_is_busy(void);

#endif
