/* SPDX-License-Identifier: MIT */
/*
 * eintr.c - every function that can wait, waiting again and again among computing, and how often a wait was
 * interrupted without anybody asking for it. Without a recorder, and with one, that is never.
 *
 * The waits of a group of blocks.def are made by one thread; between two it computes, so that a timer of CPU time
 * expires around them. With --disturb signals are sent as a careless profiler would: then some must be interrupted.
 * With --as-sampler they are the recorder's own, see late_sample.h: then none.
 */
#include "blocks.h"
#include "late_sample.h"

#include "common/clock.h"
#include "common/options.h"

#define GROUPS 64
#define POKE_US 2000

static volatile int is_over;
static uint64_t calls_made[BLOCKS], interrupted[BLOCKS], compute_us = 500;
static const char *groups[GROUPS];
static pthread_t threads[GROUPS], poker, disturber;
static pid_t tids[GROUPS];
static int group_count;

static void compute(uint64_t dur_ns)
{
	uint64_t until_ns = clock_thread_cpu_ns() + dur_ns;

	/* Mostly in user mode: there perf events strike. */
	while (clock_thread_cpu_ns() < until_ns)
		for (volatile int i = 0; i < 20000; i++)
			;
}

/* Odd lengths, so that ticks strike anywhere in the calls. */
static void wait_once(size_t i)
{
	static __thread uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	compute(state % (2 * compute_us * 1000));
	interrupted[i] += blocks[i].wait() != 0;
	calls_made[i]++;
}

static void *run_group(void *group)
{
	for (int g = 0; g < GROUPS; g++)
		if (groups[g] == group)
			__atomic_store_n(&tids[g], gettid(), __ATOMIC_RELEASE);
	while (!is_over) {
		for (size_t i = 0; i < BLOCKS && !is_over; i++) {
			if (blocks[i].group && !strcmp(blocks[i].group, group))
				wait_once(i);
		}
	}
	return NULL;
}

static void *poke(void *arg)
{
	for (;;) {
		blocks_poke_all();
		usleep(POKE_US);
	}
	return arg;
}

static void on_disturbance(int sig)
{
	(void)sig;
}

static void *disturb(void *arg)
{
	for (;;) {
		for (int i = 0; i < group_count; i++)
			pthread_kill(threads[i], SIGURG);
		usleep(3700);
	}
	return arg;
}

static void *disturb_as_sampler(void *arg)
{
	int bells[GROUPS];

	for (int i = 0; i < group_count; i++) {
		while (!__atomic_load_n(&tids[i], __ATOMIC_ACQUIRE))
			usleep(1000);
		bells[i] = late_sample_bell(tids[i]);
	}
	for (int times = 0; times < LATE_SAMPLES_MAX; times++) {
		for (int i = 0; i < group_count; i++)
			late_sample_send(bells[i]);
		usleep(3700);
	}
	return arg;
}

static void start_groups(void)
{
	for (size_t i = 0; i < BLOCKS; i++) {
		int g = 0;

		while (blocks[i].group && g < group_count && strcmp(groups[g], blocks[i].group))
			g++;
		if (!blocks[i].group || g < group_count)
			continue;
		groups[group_count] = blocks[i].group;
		must(!pthread_create(&threads[group_count++], NULL, run_group, (void *)(uintptr_t)blocks[i].group));
	}
}

static int print_result(int is_verbose, int never_twice)
{
	uint64_t calls = 0, cuts = 0;
	int unmade = 0;

	for (size_t i = 0; i < BLOCKS; i++) {
		if (!blocks[i].group)
			continue;
		calls += calls_made[i];
		cuts += interrupted[i];
		if (calls_made[i] < (never_twice ? 1u : 2u)) {
			printf("%s was not called\n", blocks[i].function);
			unmade++;
		}
		if (interrupted[i] || is_verbose)
			printf("%-26s %8lu calls, %lu interrupted\n", blocks[i].function, calls_made[i],
			       interrupted[i]);
	}
	printf("%d threads, %lu calls, %lu interrupted\n", group_count, calls, cuts);
	return cuts || unmade;
}

int main(int argc, char **argv)
{
	uint64_t seconds = 3;
	int is_verbose = 0, is_disturbed = 0, is_sampled = 0;
	const struct option_row rows[] = {
		{ "seconds", OPTION_NUMBER, &seconds, 1, 3600, "how long" },
		{ "compute-us", OPTION_NUMBER, &compute_us, 1, 100000, "CPU time between two waits" },
		{ "verbose", OPTION_FLAG, &is_verbose, 0, 0, "a line for each function" },
		{ "disturb", OPTION_FLAG, &is_disturbed, 0, 0, "send signals, to see that interruptions are counted" },
		{ "as-sampler", OPTION_FLAG, &is_sampled, 0, 0, "send what a recorder's perf event sends" },
		{ 0 },
	};
	int failed;

	options_parse(argc, argv, "eintr", "Counts interrupted waits.\n", rows);
	if (blocks_check())
		return 1;
	blocks_begin();
	sigaction(SIGURG, &(struct sigaction){ .sa_handler = on_disturbance }, NULL);
	start_groups();
	must(!pthread_create(&poker, NULL, poke, NULL));
	if (is_disturbed || is_sampled)
		must(!pthread_create(&disturber, NULL, is_sampled ? disturb_as_sampler : disturb, NULL));
	clock_sleep_ns(seconds * 1000000000u);
	is_over = 1;
	failed = print_result(is_verbose, seconds < 5);
	blocks_end();
	fflush(stdout);
	_exit(failed); /* some threads wait for others that are gone */
}
