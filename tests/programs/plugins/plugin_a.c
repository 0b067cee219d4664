/* SPDX-License-Identifier: MIT */
/* plugin_a.c - leaves blocks of 100 bytes behind; see dlopen_loop.c. */
#include <stdlib.h>

long plugin_a_allocate(unsigned long count);

/* Returns how many blocks it got. */
long plugin_a_allocate(unsigned long count)
{
	long got = 0;

	while (count--) {
		char *volatile block = malloc(100);

		got += block != NULL;
	}
	return got;
}
