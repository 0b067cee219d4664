/* SPDX-License-Identifier: MIT */
/*
 * errno_kept.c - result and errno of every function that the library stands in front of, when it succeeds and when it
 * fails; the output is the same with and without a recorder.
 *
 * Each call is made in the first thread, as the first thing that a thread of its own does, and as the first thing that
 * a child of fork does: there the recorder has most to do.
 */
#include "calls.h"

#include "common/options.h"

#define SENTINEL 4711

/* Calls that wait do so for a time, and then errno may say so: 0 waits shorter than that are of no interest. */
static void make_call(const struct call *call, const char *where)
{
	char text[160];
	long result;
	int after, len;

	call->prepare();
	errno = SENTINEL;
	result = call->make();
	after = errno;
	len = snprintf(text, sizeof(text), "%-8s %-26s %-18s %ld %s\n", where, call->function, call->situation, result,
		       after == SENTINEL ? "kept" : strerrorname_np(after));
	must(write(STDOUT_FILENO, text, (size_t)len) == len);
}

static void *in_thread(void *call)
{
	make_call(call, "thread");
	return NULL;
}

static void in_child(const struct call *call)
{
	pid_t pid = fork();

	if (!pid) {
		/* Threads are not there any more. */
		must(!pthread_create(&sleeper, NULL, sleep_for_ever, NULL));
		make_call(call, "child");
		_exit(0);
	}
	must(syscall(SYS_wait4, pid, NULL, 0, NULL) == pid);
}

int main(int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	pthread_t own;

	options_parse(argc, argv, "errno_kept", "Prints what calls return and do to errno.\n", rows);
	if (calls_check())
		return 1;
	calls_begin();
	for (size_t i = 0; i < CALLS; i++) {
		if (!calls[i].situation)
			continue;
		make_call(&calls[i], "first");
		must(!pthread_create(&own, NULL, in_thread, (void *)(uintptr_t)&calls[i]) && !pthread_join(own, NULL));
		in_child(&calls[i]);
	}
	return 0;
}
