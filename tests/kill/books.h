/* SPDX-License-Identifier: MIT */
/*
 * books.h - books on what a recorded program did, in a shared mapping of a file that outlives it.
 *
 * One account for each thread of each image of each process. Every call is entered twice: begun before it, returned
 * after it. Whenever the thread is killed, a recorder must have at least what returned, and at most what was begun.
 */
#ifndef TESTS_KILL_BOOKS_H
#define TESTS_KILL_BOOKS_H

#include <stdint.h>

#define BOOKS_ACCOUNTS 65536u
#define BOOKS_TAIL 64u /* the last blocks are kept one by one */

/* An account begins with an allocation whose size says its number: with it the dump says where its records begin. */
#define BOOKS_SIGNATURE 0x1400000u

enum books_entry { ENTRY_ALLOC, ENTRY_FREE, ENTRY_BYTES, ENTRY_READ, ENTRY_WRITE, ENTRY_SLEEP, ENTRY_LOCK, ENTRIES };

struct account {
	uint32_t tid;
	uint32_t is_signed; /* the allocation of the signature has returned */
	struct {
		uint64_t begun, returned;
	} sum[ENTRIES];
	uint64_t tail_len;	   /* blocks that returned, ever */
	uint64_t tail[BOOKS_TAIL]; /* their addresses, plus 1 for a free */
};

struct books {
	uint64_t next;
	struct account account[BOOKS_ACCOUNTS];
};

#endif
