/* SPDX-License-Identifier: MIT */
/* hook_time.c - sleeping, and waiting for signals. sleep(3) and usleep(3) do not call nanosleep by name in glibc. */
#include "preload/hook.h"
#include "preload/masks.h"
#include "preload/span.h"

#define WAIT(kind, object, type, call, err)                                                                            \
	({                                                                                                             \
		struct span s_ = span_begin(kind, object);                                                             \
		type ret_;                                                                                             \
		SPAN_CALL(s_, ret_, call, true, err);                                                                  \
                                                                                                                       \
		span_end(&s_, err, 0, REGS_OF_CALLER());                                                               \
		ret_;                                                                                                  \
	})

#define PAUSE(call)                                                                                                    \
	({                                                                                                             \
		struct span s_ = span_begin(WAIT_SIGNAL, 0);                                                           \
		int ret_ = (call);                                                                                     \
                                                                                                                       \
		span_end(&s_, ret_ ? errno : 0, 0, REGS_OF_CALLER());                                                  \
		ret_;                                                                                                  \
	})

EXPORT int nanosleep(const struct timespec *time, struct timespec *left)
{
	HOOK_READY(nanosleep);
	return WAIT(WAIT_SLEEP, 0, int, real.nanosleep(time, left), ret_ ? errno : 0);
}

EXPORT int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
	HOOK_READY(clock_nanosleep);
	return WAIT(WAIT_SLEEP, 0, int, real.clock_nanosleep(clock, flags, time, left), ret_);
}

EXPORT int usleep(useconds_t us)
{
	HOOK_READY(usleep);
	return WAIT(WAIT_SLEEP, 0, int, real.usleep(us), ret_ ? errno : 0);
}

EXPORT unsigned sleep(unsigned s)
{
	HOOK_READY(sleep);
	return WAIT(WAIT_SLEEP, 0, unsigned, real.sleep(s), ret_ ? EINTR : 0);
}

/*
 * pause ends by any handler, ours included, and must not be begun anew: the program's signal may have come meanwhile.
 * Where a sample could end it, it is the same wait with our signal kept out.
 */
EXPORT int pause(void)
{
	sigset_t copy;
	const sigset_t *mask;

	HOOK_READY(pause);
	mask = thread_self && thread_self->perf ? mask_in_place_with_ours(&copy) : NULL;
	if (mask)
		return PAUSE(real.sigsuspend(mask));
	return PAUSE(real.pause());
}

EXPORT int sigsuspend(const sigset_t *mask)
{
	sigset_t copy;

	HOOK_READY(sigsuspend);
	mask = mask_with_ours(mask, &copy);
	return PAUSE(real.sigsuspend(mask));
}

EXPORT int sigwait(const sigset_t *set, int *sig)
{
	sigset_t copy;

	HOOK_READY(sigwait);
	set = mask_without_ours(set, &copy);
	return WAIT(WAIT_SIGNAL, 0, int, real.sigwait(set, sig), ret_);
}

EXPORT int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
	sigset_t copy;

	HOOK_READY(sigwaitinfo);
	set = mask_without_ours(set, &copy);
	return WAIT(WAIT_SIGNAL, 0, int, real.sigwaitinfo(set, info), ret_ < 0 ? errno : 0);
}

EXPORT int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
	sigset_t copy;

	HOOK_READY(sigtimedwait);
	set = mask_without_ours(set, &copy);
	return WAIT(WAIT_SIGNAL, 0, int, real.sigtimedwait(set, info, timeout), ret_ < 0 ? errno : 0);
}
