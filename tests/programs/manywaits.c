/* SPDX-License-Identifier: MIT */
/* manywaits.c - many short waits: COUNT reads and writes of a pipe, a byte each. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
	int ends[2];
	char byte = 0;

	if (pipe(ends))
		return 1;
	for (long i = 0; i < count; i++)
		if (i % 2 ? read(ends[0], &byte, 1) != 1 : write(ends[1], &byte, 1) != 1)
			return 1;
	return 0;
}
