/* SPDX-License-Identifier: MIT */
/*
 * handler_writes.c - a signal of the program's own ends a wait, also when a sample comes at the end of a write in its
 * handler: that one has not ended the wait. Prints for each way of writing whether poll returned EINTR.
 */
#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "late_sample.h"

static int bell, is_raw;

static void on_alarm(int sig)
{
	(void)sig;
	if (is_raw)
		syscall(SYS_write, bell, "", 1);
	else
		late_sample_send(bell);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	int kept = 1;

	bell = late_sample_bell(gettid());
	sigaction(SIGALRM, &action, NULL);
	for (is_raw = 0; is_raw < 2; is_raw++) {
		struct itimerval soon = { .it_value = { .tv_usec = 20000 } };
		int ret;

		setitimer(ITIMER_REAL, &soon, NULL);
		ret = poll(NULL, 0, 3000);
		printf("%s: poll %d\n", is_raw ? "syscall" : "write", ret);
		kept &= ret == -1 && errno == EINTR;
	}
	return !kept;
}
