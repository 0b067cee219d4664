/* SPDX-License-Identifier: MIT */
/* plugin_b.c - leaves blocks of 200 bytes behind; see dlopen_loop.c. */
#include <stdlib.h>

long plugin_b_allocate(unsigned long count);

/* Returns how many blocks it got. */
long plugin_b_allocate(unsigned long count)
{
	long got = 0;

	while (count--) {
		char *volatile block = malloc(200);

		got += block != NULL;
	}
	return got;
}
