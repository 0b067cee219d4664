/* SPDX-License-Identifier: MIT */
/* usable.c - blocks of many sizes, all kept, and what malloc_usable_size says of them, by the function that asked. */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct book {
	uint64_t blocks, bytes, usable;
};

static void write_down(struct book *b, void *block, size_t size)
{
	b->blocks++;
	b->bytes += size;
	b->usable += malloc_usable_size(block);
}

static void ask_small(struct book *b)
{
	for (size_t size = 0; size <= 1100; size++)
		write_down(b, malloc(size), size);
}

static void ask_medium(struct book *b)
{
	for (size_t size = 1101; size < 128000; size += 97)
		write_down(b, malloc(size), size);
}

/* Large enough for mappings of their own. */
static void ask_large(struct book *b)
{
	for (size_t size = 140000; size < 12000000; size += size / 16)
		write_down(b, malloc(size), size);
}

/* Not every allocator has reallocarray; the block must be its own all the same. */
static void resize_and_free(void)
{
	void *block = reallocarray(NULL, 10, 10);

	block = reallocarray(block, 1000, 10);
	free(block);
}

static void print(const char *name, const struct book *b, const char *end)
{
	printf("\"%s\": {\"blocks\": %lu, \"bytes\": %lu, \"usable\": %lu}%s\n", name, b->blocks, b->bytes, b->usable,
	       end);
}

int main(void)
{
	struct book small = { 0 }, medium = { 0 }, large = { 0 };

	ask_small(&small);
	ask_medium(&medium);
	ask_large(&large);
	resize_and_free();
	printf("{");
	print("ask_small", &small, ",");
	print("ask_medium", &medium, ",");
	print("ask_large", &large, "}");
	return 0;
}
