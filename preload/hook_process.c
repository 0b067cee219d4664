/* SPDX-License-Identifier: MIT */
/*
 * hook_process.c - fork, and waiting for children.
 *
 * exec, vfork, posix_spawn and exit are not stood in front of: a new image starts with our constructor, a child of
 * any kind of fork is noticed at its first event (see struct life in thread.h), and the end needs no help.
 */
#include "preload/fds.h"
#include "preload/hook.h"
#include "preload/memory.h"
#include "preload/sampler.h"
#include "preload/span.h"
#include "preload/windows.h"

/* Our signal is kept out: a fork that is interrupted again and again in a large process never ends. */
EXPORT pid_t fork(void)
{
	uint64_t mask;
	bool is_recorded = thread_self != NULL;
	struct thread *t;
	struct rec_proc record = { 0 };
	pid_t pid;
	int err;

	HOOK_READY(fork);
	if (is_recorded) {
		sampler_block(&mask);
		memory_pause();
	}
	pid = real.fork();
	err = errno;
	if (is_recorded && pid)
		memory_resume();
	if (is_recorded && !pid)
		windows_stand_in();
	if (is_recorded)
		sampler_unblock(&mask);
	if (pid > 0 && (t = thread_enter())) {
		struct regs from = REGS_OF_CALLER();
		struct lane *lane = lane_enter(t);

		record.value = (uint64_t)pid;
		if (lane) {
			record.stack = lane_stack(lane, &from);
			lane_put(t, lane, EV_FORK, clock_now(), &record, sizeof(record));
			lane_leave(t, lane);
		}
	}
	errno = err;
	return pid;
}

/* `again`: may it be made again, if nothing but a sample ended it? */
#define WAIT_FOR(child, type, call, again)                                                                             \
	({                                                                                                             \
		struct span s_ = span_begin(WAIT_WAIT_CHILD, (uint64_t)(int64_t)(child));                              \
		type ret_;                                                                                             \
		SPAN_CALL(s_, ret_, call, (again) && ret_ < 0, errno);                                                 \
                                                                                                                       \
		span_end(&s_, ret_<0 ? errno : 0, ret_> 0 ? (uint64_t)ret_ : 0, REGS_OF_CALLER());                     \
		ret_;                                                                                                  \
	})

EXPORT pid_t wait(int *status)
{
	HOOK_READY(wait);
	return WAIT_FOR(-1, pid_t, real.wait(status), true);
}

EXPORT pid_t waitpid(pid_t pid, int *status, int options)
{
	HOOK_READY(waitpid);
	return WAIT_FOR(pid, pid_t, real.waitpid(pid, status, options), true);
}

EXPORT pid_t wait3(int *status, int options, struct rusage *usage)
{
	HOOK_READY(wait3);
	return WAIT_FOR(-1, pid_t, real.wait3(status, options, usage), true);
}

EXPORT pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	HOOK_READY(wait4);
	return WAIT_FOR(pid, pid_t, real.wait4(pid, status, options, usage), true);
}

EXPORT int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	HOOK_READY(waitid);
	return WAIT_FOR(id, int, real.waitid(type, id, info, options), true);
}

EXPORT int system(const char *command)
{
	HOOK_READY(system);
	return WAIT_FOR(-1, int, real.system(command), false);
}

EXPORT int pclose(FILE *f)
{
	HOOK_READY(pclose);
	if (f)
		fds_close(f->_fileno);
	return WAIT_FOR(-1, int, real.pclose(f), false);
}
