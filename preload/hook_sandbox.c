/* SPDX-License-Identifier: MIT */
/*
 * hook_sandbox.c - a program that takes system calls away from itself by seccomp, or the time stamp counter by prctl.
 *
 * What its filter does to a call that it does not know is mostly to kill, and the recorder's calls are not the
 * program's: so the recorder makes none any more. The calling thread (with TSYNC: every thread) and all that comes from
 * it later is not recorded from then on, and a notice says so. What happened before stays. The same goes for a thread
 * that makes reading the time stamp counter a fault: there is no second clock in a dump.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>

#include "preload/file.h"
#include "preload/hook.h"
#include "preload/life.h"
#include "preload/raw.h"
#include "preload/text.h"
#include "preload/thread.h"

int prctl(int option, ...);
long sandbox_syscall(long n, long a, long b, long c, long d, long e, long f);

static void tell(const char *what, const char *who)
{
	char buf[160];
	struct text t = text_on(buf, sizeof(buf));

	text_str(&t, what);
	text_str(&t, ": from ");
	text_duration(&t, clock_ns(clock_now() - file_header->start.tick));
	text_str(&t, " on nothing is recorded of ");
	text_str(&t, who);
	meta_notice(buf);
}

/* All that the recorder still has to do by system calls comes before the sandbox, or never. */
static struct thread *prepare(const char *what, bool is_all)
{
	struct thread *t = thread_enter();

	if (!t)
		return NULL;
	tell(what, is_all ? "the process" : "the thread that called it and of new threads and processes");
	thread_mute(is_all);
	return t;
}

static void undo(struct thread *t)
{
	int err = errno;

	if (t)
		thread_unmute(t);
	errno = err;
}

EXPORT int prctl(int option, ...)
{
	struct thread *t = NULL;
	unsigned long arg[4];
	va_list list;
	int ret;

	va_start(list, option);
	for (int i = 0; i < 4; i++)
		arg[i] = va_arg(list, unsigned long);
	va_end(list);
	HOOK_READY(prctl);
	if (unlikely(option == PR_SET_SECCOMP))
		t = prepare("seccomp", false);
	else if (unlikely(option == PR_SET_TSC && arg[0] == PR_TSC_SIGSEGV))
		t = prepare("time stamp counter forbidden", false);
	ret = real.prctl(option, arg[0], arg[1], arg[2], arg[3]);
	if (unlikely(t && ret))
		undo(t);
	return ret;
}

/* seccomp has no function of its own in libc, and before the originals are known anything comes here. */
long sandbox_syscall(long n, long a, long b, long c, long d, long e, long f)
{
	struct thread *t = NULL;
	long ret;

	HOOK_READY(syscall);
	if (n == SYS_seccomp && (a == SECCOMP_SET_MODE_STRICT || a == SECCOMP_SET_MODE_FILTER))
		t = prepare("seccomp", a == SECCOMP_SET_MODE_FILTER && b & SECCOMP_FILTER_FLAG_TSYNC);
	ret = real.syscall(n, a, b, c, d, e, f);
	/* TSYNC answers with the number of a thread that could not be taken along. A descriptor is asked for apart. */
	if (t && (ret < 0 || (ret > 0 && !(b & SECCOMP_FILTER_FLAG_NEW_LISTENER))))
		undo(t);
	return ret;
}

/*
 * Calls that wait for other threads are hook_futex.c's. Everything else goes through untouched: arguments, stack and
 * return address are the caller's, as some calls (clone, vfork) and some callers need.
 */
#if defined(__x86_64__)
__asm__(".text\n"
	".p2align 4\n"
	".globl syscall\n"
	".type syscall, @function\n"
	"syscall:\n"
	"\t.cfi_startproc\n"
	"\tendbr64\n"
	"\tmovq hook_next_syscall(%rip), %r11\n"
	"\ttestq %r11, %r11\n"
	"\tje sandbox_syscall\n"
	"\tcmpq $202, %rdi\n"
	"\tje futex_syscall\n"
	"\tcmpq $317, %rdi\n"
	"\tje sandbox_syscall\n"
	"\tjmp *%r11\n"
	"\t.cfi_endproc\n"
	".size syscall, .-syscall\n");
_Static_assert(SYS_futex == 202 && SYS_seccomp == 317, "the numbers in the assembly");
#endif
