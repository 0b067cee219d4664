/* SPDX-License-Identifier: MIT */
/*
 * sites.c - malloc and free from 4096 different stacks in random order: what a recorder costs that cannot
 * rely on meeting the last stack again.
 *
 * Sixteen functions call each other through a table, three levels deep; the path is the site.
 */
#include "bench.h"

typedef void *site_fn(unsigned path, int levels);
static site_fn *const sites[16];

__attribute__((noinline)) static void *descend(unsigned path, int levels)
{
	void *block;

	if (!levels)
		return malloc(48);
	block = sites[path & 15](path >> 4, levels - 1);
	__asm__ volatile("" : "+r"(block)); /* no tail call */
	return block;
}

#define SITE(n)                                                                                                        \
	__attribute__((noinline)) static void *site_##n(unsigned path, int levels)                                     \
	{                                                                                                              \
		volatile char local[8 + 16 * (n)];                                                                     \
		void *block;                                                                                           \
                                                                                                                       \
		local[0] = (char)levels;                                                                               \
		block = descend(path, levels);                                                                         \
		local[sizeof(local) - 1] = local[0];                                                                   \
		return block;                                                                                          \
	}
SITE(0)
SITE(1)
SITE(2)
SITE(3)
SITE(4)
SITE(5)
SITE(6)
SITE(7) SITE(8) SITE(9) SITE(10) SITE(11) SITE(12) SITE(13) SITE(14) SITE(15)

	static site_fn *const sites[16] = { site_0, site_1, site_2,  site_3,  site_4,  site_5,	site_6,	 site_7,
					    site_8, site_9, site_10, site_11, site_12, site_13, site_14, site_15 };

static void visit(long ops, long index)
{
	uint32_t random = 88675123u + (uint32_t)index;

	for (long i = 0; i < ops; i++)
		free(descend(bench_random(&random) & 0xfff, 3));
}

int main(int argc, char **argv)
{
	struct bench bench = bench_args(argc, argv, 2000000);

	return bench_run(&bench, visit, "pair");
}
