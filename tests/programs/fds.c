/* SPDX-License-Identifier: MIT */
/* fds.c - the descriptors a program sees: the open ones, and the one it gets next. The same with and without a
 * recorder. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/options.h"

static void print_open(const char *when)
{
	printf("%s:", when);
	for (int fd = 0; fd < 1024; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			printf(" %d", fd);
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	int fd;

	options_parse(argc, argv, "fds", "Prints the open descriptors and the first free one.\n", rows);
	print_open("at the start");
	fd = open("/dev/null", O_RDONLY);
	printf("first free: %d\n", fd);
	if (close_range(3, ~0u, 0))
		return 1;
	free(malloc(100000));
	usleep(20000);
	print_open("after close_range");
	fd = open("/dev/null", O_RDONLY);
	printf("first free: %d\n", fd);
	return fflush(stdout) ? 1 : 0;
}
