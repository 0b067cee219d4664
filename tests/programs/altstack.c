/* SPDX-License-Identifier: MIT */
/*
 * altstack.c - handlers that allocate on an alternate stack, wherever their signal strikes, and may leave by
 * siglongjmp.
 *
 * The program computes, without the heap, at some depth of its stack; a timer's handler goes down a stack of its own,
 * allocates there, and is itself interrupted by another signal whose handler allocates. Every third one jumps out of
 * it all. The numbers of signals is what was asked for.
 */
#include <alloca.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "common/options.h"

static sigjmp_buf back;
static uint64_t count = 500;
static volatile sig_atomic_t handled, nested;
static volatile uint64_t sink;

static void allocate(int depth)
{
	char *volatile block = malloc(20 + (size_t)depth * 8);

	if (!block)
		abort();
	block[0] = (char)depth;
	if (depth)
		allocate(depth - 1);
	sink += (uint64_t)block[0];
	free(block);
}

static void on_user(int sig)
{
	(void)sig;
	nested++;
	allocate(5);
}

static void set_timer(void)
{
	struct itimerval soon = { .it_value = { 0, 300 } };

	if (setitimer(ITIMER_REAL, &soon, NULL))
		abort();
}

/* Strikes once and is armed again at the end: however slow it is made, the program gets on. */
static void on_alarm(int sig)
{
	(void)sig;
	if ((uint64_t)handled == count)
		return;
	handled++;
	allocate(handled % 20);
	if (handled % 2)
		raise(SIGUSR1);
	allocate(3);
	set_timer();
	if (handled % 3 == 0)
		siglongjmp(back, 1);
}

/* Nothing in here uses the heap, so that a handler may. */
static uint64_t compute(int depth)
{
	char text[256], copy[256];
	volatile char *room = alloca((size_t)depth * 8 + 8); /* a frame pointer */
	uint64_t sum = 0;

	room[0] = 0;

	memset(text, 'a' + depth % 26, sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	for (int i = 0; i < 50 && (uint64_t)handled < count; i++) {
		memmove(copy, text + i, sizeof(text) - (size_t)i);
		sum += strlen(copy) + (uint64_t)strtol("12345", NULL, 10);
		sum += strstr(text, "xyz") != NULL;
	}
	return depth ? sum + compute(depth - 1) : sum;
}

static void set_handler(int sig, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };

	if (sigaction(sig, &action, NULL))
		exit(1);
}

int main(int argc, char **argv)
{
	const struct option_row rows[] = {
		{ "count", OPTION_NUMBER, &count, 1, 1000000, "signals to handle" },
		{ 0 },
	};
	static char stack[256 << 10];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };

	options_parse(argc, argv, "altstack", "Handlers on an alternate stack that allocate and jump.\n", rows);
	if (sigaltstack(&ss, NULL))
		return 1;
	set_handler(SIGUSR1, on_user);
	set_handler(SIGALRM, on_alarm);
	sigsetjmp(back, 1);
	set_timer();
	while ((uint64_t)handled < count)
		sink += compute(30);
	printf("altstack: %d handled, %d nested\n", (int)handled, (int)nested);
	return fflush(stdout) ? 1 : 0;
}
