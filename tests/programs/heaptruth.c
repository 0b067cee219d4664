/* SPDX-License-Identifier: MIT */
/*
 * heaptruth.c - blocks at random, with exact books of what the heap reports must say about them.
 *
 * Eight functions allocate, four grow, four free; which of them acts on which block is drawn from a seed. The books are
 * kept beside the heap (static memory) and printed as JSON at the end: lives by place, pairs of allocation and free,
 * temporary blocks by the definitions of `heap temporary`, chains of reallocs, and the peak, also after each mark. One
 * thread, so that every number is exact.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ringside.h>

#include "common/options.h"
#include "common/rng.h"

#define SLOTS 4096u
#define MAKERS 8u
#define GROWERS 4u
#define PLACES (MAKERS + GROWERS)
#define FREERS 4u
#define MARKS 3u

/* A block, and the chain of reallocs it is part of. */
struct slot {
	void *block;
	size_t size, first_size;
	unsigned place;
	uint64_t nth; /* allocation of the program */
	uint64_t reallocs, in_place, copied;
};

struct place {
	uint64_t allocations, bytes, ended, alive, live_bytes, live_blocks, peak_bytes, peak_blocks;
	uint64_t next, near;
	uint64_t chains, reallocs, in_place, copied, longest, max_final;
	uint64_t pairs[FREERS];
};

static struct slot slots[SLOTS];
static struct place places[PLACES];
static uint64_t allocations, live_bytes, live_blocks, peak_bytes, peak_blocks;
/*
 * heaptrack knows a block by its size and stack: it also takes the free of another block of the last one's kind for
 * that of the last one.
 */
static uint64_t temporary_by_kind;
static struct {
	unsigned place;
	size_t size;
	int is_newest;
} last;
static uint64_t mark_peaks[MARKS + 1], mark_at;
static uint64_t seed = 1, rounds = 50000, max_size = 20000;
static struct rng rng;

#define MAKER(n)                                                                                                       \
	__attribute__((noinline)) static void *make_##n(size_t size)                                                   \
	{                                                                                                              \
		void *block = n % 3 == 2 ? calloc(1, size) : malloc(size);                                             \
                                                                                                                       \
		__asm__ volatile("" ::"r"(block) : "memory");                                                          \
		return block;                                                                                          \
	}
#define GROWER(n)                                                                                                      \
	__attribute__((noinline)) static void *grow_##n(void *old, size_t size)                                        \
	{                                                                                                              \
		void *block = realloc(old, size);                                                                      \
                                                                                                                       \
		__asm__ volatile("" ::"r"(block) : "memory");                                                          \
		return block;                                                                                          \
	}
#define FREER(n)                                                                                                       \
	__attribute__((noinline)) static void drop_##n(void *block)                                                    \
	{                                                                                                              \
		free(block);                                                                                           \
		__asm__ volatile("" ::: "memory");                                                                     \
	}
MAKER(0)
MAKER(1)
MAKER(2) MAKER(3) MAKER(4) MAKER(5) MAKER(6) MAKER(7) GROWER(0) GROWER(1) GROWER(2) GROWER(3) FREER(0) FREER(1) FREER(2)
	FREER(3) static void *(*const makers[])(size_t) = { make_0, make_1, make_2, make_3,
							    make_4, make_5, make_6, make_7 };
static void *(*const growers[])(void *, size_t) = { grow_0, grow_1, grow_2, grow_3 };
static void (*const freers[])(void *) = { drop_0, drop_1, drop_2, drop_3 };

/* Log-uniform: as many blocks of 8 to 16 bytes as of 8 to 16 KiB. */
static size_t draw_size(void)
{
	unsigned top = 3;

	while ((UINT64_C(1) << (top + 1)) < max_size)
		top++;
	return rng_between(&rng, 8, UINT64_C(1) << rng_between(&rng, 4, top));
}

/* ---- books ---------------------------------------------------------------------------------------------------- */

static void gain(struct slot *s, unsigned place, size_t size)
{
	s->place = place;
	s->size = size;
	s->nth = ++allocations;
	last.place = place;
	last.size = size;
	last.is_newest = 1;
	places[place].allocations++;
	places[place].bytes += size;
	places[place].live_bytes += size;
	places[place].live_blocks++;
	live_bytes += size;
	live_blocks++;
	if (live_bytes > mark_peaks[mark_at])
		mark_peaks[mark_at] = live_bytes;
	if (live_bytes <= peak_bytes)
		return;
	peak_bytes = live_bytes;
	peak_blocks = live_blocks;
	for (unsigned i = 0; i < PLACES; i++) {
		places[i].peak_bytes = places[i].live_bytes;
		places[i].peak_blocks = places[i].live_blocks;
	}
}

static void lose(struct slot *s)
{
	struct place *p = &places[s->place];

	p->ended++;
	temporary_by_kind += last.is_newest && last.place == s->place && last.size == s->size;
	last.is_newest = 0;
	p->next += allocations == s->nth;
	p->near += allocations <= s->nth + 1;
	p->live_bytes -= s->size;
	p->live_blocks--;
	live_bytes -= s->size;
	live_blocks--;
}

