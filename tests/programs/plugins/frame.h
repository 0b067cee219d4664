/* SPDX-License-Identifier: MIT */
/* frame.h - the body of plugins that differ in the size of their frames only; see dlopen_threads.c. */
#include <stdlib.h>

long plugin_call(int depth);

/* Returns how many blocks it got. */
long plugin_call(int depth)
{
	volatile char room[ROOM];
	char *volatile block = malloc(10);
	long got = block != NULL;

	room[ROOM - 1] = (char)depth;
	if (depth)
		got += plugin_call(depth - 1);
	free(block);
	return got + (room[ROOM - 1] != (char)depth);
}

/* While it is being unloaded, too. */
static __attribute__((destructor)) void leave(void)
{
	plugin_call(2);
}
