/* SPDX-License-Identifier: MIT */
/*
 * freepairs.c - blocks that are made in four places and freed in three, with exact books of every pair.
 *
 * Most blocks are freed by the first thread, at random or strictly in turn (--rhythm); what is left in the end by a
 * second thread, but for some that stay. Some grow by realloc first, which ends one block at the place that grows it.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/options.h"
#include "common/rng.h"

#define MAKERS 4
#define ENDERS 4 /* three that free, and one that reallocates */
#define GROWER 3
#define SLOTS 256
#define STAYING 16

struct slot {
	void *block;
	size_t size;
	int maker; /* the grower is one too: MAKERS */
};

struct pair {
	uint64_t blocks, bytes, elsewhere;
};

static struct slot slots[SLOTS];
static struct pair pairs[MAKERS + 1][ENDERS];
static uint64_t rounds = 100000, seed = 1;
static int is_rhythmic;
static volatile int after; /* what follows a call keeps it from becoming a jump */

#define MAKER(n)                                                                                                       \
	static void *make_##n(size_t size)                                                                             \
	{                                                                                                              \
		void *block = malloc(size);                                                                            \
                                                                                                                       \
		after = n;                                                                                             \
		return block;                                                                                          \
	}
MAKER(0)
MAKER(1)
MAKER(2)
MAKER(3)
static void *(*const makers[])(size_t) = { make_0, make_1, make_2, make_3 };

#define DROPPER(n)                                                                                                     \
	static void drop_##n(void *block)                                                                              \
	{                                                                                                              \
		free(block);                                                                                           \
		after = n;                                                                                             \
	}
DROPPER(0)
DROPPER(1)
DROPPER(2)
static void (*const droppers[])(void *) = { drop_0, drop_1, drop_2 };

static void *grow(void *block, size_t size)
{
	void *now = realloc(block, size);

	after = 1;
	return now;
}

static void note(const struct slot *slot, int ender, int is_elsewhere)
{
	pairs[slot->maker][ender].blocks++;
	pairs[slot->maker][ender].bytes += slot->size;
	pairs[slot->maker][ender].elsewhere += (uint64_t)is_elsewhere;
}

static void drop(struct slot *slot, int dropper, int is_elsewhere)
{
	if (!slot->block)
		return;
	note(slot, dropper, is_elsewhere);
	droppers[dropper](slot->block);
	slot->block = NULL;
}

static void step(struct rng *rng, uint64_t round)
{
	struct slot *slot = &slots[is_rhythmic ? round % SLOTS : rng_between(rng, 0, SLOTS - 1)];
	int dropper = (int)(is_rhythmic ? round % 3 : rng_between(rng, 0, 2));

	drop(slot, dropper, 0);
	slot->maker = (int)(is_rhythmic ? round % MAKERS : rng_between(rng, 0, MAKERS - 1));
	slot->size = is_rhythmic ? 64 : rng_between(rng, 8, 3000);
	slot->block = makers[slot->maker](slot->size);
	if (is_rhythmic || rng_between(rng, 0, 7))
		return;
	note(slot, GROWER, 0);
	slot->maker = MAKERS;
	slot->size += 100;
	slot->block = grow(slot->block, slot->size);
}

static void *drop_the_rest(void *unused)
{
	for (int i = STAYING; i < SLOTS; i++)
		drop(&slots[i], i % 3, 1);
	return unused;
}

static void print_books(void)
{
	static const char *const ender_names[] = { "drop_0", "drop_1", "drop_2", "grow" };
	const char *comma = "";

	printf("{\"pairs\":[");
	for (int m = 0; m <= MAKERS; m++)
		for (int e = 0; e < ENDERS; e++) {
			const struct pair *p = &pairs[m][e];
			char maker[16];

			if (!p->blocks)
				continue;
			snprintf(maker, sizeof(maker), m == MAKERS ? "grow" : "make_%d", m);
			printf("%s\n{\"maker\":\"%s\",\"ender\":\"%s\",\"blocks\":%lu,\"bytes\":%lu,\"elsewhere\":%lu}",
			       comma, maker, ender_names[e], p->blocks, p->bytes, p->elsewhere);
			comma = ",";
		}
	printf("]}\n");
}

static const struct option_row rows[] = {
	{ "rounds", OPTION_NUMBER, &rounds, 1, 100000000, "blocks to make" },
	{ "seed", OPTION_NUMBER, &seed, 0, UINT64_MAX, "which ones" },
	{ "rhythm", OPTION_FLAG, &is_rhythmic, 0, 0, "everything strictly in turn" },
	{ 0 },
};

int main(int argc, char **argv)
{
	struct rng rng;
	pthread_t second;

	options_parse(argc, argv, "freepairs", "Makes and frees blocks and prints who freed whose.\n", rows);
	rng = (struct rng){ seed };
	for (uint64_t i = 0; i < rounds; i++)
		step(&rng, i);
	if (pthread_create(&second, NULL, drop_the_rest, NULL) || pthread_join(second, NULL))
		return 1;
	print_books();
	return 0;
}
