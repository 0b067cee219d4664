/* SPDX-License-Identifier: MIT */
/*
 * reach.h - a snapshot of reach=: which blocks were alive at its moment, which of them can still be reached and how,
 * what they begin with, and which of their pages there were.
 *
 *     struct reach reach;
 *
 *     err = reach_open(&reach, a, error);
 *     err = err ? err : reach_sort(&reach, is_suppressed, self);
 *     for (size_t i = 0; i < reach.blocks_len; i++)
 *             if (reach_wants(&reach, &reach.blocks[i]))
 *                     count(&reach.blocks[i]);
 *     reach_release(&reach);
 *
 * The dump has pointers and where they stood (record.h). The blocks come from the books of the recording, which are
 * exact; so what memcheck and LeakSanitizer do in the process is done here, by memcheck's definitions:
 *
 * - reachable: a chain of pointers to the begin of blocks leads to it from a root;
 * - possibly lost: a chain leads to it, but only with a pointer into the middle of a block somewhere;
 * - lost: no chain leads to it, and no lost block points to it; indirectly lost: one does. Of a ring that nobody leads
 *   to, the block with the lowest address is lost, the others indirectly.
 *
 * Roots are the data of modules, stacks with the registers saved in them, and what threads and the loader keep. Memory
 * that the program has mapped itself is a root for memcheck and none for LeakSanitizer: is_mapped tells what hangs on
 * it alone.
 */
#ifndef RINGSIDE_REACH_H
#define RINGSIDE_REACH_H

#include "analyzer/models/analysis.h"

enum reach_state {
	REACH_LOST,
	REACH_INDIRECT,
	REACH_POSSIBLE,
	REACH_REACHABLE,
	REACH_FREED_LATER, /* nothing was seen to lead to it, but it was freed afterwards: something did */
	REACH_SUPPRESSED,
	REACH_UNKNOWN_STATE, /* no chain was seen, but pointers are missing from the snapshot */
	REACH_STATES
};

struct reach_block {
	uint64_t addr, size;
	uint64_t born;	     /* tick */
	uint64_t first_word; /* an address in a module, or 0 */
	struct stack_id stack;
	uint32_t thread;
	uint8_t state;	/* enum reach_state */
	bool is_mapped; /* reached through the program's own mappings only */
	bool is_young;	/* born while the copy was made: taken for reachable */
	bool is_freed;	/* after the snapshot */
};

struct reach_pages {
	uint64_t from, to;
	size_t at; /* in the states */
};

struct reach {
	struct analysis *a;
	uint32_t number, count; /* the snapshot that was taken, the last whole one, and how many there are */
	struct reach_begin begin;
	struct reach_end end;
	bool is_whole;
	bool misses_blocks;	    /* events are missing from the recording: there may be blocks that nobody knows */
	struct modules modules;	    /* of that moment */
	struct reach_block *blocks; /* by address */
	size_t blocks_len, blocks_cap;
	/* Private. */
	struct analysis_filter_kept {
		struct pass_filter filter;
		uint64_t size_min, size_max;
	} kept;
	uint64_t *edges; /* from << 32 | to << 1 | is interior; by `from` */
	size_t edges_len, edges_cap;
	size_t *first_edge; /* by block, and one more */
	uint32_t *roots;    /* block << 1 | is interior: of data and stacks, then of mappings */
	size_t roots_len, roots_cap, sure_roots;
	struct reach_pages *pages;
	size_t pages_len, pages_cap;
	uint8_t *states;
	size_t states_len, states_cap;
	uint32_t *stack; /* of blocks to look through */
	size_t stack_len, stack_cap;
	bool failed;
};

/* reach_open - 0; -EINVAL with a sentence in *error when there is no usable snapshot; -ENOMEM, -EIO. */
int reach_open(struct reach *r, struct analysis *a, struct buf *error);
void reach_release(struct reach *r);

/*
 * reach_sort - give each block its state.
 *
 * is_suppressed: may be NULL; lost blocks for which it is true, and what hangs on them, are REACH_SUPPRESSED.
 */
int reach_sort(struct reach *r, bool (*is_suppressed)(void *self, const struct reach_block *block), void *self);

/* reach_wants - does the user's filter (time of birth, thread, size) leave it? */
bool reach_wants(const struct reach *r, const struct reach_block *block);

/* reach_resident - bytes of the block in memory, and in swap. */
void reach_resident(const struct reach *r, const struct reach_block *block, uint64_t *resident, uint64_t *swapped);

/* reach_note - sentences about the snapshot into *out, each on a line of its own. */
void reach_notes(const struct reach *r, struct buf *out);

#endif
