/* SPDX-License-Identifier: MIT */
/*
 * hook_signal.c - our sampling signal as the program sees it: not there.
 *
 * A query of our number says "default"; setting a handler for it makes us step aside for good. Sets that are
 * waited for, read through signalfd or listed as pending come without it.
 */
#include "preload/hook.h"
#include "preload/sampler.h"
#include "preload/thread.h"

static bool is_ours(int sig)
{
	return unlikely(sig == sampler_signal) && sig != 0;
}

/* The program wants the number for itself. */
static void step_aside(int sig)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };

	sampler_yield();
	/* Timers of other threads still fire: until they are disarmed at their threads' end they must not kill. */
	plain.sa_handler = SIG_IGN;
	real.sigaction(sig, &plain, NULL);
}

EXPORT int sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct sigaction untouched = { .sa_handler = SIG_DFL };

	HOOK_READY(sigaction);
	if (likely(!is_ours(sig)))
		return real.sigaction(sig, act, old);
	if (old)
		*old = untouched;
	/* Setting the default again is what it says it is already. */
	if (!act || (!(act->sa_flags & SA_SIGINFO) && act->sa_handler == SIG_DFL))
		return 0;
	step_aside(sig);
	return real.sigaction(sig, act, NULL);
}

EXPORT sighandler_t signal(int sig, sighandler_t handler)
{
	HOOK_READY(signal);
	if (likely(!is_ours(sig)))
		return real.signal(sig, handler);
	if (handler == SIG_DFL)
		return SIG_DFL;
	step_aside(sig);
	real.signal(sig, handler);
	return SIG_DFL;
}

EXPORT int sigpending(sigset_t *set)
{
	int ret;

	HOOK_READY(sigpending);
	ret = real.sigpending(set);
	if (!ret && sampler_signal)
		sigdelset(set, sampler_signal);
	return ret;
}

EXPORT int signalfd(int fd, const sigset_t *set, int flags)
{
	sigset_t copy;

	HOOK_READY(signalfd);
	if (!sampler_signal || !sigismember(set, sampler_signal))
		return real.signalfd(fd, set, flags);
	copy = *set;
	sigdelset(&copy, sampler_signal);
	return real.signalfd(fd, &copy, flags);
}
