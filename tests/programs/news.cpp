// SPDX-License-Identifier: MIT
// news.cpp - known numbers of blocks from every call that makes one, a pool, and a mapping beside the heap.
#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>

#include "ringside.h"

struct thing {
	char bytes[48];
};
struct alignas(64) wide {
	char bytes[64];
};

static void *volatile last;

static void plant_new()
{
	for (int i = 0; i < 1000; i++)
		last = new thing;
}

static void plant_array()
{
	for (int i = 0; i < 500; i++)
		last = new char[100];
}

static void plant_aligned_new()
{
	for (int i = 0; i < 20; i++)
		last = new wide;
}

static void plant_malloc()
{
	for (int i = 0; i < 300; i++)
		last = malloc(200);
}

static void plant_calloc()
{
	for (int i = 0; i < 100; i++)
		last = calloc(4, 25);
}

static void plant_realloc()
{
	void *block = malloc(10);

	for (int i = 0; i < 50; i++)
		block = realloc(block, 100 + i);
	last = block;
}

static void plant_aligned()
{
	void *block;

	for (int i = 0; i < 40; i++)
		last = posix_memalign(&block, 256, 512) ? nullptr : block;
	for (int i = 0; i < 30; i++)
		last = aligned_alloc(128, 256);
}

static void plant_pool()
{
	static char memory[4096];

	for (int i = 0; i < 64; i++)
		ringside_pool_alloc(memory, "planted", memory + 64 * i, 64);
	for (int i = 0; i < 16; i++)
		ringside_pool_free(memory, memory + 64 * i);
}

static void plant_mapping()
{
	last = mmap(nullptr, 3 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int main()
{
	plant_new();
	plant_array();
	plant_aligned_new();
	plant_malloc();
	plant_calloc();
	plant_realloc();
	plant_aligned();
	plant_pool();
	plant_mapping();
	puts("done");
	return last == nullptr;
}
