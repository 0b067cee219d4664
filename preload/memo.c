// SPDX-License-Identifier: MIT
/* memo.c - see memo.h. */
#include "preload/memo.h"

#define ROUNDS 0x3fffu
#define WORDS_PER_FRAME 3u /* at most: return address, bp, what the CFA was computed from */
#define END_WORDS 5u
#define COPY_WORDS 8u /* a run of so many is copied, since following a link takes as long */
#define COPY_MOST 32u

static unsigned log2_of(uint32_t power)
{
	return 31 - (unsigned)__builtin_clz(power);
}

/* The round is never 0, so that a zeroed mark is nobody's. */
void memo_forget(struct memo *m)
{
	if (m->round == ROUNDS) {
		__builtin_memset(m->marks, 0, sizeof(m->marks));
		m->round = 0;
	}
	m->round++;
	m->used = m->evicted = 0;
}

void memo_init(struct memo *m)
{
	m->origin = 0;
	m->shift = 64 - log2_of(MEMO_MARKS_FIRST);
	memo_forget(m);
}

void memo_stack(struct memo *m, uintptr_t top)
{
	if (!m->origin)
		m->origin = top - MEMO_REACH;
}

/* ---- asking -------------------------------------------------------------------------------------------------- */

enum memo_end memo_check(const struct memo *m, const struct mark *mark, uintptr_t *differs, struct frame *last,
			 int *result)
{
	uint32_t at = mark->at, end = at + mark->words;
	const uintptr_t *open;

	*differs = 0;
	for (;;) {
		for (; at < end; at++) {
			uintptr_t where = m->origin + (uintptr_t)m->place[at] * 8;

			if (memo_word(m, m->place[at]) != m->value[at] && where > *differs)
				*differs = where;
		}
		if (m->place[end] != MEMO_LINK)
			break;
		at = (uint32_t)(m->value[end] >> 32);
		end = at + (uint32_t)m->value[end];
	}
	if (*differs)
		return MEMO_LINK;
	if (m->place[end] == MEMO_END)
		return MEMO_END;
	open = &m->value[end];
	*result = (int)open[0];
	*last = (struct frame){ .ip = open[1], .sp = open[2], .bp = open[3], .flags = (uint8_t)open[4] };
	return MEMO_OPEN;
}

/* ---- remembering --------------------------------------------------------------------------------------------- */

static void put(struct memo *m, uint32_t place, uintptr_t value)
{
	m->place[m->used] = place;
	m->value[m->used++] = value;
}

/* Is bp of the callee part of how `f` and what is further out were found? */
static bool needs_callee_bp(const struct frame *f)
{
	return f->flags & FRAME_BY_BP || (f->flags & FRAME_NEEDS_BP && !f->bp_slot);
}

/* Words are remembered where they can be read at any later capture: between the callee's sp and the top. */
static bool is_own(const struct memo *m, const struct frame *callee, uintptr_t at)
{
	return at >= callee->sp && memo_place(m, at) >> 32 == 0;
}

static bool can_remember(const struct memo *m, const struct frame *callee, const struct frame *f)
{
	return !(f->flags & FRAME_OPAQUE) && is_own(m, callee, f->sp - 8) &&
	       (!f->bp_slot || is_own(m, callee, f->bp_slot)) && (!f->cfa_slot || is_own(m, callee, f->cfa_slot));
}

/* From the outermost frame inwards: which need their bp. Returns how far in the walk can be remembered. */
static uint32_t plan(const struct memo *m, struct frame *frames, uint32_t len, bool needs_bp)
{
	uint32_t i = len - 1;

	frames[i].flags |= needs_bp ? FRAME_NEEDS_BP : 0;
	for (; i > 0 && can_remember(m, &frames[i - 1], &frames[i]); i--)
		frames[i - 1].flags |= needs_callee_bp(&frames[i]) ? FRAME_NEEDS_BP : 0;
	return i;
}

