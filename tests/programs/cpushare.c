/* SPDX-License-Identifier: MIT */
/*
 * cpushare.c - three functions that do 50, 33 and 17 parts of the same work.
 *
 * Their loops are the same and what differs is how often they run, so the shares of CPU time are the shares of the
 * iterations whatever the machine. The volatile accumulator keeps the compiler from merging or shortening them.
 */
#include <stdio.h>
#include <sys/resource.h>

#include "common/books.h"
#include "common/options.h"

#define SLICE 20000u /* iterations per part in one round; a round is about 4 ms */

static volatile uint64_t accumulator;

#define WORK(parts)                                                                                                    \
	do {                                                                                                           \
		for (uint32_t i_ = 0; i_ < (parts)*SLICE; i_++)                                                        \
			accumulator = accumulator * 6364136223846793005ull + 1442695040888963407ull;                   \
	} while (0)

__attribute__((noinline)) static void burn_50(void)
{
	WORK(50u);
}

__attribute__((noinline)) static void burn_33(void)
{
	WORK(33u);
}

__attribute__((noinline)) static void burn_17(void)
{
	WORK(17u);
}

static void *burn(void *arg)
{
	uint64_t until_ns = clock_thread_cpu_ns() + *(const uint64_t *)arg * 1000000;

	while (clock_thread_cpu_ns() < until_ns) {
		book_cpu("burn_50", burn_50());
		book_cpu("burn_33", burn_33());
		book_cpu("burn_17", burn_17());
	}
	return NULL;
}

static uint64_t to_ns(struct timeval tv)
{
	return (uint64_t)tv.tv_sec * 1000000000 + (uint64_t)tv.tv_usec * 1000;
}

int main(int argc, char **argv)
{
	uint64_t cpu_ms = 2000, threads = 1;
	const struct option_row rows[] = {
		{ "cpu-ms", OPTION_NUMBER, &cpu_ms, 1, 3600000, "CPU time to use per thread" },
		{ "threads", OPTION_NUMBER, &threads, 1, 64, "threads; the first one is main" },
		{ 0 },
	};
	struct rusage usage;
	pthread_t others[64];

	books_stdout();
	options_parse(argc, argv, "cpushare", "Uses CPU 50:33:17 in burn_50, burn_33 and burn_17.\n", rows);
	for (uint64_t i = 1; i < threads; i++) {
		if (book_thread(&others[i], "burner", (unsigned int)i, burn, &cpu_ms))
			return 1;
	}
	burn(&cpu_ms);
	for (uint64_t i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"program\":\"cpushare\",\"parts\":{\"burn_50\":50,\"burn_33\":33,\"burn_17\":17},"
	       "\"rusage_cpu_ns\":%lu,",
	       to_ns(usage.ru_utime) + to_ns(usage.ru_stime));
	books_print(stdout);
	printf("}\n");
	return fflush(stdout) ? 1 : 0;
}
