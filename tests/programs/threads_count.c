/* SPDX-License-Identifier: MIT */
/* threads_count.c - the threads of this process as the kernel counts them. The same with and without a recorder. */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/options.h"

static int count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int count = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void *pass(void *barrier)
{
	pthread_barrier_wait(barrier);
	pthread_barrier_wait(barrier);
	return NULL;
}

int main(int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	pthread_barrier_t barrier;
	pthread_t threads[3];

	options_parse(argc, argv, "threads_count", "Prints how many threads the process has.\n", rows);
	printf("alone: %d\n", count_threads());
	pthread_barrier_init(&barrier, NULL, 4);
	for (int i = 0; i < 3; i++) {
		if (pthread_create(&threads[i], NULL, pass, &barrier))
			return 1;
	}
	pthread_barrier_wait(&barrier);
	printf("with three more: %d\n", count_threads());
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return fflush(stdout) ? 1 : 0;
}
