/* SPDX-License-Identifier: MIT */
/*
 * longjmp_signal.c - siglongjmp out of a SIGALRM handler, many times, wherever it happens to strike.
 *
 * The calls that are left in the middle are ones that may be left so: read, nanosleep, poll, and code that works on
 * memory of its own. For allocation the handler waits until the program isn't inside malloc, as it must; it strikes
 * between two calls. The results are the same with and without a recorder; the numbers of jumps are at least those
 * asked for.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/options.h"

static sigjmp_buf back;
static volatile sig_atomic_t may_jump;
static int empty[2];

static void on_alarm(int signal)
{
	(void)signal;
	if (may_jump)
		siglongjmp(back, 1);
}

static void in_read(void)
{
	char byte;

	if (read(empty[0], &byte, 1) < 0)
		return;
}

static void in_nanosleep(void)
{
	nanosleep(&(struct timespec){ 5, 0 }, NULL);
}

static void in_poll(void)
{
	poll(NULL, 0, 5000);
}

static void in_compute(void)
{
	static volatile unsigned int sum;

	for (;;)
		sum = sum + 1;
}

/* No jump while malloc or free runs: libc's heap would be left locked. */
static void between_allocations(void)
{
	for (;;) {
		void *block;

		may_jump = 0;
		block = malloc(100);
		free(block);
		may_jump = 1;
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} ways[] = {
	{ "read", in_read },	   { "nanosleep", in_nanosleep },     { "poll", in_poll },
	{ "compute", in_compute }, { "malloc", between_allocations },
};

static void set_timer(long us)
{
	struct itimerval timer = { { 0, us }, { 0, us } };

	if (setitimer(ITIMER_REAL, &timer, NULL))
		exit(1);
}

/* Jumps until it was done `count` times. */
static uint64_t jump_out_of(void (*run)(void), uint64_t count)
{
	volatile uint64_t jumps = 0;

	if (sigsetjmp(back, 1)) {
		may_jump = 0;
		jumps++;
	}
	if (jumps < count) {
		may_jump = 1;
		run();
	}
	return jumps;
}

/* What a recorder's state must have survived: allocation, sleep and I/O still do what they should. */
static int still_works(void)
{
	struct timespec ts = { 0, 1000000 };
	char *block = calloc(1, 1000), byte = 0;
	int ok = block && !block[999];

	free(block);
	ok = ok && write(empty[1], "x", 1) == 1 && read(empty[0], &byte, 1) == 1 && byte == 'x';
	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
	return ok;
}

int main(int argc, char **argv)
{
	uint64_t count = 300;
	const struct option_row rows[] = {
		{ "count", OPTION_NUMBER, &count, 1, 1000000, "jumps out of each kind of call" },
		{ 0 },
	};

	options_parse(argc, argv, "longjmp_signal", "siglongjmp out of a signal handler, many times.\n", rows);
	if (pipe(empty) || signal(SIGALRM, on_alarm) == SIG_ERR)
		return 1;
	set_timer(500);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		uint64_t jumps = jump_out_of(ways[i].run, count);

		printf("%-10s %lu jumps, afterwards %s\n", ways[i].name, jumps, still_works() ? "fine" : "BROKEN");
	}
	set_timer(0);
	return fflush(stdout) ? 1 : 0;
}
