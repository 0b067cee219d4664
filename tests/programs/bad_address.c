/*
 * bad_address.c - what a program hands to the kernel may be no address at all: the kernel says EFAULT, and so must the
 * call with the recorder in between, which reads some of these arguments itself.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

static void tell(const char *call, long ret)
{
	printf("%s: %ld %s\n", call, ret, ret ? strerror(errno) : "");
}

int main(void)
{
	void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *const bad[] = { page, (void *)8, (void *)-4096l, (char *)page + 4092 };
	const struct timespec none = { 0, 0 };
	int epoll = epoll_create1(0), sig;
	struct epoll_event event;
	siginfo_t info;
	struct pollfd fine = { -1, POLLIN, 0 };

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tell("poll", poll(bad[i], 1, 0));
		tell("poll of many", poll(bad[i], 3, 0));
		tell("ppoll", ppoll(bad[i], 1, &none, NULL));
		tell("ppoll, mask", ppoll(&fine, 1, &none, bad[i]));
		tell("pselect, mask", pselect(0, NULL, NULL, NULL, &none, bad[i]));
		tell("epoll_wait", epoll_wait(epoll, bad[i], 1, 0));
		tell("epoll_pwait, mask", epoll_pwait(epoll, &event, 1, 0, bad[i]));
		tell("sigtimedwait", sigtimedwait(bad[i], &info, &none));
		tell("sigwaitinfo", sigwaitinfo(bad[i], &info));
		errno = sigwait(bad[i], &sig);
		tell("sigwait", errno);
		tell("sigsuspend", sigsuspend(bad[i]));
		tell("signalfd", signalfd(-1, bad[i], 0));
		tell("sigpending", sigpending(bad[i]));
		tell("nanosleep", nanosleep(bad[i], NULL));
		tell("read", read(epoll, bad[i], 1));
	}
	return 0;
}
