/* SPDX-License-Identifier: MIT */
/* hook_time.c - sleeping, and waiting for signals. sleep(3) and usleep(3) do not call nanosleep by name in glibc. */
#include "preload/hook.h"
#include "preload/masks.h"
#include "preload/span.h"

/* A wait for a signal is not made again: the signal may have come meanwhile. */
#define SIGNAL_WAIT(kind, object, type, call, err)                                                                     \
	({                                                                                                             \
		struct span s_ = span_begin(kind, object);                                                             \
		type ret_ = (call);                                                                                    \
                                                                                                                       \
		span_end(&s_, err, 0, REGS_OF_CALLER());                                                               \
		ret_;                                                                                                  \
	})

#define SLEEP(kind, object, type, call, err)                                                                           \
	({                                                                                                             \
		struct span s_ = span_begin(kind, object);                                                             \
		type ret_;                                                                                             \
		SPAN_CALL(s_, ret_, call, ret_ != 0, err);                                                             \
                                                                                                                       \
		span_end(&s_, err, 0, REGS_OF_CALLER());                                                               \
		ret_;                                                                                                  \
	})

EXPORT int nanosleep(const struct timespec *time, struct timespec *left)
{
	HOOK_READY(nanosleep);
	return SLEEP(WAIT_SLEEP, 0, int, real.nanosleep(time, left), ret_ ? errno : 0);
}

EXPORT int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
	HOOK_READY(clock_nanosleep);
	return SLEEP(WAIT_SLEEP, 0, int, real.clock_nanosleep(clock, flags, time, left), ret_);
}

EXPORT int usleep(useconds_t us)
{
	HOOK_READY(usleep);
	return SLEEP(WAIT_SLEEP, 0, int, real.usleep(us), ret_ ? errno : 0);
}

EXPORT unsigned sleep(unsigned s)
{
	HOOK_READY(sleep);
	return SLEEP(WAIT_SLEEP, 0, unsigned, real.sleep(s), ret_ ? EINTR : 0);
}

EXPORT int pause(void)
{
	HOOK_READY(pause);
	return SIGNAL_WAIT(WAIT_SIGNAL, 0, int, real.pause(), ret_ ? errno : 0);
}

EXPORT int sigsuspend(const sigset_t *mask)
{
	sigset_t copy;

	HOOK_READY(sigsuspend);
	mask = mask_with_ours(mask, &copy);
	return SIGNAL_WAIT(WAIT_SIGNAL, 0, int, real.sigsuspend(mask), ret_ ? errno : 0);
}

EXPORT int sigwait(const sigset_t *set, int *sig)
{
	sigset_t copy;

	HOOK_READY(sigwait);
	set = mask_without_ours(set, &copy);
	return SIGNAL_WAIT(WAIT_SIGNAL, 0, int, real.sigwait(set, sig), ret_);
}

EXPORT int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
	sigset_t copy;

	HOOK_READY(sigwaitinfo);
	set = mask_without_ours(set, &copy);
	return SIGNAL_WAIT(WAIT_SIGNAL, 0, int, real.sigwaitinfo(set, info), ret_ < 0 ? errno : 0);
}

EXPORT int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
	sigset_t copy;

	HOOK_READY(sigtimedwait);
	set = mask_without_ours(set, &copy);
	return SIGNAL_WAIT(WAIT_SIGNAL, 0, int, real.sigtimedwait(set, info, timeout), ret_ < 0 ? errno : 0);
}
