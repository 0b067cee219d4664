/* SPDX-License-Identifier: MIT */
/*
 * dlopen_loop.c - loads and unloads two plugins over and over, so that their code meets at the same addresses.
 *
 * The plugins stand beside the program: plugins/plugin_a.so and plugins/plugin_b.so, from sources of the same names.
 * plugin_a_allocate and plugin_b_allocate make blocks that outlive their code: a report must still name the right one.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/options.h"

static char folder[4096];

/* Returns the sum of what the plugin says about its blocks, or -1. */
static long use_plugin(const char *name, uint64_t blocks)
{
	char path[sizeof(folder) + 64], symbol[64];
	void *plugin;
	long (*allocate)(unsigned long);
	long ret = -1;

	snprintf(path, sizeof(path), "%s/plugins/%s.so", folder, name);
	snprintf(symbol, sizeof(symbol), "%s_allocate", name);
	plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!plugin) {
		fprintf(stderr, "dlopen_loop: %s\n", dlerror());
		return -1;
	}
	*(void **)&allocate = dlsym(plugin, symbol);
	if (allocate)
		ret = allocate(blocks);
	dlclose(plugin);
	return ret;
}

int main(int argc, char **argv)
{
	uint64_t rounds = 200, blocks = 5;
	const struct option_row rows[] = {
		{ "rounds", OPTION_NUMBER, &rounds, 1, 1000000, "how often each plugin is loaded" },
		{ "blocks", OPTION_NUMBER, &blocks, 1, 1000000, "blocks each load leaves behind" },
		{ 0 },
	};
	long sum = 0;
	char *slash;

	options_parse(argc, argv, "dlopen_loop", "Loads and unloads plugins that leave blocks behind.\n", rows);
	if (readlink("/proc/self/exe", folder, sizeof(folder) - 1) < 0 || !(slash = strrchr(folder, '/')))
		return 1;
	*slash = 0;
	for (uint64_t i = 0; i < rounds; i++) {
		long a = use_plugin("plugin_a", blocks), b = use_plugin("plugin_b", blocks);

		if (a < 0 || b < 0)
			return 1;
		sum += a + b;
	}
	printf("{\"program\":\"dlopen_loop\",\"sum\":%ld,\"leaks\":["
	       "{\"function\":\"plugin_a_allocate\",\"live_blocks\":%lu,\"live_bytes\":%lu},"
	       "{\"function\":\"plugin_b_allocate\",\"live_blocks\":%lu,\"live_bytes\":%lu}]}\n",
	       sum, rounds * blocks, rounds * blocks * 100, rounds * blocks, rounds * blocks * 200);
	return fflush(stdout) ? 1 : 0;
}
