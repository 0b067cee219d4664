/*
 * own_realloc.c - a program with an allocator of its own that has no reallocarray, as static jemalloc and tcmalloc are.
 * libc's reallocarray must find the program's realloc, with or without the recorder between them.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char arena[1 << 20] __attribute__((aligned(16)));
static size_t used;

void *malloc(size_t size)
{
	size_t *block = (size_t *)(arena + __atomic_fetch_add(&used, (size + 31) & ~(size_t)15, __ATOMIC_RELAXED));

	if ((char *)block + size + 16 > arena + sizeof(arena)) {
		errno = ENOMEM;
		return NULL;
	}
	block[0] = size;
	return block + 2;
}

void free(void *block)
{
	(void)block;
}

void *calloc(size_t n, size_t size)
{
	return malloc(n * size);
}

void *realloc(void *old, size_t size)
{
	void *block = malloc(size);

	if (old && block)
		memcpy(block, old, ((size_t *)old)[-2] < size ? ((size_t *)old)[-2] : size);
	return block;
}

static int is_in_arena(const void *block)
{
	return (const char *)block >= arena && (const char *)block < arena + sizeof(arena);
}

int main(void)
{
	volatile size_t many = SIZE_MAX / 2;
	char *text = malloc(10);

	strcpy(text, "text");
	text = reallocarray(text, 100, 10);
	printf("%s %d\n", text, is_in_arena(text));
	text = reallocarray(NULL, 100, 10);
	printf("%d\n", is_in_arena(text));
	printf("%d\n", reallocarray(text, many, 10) == NULL);
	printf("%d\n", errno == ENOMEM);
	printf("%d\n", is_in_arena(strdup("copy")));
	return 0;
}