/* What was read to find `f`. A saved bp that nobody is found by may change; a guess was believed because of it. */
static void put_words_of(struct memo *m, const struct frame *f)
{
	put(m, (uint32_t)memo_place(m, f->sp - 8), f->ip);
	if (f->cfa_slot)
		put(m, (uint32_t)memo_place(m, f->cfa_slot), *(const uintptr_t *)f->cfa_slot);
	if (f->bp_slot && f->flags & (FRAME_NEEDS_BP | FRAME_GUESSED))
		put(m, (uint32_t)memo_place(m, f->bp_slot), f->bp);
}

/* Words of another run, which stay there as well. */
static void put_copy(struct memo *m, uint32_t at, uint32_t words)
{
	for (uint32_t i = at; i < at + words; i++)
		put(m, m->place[i], m->value[i]);
}

/*
 * The rest of an older run and what it leads to: short ones are copied, a long one is linked to. This and put_outermost
 * return the index of the end.
 */
static uint32_t put_joined(struct memo *m, uint32_t at, uint32_t words)
{
	uint32_t limit = m->used + COPY_MOST;

	while (words <= COPY_WORDS && m->used + words <= limit) {
		uint32_t end;

		put_copy(m, at, words);
		at += words;
		end = m->used;
		if (m->place[at] != MEMO_LINK) {
			put_copy(m, at, m->place[at] == MEMO_OPEN ? END_WORDS : 1);
			return end;
		}
		words = (uint32_t)m->value[at];
		at = (uint32_t)(m->value[at] >> 32);
	}
	put(m, MEMO_LINK, (uintptr_t)at << 32 | words);
	return m->used - 1;
}

static uint32_t put_outermost(struct memo *m, const struct frame *outermost, bool is_sure, int result)
{
	uint32_t end = m->used;

	put(m, is_sure ? MEMO_END : MEMO_OPEN, (uintptr_t)(intptr_t)result);
	if (!is_sure) {
		put(m, 0, outermost->ip);
		put(m, 0, outermost->sp);
		put(m, 0, outermost->bp);
		put(m, 0, outermost->flags);
	}
	return end;
}

static void put_mark(struct memo *m, const struct frame *f, uint32_t end, uint32_t height)
{
	uint64_t key = memo_key(m, f), place = memo_place(m, f->sp);
	struct mark *slot = memo_slot(m, key, place);

	m->evicted += (slot->key >> 48 & ROUNDS) == m->round && (slot->key != key || slot->place != place);
	*slot = (struct mark){
		.key = key,
		.place = (uint32_t)place,
		.node = f->node,
		.bp = f->bp,
		.at = f->at,
		.words = (uint16_t)(end - f->at),
		.height = (uint16_t)(height | (f->flags & FRAME_NEEDS_BP ? MEMO_NEEDS_BP : 0)),
	};
}

/* More marks as soon as they push each other out. What was remembered isn't worth being carried over. */
static void make_room(struct memo *m, uint32_t words)
{
	uint32_t marks = (uint32_t)1 << (64 - m->shift);

	if (m->evicted > marks / 2 && marks < MEMO_MARKS_MAX) {
		m->shift -= 2;
		memo_forget(m);
	} else if (m->used + words > MEMO_WORDS_MAX) {
		memo_forget(m);
	}
}

void memo_add(struct memo *m, struct frame *frames, uint32_t len, const struct mark *joined, bool is_sure, int result,
	      bool is_whole)
{
	uint32_t height = joined ? MEMO_HEIGHT(joined) : 1, round = m->round, first, end;

	if (!m->origin || memo_place(m, frames[len - 1].sp) >> 32)
		return;
	make_room(m, len * WORDS_PER_FRAME + COPY_MOST + END_WORDS);
	if (m->round != round && joined)
		return;
	first = plan(m, frames, len, joined ? joined->height & MEMO_NEEDS_BP : !is_sure);
	if (!is_whole && first)
		return;
	for (uint32_t i = first; i < len; i++) {
		frames[i].at = m->used;
		if (i + 1 < len)
			put_words_of(m, &frames[i + 1]);
	}
	end = joined ? put_joined(m, joined->at, joined->words) : put_outermost(m, &frames[len - 1], is_sure, result);
	for (uint32_t i = first; i < (is_whole ? len - (joined != NULL) : 1); i++)
		put_mark(m, &frames[i], end, height + len - 1 - i);
}
