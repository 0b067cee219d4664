/* SPDX-License-Identifier: MIT */
/*
 * hook_signal.c - our sampling signal as the program sees it: not there.
 *
 * A query of our number says "default"; setting a handler for it makes us step aside for good. Sets that are
 * waited for, read through signalfd or listed as pending come without it. The same goes for handlers of SIGBUS,
 * but that remains the program's signal.
 */
#include "preload/bus.h"
#include "preload/handler.h"
#include "preload/hook.h"
#include "preload/masks.h"
#include "preload/sampler.h"
#include "preload/thread.h"

static bool is_ours(int sig)
{
	return unlikely((sig == sampler_signal && sig != 0) || bus_is_ours(sig));
}

/* The program wants the number for itself. What is pending of ours goes with being ignored. */
static void step_aside(int sig)
{
	struct sigaction plain = { .sa_handler = SIG_IGN };

	if (sig == SIGBUS) {
		handler_default(sig);
		return;
	}
	sampler_yield();
	real.sigaction(sig, &plain, NULL);
	plain.sa_handler = SIG_DFL;
	real.sigaction(sig, &plain, NULL);
}

static int set_action(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct sigaction untouched = { .sa_handler = SIG_DFL };

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

EXPORT int sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	HOOK_READY(sigaction);
	return set_action(sig, act, old);
}

EXPORT int __sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	HOOK_READY(sigaction);
	return set_action(sig, act, old);
}

EXPORT sighandler_t signal(int sig, sighandler_t handler)
{
	HOOK_READY(signal);
	if (unlikely(is_ours(sig))) {
		if (handler == SIG_DFL)
			return SIG_DFL;
		step_aside(sig);
	}
	return real.signal(sig, handler);
}

/* Older ways to the same end; signal is __sysv_signal in programs that ask for X/Open. */
#define OLD_SIGNAL(name)                                                                                               \
	EXPORT sighandler_t name(int sig, sighandler_t handler)                                                        \
	{                                                                                                              \
		HOOK_READY(name);                                                                                      \
		if (unlikely(is_ours(sig)))                                                                            \
			step_aside(sig);                                                                               \
		return real.name(sig, handler);                                                                        \
	}
OLD_SIGNAL(bsd_signal)
OLD_SIGNAL(ssignal)
OLD_SIGNAL(sysv_signal)
OLD_SIGNAL(__sysv_signal)
OLD_SIGNAL(sigset)

EXPORT int sigignore(int sig)
{
	HOOK_READY(sigignore);
	if (unlikely(is_ours(sig)))
		step_aside(sig);
	return real.sigignore(sig);
}

EXPORT int sigpending(sigset_t *set)
{
	int ret;

	HOOK_READY(sigpending);
	ret = real.sigpending(set);
	if (!ret && sampler_signal)
		mask_of(mask_word(set) & ~mask_bit(), set);
	return ret;
}

/* The set was readable, or the call had failed. */
static void mask_was_set(int how, const sigset_t *set)
{
	struct thread *t = thread_self;

	if (unlikely(set && t && t->perf && how != SIG_UNBLOCK && sampler_signal && mask_word(set) & mask_bit()))
		sampler_thread_blocks(t);
}

EXPORT int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	int ret;

	HOOK_READY(sigprocmask);
	ret = real.sigprocmask(how, set, old);
	if (!ret)
		mask_was_set(how, set);
	return ret;
}

EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	int err;

	HOOK_READY(pthread_sigmask);
	err = real.pthread_sigmask(how, set, old);
	if (!err)
		mask_was_set(how, set);
	return err;
}

EXPORT int signalfd(int fd, const sigset_t *set, int flags)
{
	sigset_t copy;

	HOOK_READY(signalfd);
	return real.signalfd(fd, mask_without_ours(set, &copy), flags);
}
