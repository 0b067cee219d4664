/* SPDX-License-Identifier: MIT */
/*
 * dlopen_threads.c - threads that load, use and unload plugins at the same time.
 *
 * Each thread has a plugin of its own, so that each unload is real and the next load, of whichever thread, takes its
 * addresses. The plugins' code is alike, but their frames are not: who remembers how to unwind the one is wrong in the
 * other.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/options.h"

#define THREADS 2

static const char *const names[THREADS] = { "plugin_narrow", "plugin_wide" };
static char folder[4096];
static uint64_t rounds = 500;

static long use(const char *path)
{
	void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	long (*call)(int) = NULL;
	long ret = -1;

	if (!plugin)
		return -1;
	*(void **)&call = dlsym(plugin, "plugin_call");
	if (call)
		ret = call(5);
	dlclose(plugin);
	return ret;
}

static void *run(void *arg)
{
	char path[sizeof(folder) + 64];
	long sum = 0;

	snprintf(path, sizeof(path), "%s/plugins/%s.so", folder, (const char *)arg);
	for (uint64_t i = 0; i < rounds; i++) {
		long got = use(path);

		if (got < 0)
			exit(1);
		sum += got;
	}
	return (void *)sum;
}

int main(int argc, char **argv)
{
	const struct option_row rows[] = {
		{ "rounds", OPTION_NUMBER, &rounds, 1, 1000000, "how often each thread loads its plugin" },
		{ 0 },
	};
	pthread_t threads[THREADS];
	long sum = 0;
	char *slash;

	options_parse(argc, argv, "dlopen_threads", "Threads that load and unload plugins.\n", rows);
	if (readlink("/proc/self/exe", folder, sizeof(folder) - 1) < 0 || !(slash = strrchr(folder, '/')))
		return 1;
	*slash = 0;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)names[i]))
			return 1;
	for (int i = 0; i < THREADS; i++) {
		void *part;

		pthread_join(threads[i], &part);
		sum += (long)part;
	}
	printf("dlopen_threads: %lu rounds, %ld blocks\n", rounds, sum);
	return fflush(stdout) ? 1 : 0;
}
