/* SPDX-License-Identifier: MIT */
/*
 * late_sample.h - the signal of a recorder's perf event, sent when a thread waits already. By itself the event strikes
 * while the thread computes, and its signal comes too late by chance only: once in minutes, on a crowded machine.
 */
#ifndef TESTS_PROGRAMS_LATE_SAMPLE_H
#define TESTS_PROGRAMS_LATE_SAMPLE_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LATE_SAMPLES_MAX (1 << 15) /* of one bell: each leaves a byte in a pipe */

static void late_sample_must(int is_true)
{
	if (is_true)
		return;
	fputs("late_sample: no recorder samples this program\n", stderr);
	exit(2);
}

/* The highest signal that somebody handles: programs that use this handle none of the real-time ones. */
static int late_sample_signal(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	unsigned long caught = 0;
	char line[256];

	late_sample_must(status != NULL);
	while (fgets(line, sizeof(line), status))
		sscanf(line, "SigCgt: %lx", &caught);
	fclose(status);
	late_sample_must(caught >> (SIGRTMIN - 1) != 0);
	return 64 - __builtin_clzl(caught);
}

/* late_sample_bell - a pipe whose every byte sends the signal to one thread, with the code of a perf event's overflow.
 */
static int late_sample_bell(pid_t tid)
{
	struct f_owner_ex owner = { F_OWNER_TID, tid };
	int ends[2];

	late_sample_must(!pipe2(ends, O_CLOEXEC) && !fcntl(ends[0], F_SETSIG, late_sample_signal()) &&
			 !fcntl(ends[0], F_SETOWN_EX, &owner) && !fcntl(ends[0], F_SETFL, O_ASYNC));
	return ends[1];
}

static void late_sample_send(int bell)
{
	late_sample_must(write(bell, "", 1) == 1);
}

#endif
