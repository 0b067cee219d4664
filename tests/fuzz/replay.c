/* SPDX-License-Identifier: MIT */
/*
 * replay.c - a target without a fuzzer: every file below the named paths once. What crashes, crashes; an input that
 * takes longer than a minute is an endless loop.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/target.h"

#define SECONDS_MAX 60u

/* A mutator is linked in and never asked. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	(void)data;
	(void)max_size;
	return size;
}

static unsigned runs;

static int read_file(const char *path, uint8_t **data, size_t *size)
{
	FILE *in = fopen(path, "r");
	long end = in && !fseek(in, 0, SEEK_END) ? ftell(in) : -1;

	*size = end < 0 ? 0 : (size_t)end;
	/* No byte more than the input: reading behind it is to be seen. */
	*data = end < 0 ? NULL : malloc(*size ? *size : 1);
	if (*data) {
		rewind(in);
		*size = fread(*data, 1, *size, in);
	}
	if (in)
		fclose(in);
	return *data ? 0 : -1;
}

static void run(const char *path)
{
	uint8_t *data;
	size_t size;

	if (read_file(path, &data, &size))
		return;
	fprintf(stderr, "%s\n", path);
	alarm(SECONDS_MAX);
	LLVMFuzzerTestOneInput(data, size);
	alarm(0);
	free(data);
	runs++;
}

static void run_all(const char *path)
{
	struct dirent **list;
	int len = scandir(path, &list, NULL, alphasort);
	char name[4096];

	if (len < 0) {
		run(path);
		return;
	}
	for (int i = 0; i < len; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, list[i]->d_name);
		if (list[i]->d_name[0] != '.')
			run_all(name);
		free(list[i]);
	}
	free(list);
}

int main(int argc, char **argv)
{
	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		run_all(argv[i]);
	fprintf(stderr, "%u inputs\n", runs);
	return !runs;
}