static void close_chain(struct slot *s)
{
	struct place *p = &places[s->place];

	if (!s->reallocs)
		return;
	p->chains++;
	p->reallocs += s->reallocs;
	p->in_place += s->in_place;
	p->copied += s->copied;
	if (s->reallocs > p->longest)
		p->longest = s->reallocs;
	if (s->size > p->max_final)
		p->max_final = s->size;
}

/* ---- actions -------------------------------------------------------------------------------------------------- */

static void make(struct slot *s)
{
	unsigned maker = (unsigned)rng_between(&rng, 0, MAKERS - 1);
	size_t size = draw_size();

	*s = (struct slot){ .block = makers[maker](size), .first_size = size };
	if (s->block)
		gain(s, maker, size);
}

static void grow(struct slot *s)
{
	unsigned grower = (unsigned)rng_between(&rng, 0, GROWERS - 1);
	size_t old_size = s->size, size = old_size + rng_between(&rng, 0, old_size);
	uintptr_t old = (uintptr_t)s->block;
	void *block = growers[grower](s->block, size);

	if (!block)
		return;
	s->block = block;
	lose(s);
	s->reallocs++;
	s->in_place += (uintptr_t)block == old;
	s->copied += (uintptr_t)block == old ? 0 : old_size;
	gain(s, MAKERS + grower, size);
}

static void drop(struct slot *s)
{
	unsigned freer = (unsigned)rng_between(&rng, 0, FREERS - 1);

	close_chain(s);
	places[s->place].pairs[freer]++;
	lose(s);
	freers[freer](s->block);
	s->block = NULL;
}

static void act(void)
{
	struct slot *s = &slots[rng_between(&rng, 0, SLOTS - 1)];
	unsigned what = (unsigned)rng_between(&rng, 0, 9);

	/* Now and then a block that is hardly there, or with one other between. */
	if (!s->block) {
		make(s);
		if (s->block && what == 0)
			drop(s);
		return;
	}
	if (what < 4 && s->size < max_size)
		grow(s);
	else if (what < 9)
		drop(s);
}

static void print_place(unsigned i)
{
	const struct place *p = &places[i];

	printf("%s{\"function\": \"%s_%u\", \"allocations\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"ended\": %" PRIu64
	       ", \"alive\": %" PRIu64 ", \"live_bytes\": %" PRIu64 ", \"peak_bytes\": %" PRIu64
	       ", \"peak_blocks\": %" PRIu64 ", \"temporary\": %" PRIu64 ", \"near\": %" PRIu64 ", \"chains\": %" PRIu64
	       ", \"reallocs\": %" PRIu64 ", \"in_place\": %" PRIu64 ", \"copied_bytes\": %" PRIu64
	       ", \"longest_chain\": %" PRIu64 ", \"max_final_bytes\": %" PRIu64 ", \"freed_by\": [",
	       i ? ",\n" : "", i < MAKERS ? "make" : "grow", i < MAKERS ? i : i - MAKERS, p->allocations, p->bytes,
	       p->ended, p->live_blocks, p->live_bytes, p->peak_bytes, p->peak_blocks, p->next, p->near, p->chains,
	       p->reallocs, p->in_place, p->copied, p->longest, p->max_final);
	for (unsigned f = 0; f < FREERS; f++)
		printf("%s%" PRIu64, f ? ", " : "", p->pairs[f]);
	printf("]}");
}

static void print_books(void)
{
	printf("{\"allocations\": %" PRIu64 ", \"live_bytes\": %" PRIu64 ", \"peak_bytes\": %" PRIu64
	       ", \"peak_blocks\": %" PRIu64 ", \"temporary_by_kind\": %" PRIu64 ", \"mark_peaks\": [",
	       allocations, live_bytes, peak_bytes, peak_blocks, temporary_by_kind);
	for (unsigned i = 0; i <= MARKS; i++)
		printf("%s%" PRIu64, i ? ", " : "", mark_peaks[i]);
	printf("],\n\"places\": [");
	for (unsigned i = 0; i < PLACES; i++)
		print_place(i);
	printf("]}\n");
}

int main(int argc, char **argv)
{
	const struct option_row rows[] = {
		{ "rounds", OPTION_NUMBER, &rounds, MARKS + 1, 1000000000, "actions" },
		{ "max-size", OPTION_NUMBER, &max_size, 64, 1 << 26, "bytes of the largest block, about" },
		{ "seed", OPTION_NUMBER, &seed, 0, UINT64_MAX, "which actions" },
		{ 0 },
	};
	static char buffer[1 << 16];

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	options_parse(argc, argv, "heaptruth", "Allocates at random and prints exact books as JSON.\n", rows);
	rng.state = seed;
	for (uint64_t i = 0; i < rounds; i++) {
		if (i && i % (rounds / (MARKS + 1)) == 0 && mark_at < MARKS) {
			ringside_mark("quarter");
			mark_peaks[++mark_at] = live_bytes;
		}
		act();
	}
	for (unsigned i = 0; i < SLOTS; i++)
		if (slots[i].block)
			close_chain(&slots[i]);
	print_books();
	return fflush(stdout) ? 1 : 0;
}
