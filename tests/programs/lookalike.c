/* SPDX-License-Identifier: MIT */
/*
 * lookalike.c - stacks whose inner frames are the same, to the last register, while outer ones are not.
 *
 * Who remembers a stack and looks only whether the return addresses are still where they were is taken in: by the
 * first kind because the place of a caller's frame is in a saved rbp only, by the second because it is in a
 * word of a realigned frame and the old return addresses still lie where they were, in arrays that nobody fills. The
 * third ends in code without unwind information, or goes on from there by a frame pointer, as it comes.
 */
#include <alloca.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/options.h"
#include "common/rng.h"

#define KEEP(p) __asm__ volatile("" : : "r"(p) : "memory")

static struct rng rng = { 3 };
static uint64_t blocks;
static uint64_t way_count = 7;
static uintptr_t level; /* of the stack, which all come down to */

/*
 * What the caller had in rbp is in this frame only. There is no other call of the heap, whose stack would be
 * remembered in between.
 */
static void leaf(void)
{
	static void *block;

	__asm__ volatile("xor %%ebp, %%ebp" : : : "rbp");
	block = realloc(block, 10);
	blocks += block != NULL;
}

/* ---- a saved rbp ------------------------------------------------------------------------------------------ */

static void come_down(void)
{
	volatile char *room = alloca((uintptr_t)__builtin_frame_address(0) - level);

	room[0] = 1;
	leaf();
	KEEP(room);
}

#define FROM_ABOVE(name, size)                                                                                         \
	static void name(void)                                                                                         \
	{                                                                                                              \
		volatile char room[size];                                                                              \
                                                                                                                       \
		KEEP(room);                                                                                            \
		come_down();                                                                                           \
		KEEP(room);                                                                                            \
	}

FROM_ABOVE(from_above_24, 24)
FROM_ABOVE(from_above_104, 104)
FROM_ABOVE(from_above_1000, 1000)

/* ---- a word of a realigned frame -------------------------------------------------------------------------- */

/* The alignment and the variable size make gcc keep the caller's sp in memory. */
static void realigned(void)
{
	volatile char wide[64] __attribute__((aligned(64)));
	volatile char *more = alloca(16);

	wide[0] = more[0] = 1;
	leaf();
	KEEP(wide);
	KEEP(more);
}

static void middle(void)
{
	volatile char room[104];

	KEEP(room);
	realigned();
	KEEP(room);
}

#define TO_MIDDLE(name, size)                                                                                          \
	static void name(void)                                                                                         \
	{                                                                                                              \
		volatile char room[size];                                                                              \
                                                                                                                       \
		KEEP(room);                                                                                            \
		middle();                                                                                              \
		KEEP(room);                                                                                            \
	}

TO_MIDDLE(to_middle_72, 72)
TO_MIDDLE(to_middle_88, 88)
TO_MIDDLE(to_middle_104, 104)

/* ---- no unwind information -------------------------------------------------------------------------------- */

void lookalike_leaf(void);
void lookalike_no_info(const uintptr_t *frame);

void lookalike_leaf(void)
{
	leaf();
}

/* Calls it with this frame pointer. */
__asm__(".text\n"
	".type lookalike_no_info, @function\n"
	"lookalike_no_info:\n"
	"\tpush %rbp\n"
	"\tmov %rdi, %rbp\n"
	"\tcall lookalike_leaf\n"
	"\tpop %rbp\n"
	"\tret\n"
	".size lookalike_no_info, .-lookalike_no_info\n");

static uintptr_t return_address(void)
{
	return (uintptr_t)__builtin_return_address(0);
}

/* A frame that leads back to this function, which has a frame pointer because of the alloca, or nowhere. */
static void without_info(void)
{
	static unsigned int turn;
	uintptr_t *frame = alloca(2 * sizeof(*frame));

	frame[0] = (uintptr_t)__builtin_frame_address(0);
	frame[1] = return_address();
	if (turn++ % 2)
		frame[1] = 1;
	KEEP(frame);
	lookalike_no_info(frame);
	KEEP(frame);
}

static void (*const ways[7])(void) = {
	from_above_24, from_above_104, from_above_1000, to_middle_72, to_middle_88, to_middle_104, without_info,
};

/* One of the ways, from one of four places for each alignment by 64. */
static void one_round(uint64_t choice)
{
	volatile char *room = alloca(choice / 16 % 4 * 16 + 16);

	room[0] = 1;
	ways[choice % way_count]();
	KEEP(room);
}

int main(int argc, char **argv)
{
	uint64_t rounds = 20000;
	const struct option_row rows[] = {
		{ "rounds", OPTION_NUMBER, &rounds, 1, 1000000000, "allocations" },
		{ "ways", OPTION_NUMBER, &way_count, 1, 7, "3: only the first kind" },
		{ 0 },
	};

	options_parse(argc, argv, "lookalike", "Allocates on stacks that differ in outer frames only.\n", rows);
	level = ((uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)63) - 16384;
	for (uint64_t i = 0; i < rounds; i++)
		one_round(rng_next(&rng));
	printf("lookalike: %lu rounds, %lu blocks\n", rounds, blocks);
	return fflush(stdout) ? 1 : 0;
}
