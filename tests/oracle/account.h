/* SPDX-License-Identifier: MIT */
/*
 * account.h - what was compared in this process: counts, and the first stacks of each kind of difference.
 *
 * Any thread and any handler may count and keep; only account_write, at exit, uses more than atomics.
 */
#ifndef RINGSIDE_TESTS_ACCOUNT_H
#define RINGSIDE_TESTS_ACCOUNT_H

#include "preload/stacks.h"
#include "tests/oracle/chain.h"

/* Where a capture begins. */
enum place { AT_CALL, AT_TIMER, AT_STEP, PLACES };

enum account_item {
	COMPARED,			 /* then VERDICTS counts by chain_judge */
	NO_ORACLE = COMPARED + VERDICTS, /* libgcc read where nothing is */
	AT_DEPTH,			 /* equal as far as our limit lets it; counted as equal, too */
	MEMO_DIFFERS,			 /* from a fresh walk: a bug */
	MISNAMED,			 /* a frame has the number of another module: a bug */
	TWICE,				 /* equal nodes with two numbers, made by threads that met */
	LOST,				 /* no number, or nodes that could not be read yet */
	NESTED,				 /* not captured: a handler in a handler */
	SECOND,				 /* then VERDICTS counts of ours against libunwind's */
	ITEMS = SECOND + VERDICTS,
};

/* account_begin - the account's file will be `prefix`.<program>.<pid>. */
void account_begin(const char *prefix);

void account_add(enum place place, enum account_item item);

/* account_keep - remember this difference, once per place where both part; `what` is a constant. */
void account_keep(enum place place, const char *what, const struct regs *from, const struct chain *ours,
		  const struct chain *theirs);

/* account_forget - in a forked child, which has an account of its own. */
void account_forget(void);

/* account_write - as lines of text, once. */
void account_write(void);

#endif
