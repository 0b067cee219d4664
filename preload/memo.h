/* SPDX-License-Identifier: MIT */
/*
 * memo.h - what a thread remembers of the stacks it has walked, so that it need not walk them again.
 *
 * Unwinding is a deterministic function of (ip, sp, bp) and of the stack words it reads. A mark is one frame that
 * was seen with its ip and sp; it leads to the words that were read from there on outwards, each with its value. When
 * all of them are unchanged (plain loads, about 1 ns each), the rest of the stack is what it was, and its node is
 * known. Nothing is ever patched, so longjmp, exceptions and coroutine switches need no care: a word that differs
 * tells. Where it doesn't hold, the caller steps outwards until it comes to a frame that is marked and does.
 *
 * Words stand in runs, innermost first. A run ends with a link into an older run, at the frame where the walk that made
 * it joined that one, or with the end of the stack. So what stacks have in common is kept once, but for what is so
 * short that a link would cost more than a copy.
 *
 *   marks   [ip sp | node at words height]      runs   RA RA bp RA  link    RA RA RA RA RA  end
 *                         `-----------------------------^            `---------^
 *
 * Only words of the thread's own stack are remembered: they stay readable as long as the thread lives. bp is part of
 * a frame only where an outer frame is found by it: compilers use it for anything else. When the runs are full, all is
 * forgotten by counting up the round, which is part of every key.
 *
 * Owner thread only; a signal handler has a memo of its own. No system call, no allocation.
 */
#ifndef RINGSIDE_PRELOAD_MEMO_H
#define RINGSIDE_PRELOAD_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/compiler.h"
#include "preload/frame.h"

#define MEMO_MARKS_FIRST 128u
#define MEMO_MARKS_MAX 2048u
#define MEMO_WORDS_MAX 8192u
#define MEMO_NEEDS_BP 0x8000u
#define MEMO_HEIGHT(mark) ((mark)->height & 0x7fffu)

/* Places are counted in words from here: below the top of the stack, as far as 32 bits reach. */
#define MEMO_REACH ((uintptr_t)8 << 32)

struct mark {
	uint64_t key;	 /* ip, and in the upper bits the round, and whether it is exact and guessed */
	uint32_t place;	 /* of sp */
	uint32_t node;	 /* of the stack that begins here */
	uintptr_t bp;	 /* if MEMO_NEEDS_BP */
	uint32_t at;	 /* index of its first word */
	uint16_t words;	 /* from there to the end of the run */
	uint16_t height; /* frames from here to the outermost, and MEMO_NEEDS_BP */
};

/* What follows a run, in place[]; value[] says where to. */
enum memo_end {
	MEMO_LINK = 0, /* value: at << 32 | words of the run that it joins */
	MEMO_END = 1,  /* the outermost frame, certainly */
	MEMO_OPEN = 2, /* the outermost frame that could be found: to be asked again. Then ip, sp, bp, flags */
};

struct memo {
	uintptr_t origin; /* what places are counted from; 0: the stack is not known yet and nothing is remembered */
	uint32_t used;	  /* words */
	uint32_t shift;	  /* 64 - log2 of the marks in use */
	uint32_t evicted; /* marks overwritten in this round */
	uint16_t round;
	struct mark marks[MEMO_MARKS_MAX];
	uint32_t place[MEMO_WORDS_MAX];
	uintptr_t value[MEMO_WORDS_MAX];
};

/* memo_init - empty and for another stack, in zeroed memory or a memo from before. */
void memo_init(struct memo *m);

/* memo_forget - what is remembered may not be true any more: code is elsewhere, nodes have other ids. */
void memo_forget(struct memo *m);

/* memo_stack - the thread's own stack ends at `top`. The first call counts. */
void memo_stack(struct memo *m, uintptr_t top);

static inline uint64_t memo_key(const struct memo *m, const struct frame *f)
{
	return (uint64_t)f->ip ^ (uint64_t)m->round << 48 ^ (uint64_t)(f->flags & (FRAME_EXACT | FRAME_GUESSED)) << 62;
}

/* Rotated, so that what is no multiple of 8 has no place within 32 bits. */
static inline uint64_t memo_place(const struct memo *m, uintptr_t at)
{
	uint64_t distance = at - m->origin;

	return distance >> 3 | distance << 61;
}

static inline struct mark *memo_slot(struct memo *m, uint64_t key, uint64_t place)
{
	return &m->marks[(key ^ place << 13) * UINT64_C(0x9e3779b97f4a7c15) >> m->shift];
}

/* memo_find - the mark of this frame, or NULL. Whether it still holds is another question. */
static inline const struct mark *memo_find(struct memo *m, const struct frame *f)
{
	uint64_t key = memo_key(m, f), place = memo_place(m, f->sp);
	const struct mark *mark = memo_slot(m, key, place);

	if (mark->key != key || mark->place != place || (mark->height & MEMO_NEEDS_BP && mark->bp != f->bp))
		return NULL;
	return mark;
}

static inline uintptr_t memo_word(const struct memo *m, uint32_t place)
{
	return *(const uintptr_t *)(m->origin + (uintptr_t)place * 8);
}

/* The bits in which words of a run differ from what they were. Four at a time, 4.5 instructions each. */
static inline uintptr_t memo_differences(const struct memo *m, uint32_t at, uint32_t words)
{
	const uint32_t *place = &m->place[at], *end = place + words;
	const uintptr_t *value = &m->value[at];
	uintptr_t differs = 0;

	for (; end - place >= 4; place += 4, value += 4) {
		differs |= memo_word(m, place[0]) ^ value[0];
		differs |= memo_word(m, place[1]) ^ value[1];
		differs |= memo_word(m, place[2]) ^ value[2];
		differs |= memo_word(m, place[3]) ^ value[3];
	}
	for (; place < end; place++, value++)
		differs |= memo_word(m, *place) ^ *value;
	return differs;
}

/* memo_holds - is everything from this frame outwards as it was, beyond doubt? 0.3 ns a word. */
static inline bool memo_holds(const struct memo *m, const struct mark *mark)
{
	uint32_t at = mark->at, words = mark->words;

	for (;;) {
		if (unlikely(memo_differences(m, at, words) != 0))
			return false;
		at += words;
		if (m->place[at] != MEMO_LINK)
			return m->place[at] == MEMO_END;
		words = (uint32_t)m->value[at];
		at = (uint32_t)(m->value[at] >> 32);
	}
}

/*
 * memo_check - memo_holds when there is time, and why not.
 *
 * Returns:  MEMO_END: it holds. MEMO_OPEN: it does if `*last` is still the end of the stack, with that result of
 *           unwind_step. MEMO_LINK: it doesn't, because of a word at *differs or further inwards.
 */
enum memo_end memo_check(const struct memo *m, const struct mark *mark, uintptr_t *differs, struct frame *last,
			 int *result);

/*
 * memo_add - remember a walk.
 *
 * frames:   innermost first, each with what it was found by and its node.
 * joined:   a copy of the mark that frames[len - 1] has, or NULL: that frame is the outermost.
 * is_sure:  the outermost frame is the end beyond doubt; else `result` is what unwind_step said of it.
 * is_whole: false when the stack was cut to a number of frames: then it is remembered as a whole only.
 */
void memo_add(struct memo *m, struct frame *frames, uint32_t len, const struct mark *joined, bool is_sure, int result,
	      bool is_whole);

#endif
