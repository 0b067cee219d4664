/* SPDX-License-Identifier: MIT */
/* stop.c - a flag and an eventfd. */
#include "common/stop.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int flag;
static int event_fd = -1;

void stop_request(void)
{
	static const uint64_t one = 1;
	int saved = errno;

	__atomic_store_n(&flag, 1, __ATOMIC_SEQ_CST);
	if (write(event_fd, &one, sizeof(one)) < 0)
		errno = saved; /* can only be full, and then it is readable */
	errno = saved;
}

static void on_signal(int signal)
{
	(void)signal;
	stop_request();
}

int stop_install(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event_fd < 0)
		return -errno;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGINT, &action, NULL) || sigaction(SIGTERM, &action, NULL))
		return -errno;
	return 0;
}

int stop_requested(void)
{
	return __atomic_load_n(&flag, __ATOMIC_SEQ_CST);
}

int stop_fd(void)
{
	return event_fd;
}

void stop_release(void)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	close(event_fd);
	event_fd = -1;
}
