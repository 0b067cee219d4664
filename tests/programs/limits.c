/* SPDX-License-Identifier: MIT */
/* limits.c - a program that limits itself once it runs, and locks its memory. Prints the same with and without
 * recorder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define BLOCKS 2000
#define MIB ((size_t)1 << 20)

static void limit(int what, rlim_t most)
{
	struct rlimit limit = { most, most };

	if (setrlimit(what, &limit))
		perror("setrlimit");
}

static int can_allocate(size_t size)
{
	void *volatile block = malloc(size);

	free(block);
	return block != NULL;
}

int main(void)
{
	int got = 0;

	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		perror("mlockall");
	munlockall();
	limit(RLIMIT_AS, 512 * MIB);
	printf("300 MiB: %d, 600 MiB: %d\n", can_allocate(300 * MIB), can_allocate(600 * MIB));
	for (int i = 0; i < BLOCKS; i++) {
		char *block = malloc(60000);

		got += block != NULL;
		if (block)
			memset(block, 1, 60000);
	}
	printf("%d of %d blocks\n", got, BLOCKS);
	limit(RLIMIT_FSIZE, 4096);
	return 0;
}
