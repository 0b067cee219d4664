/* SPDX-License-Identifier: MIT */
/* handler.c - see handler.h. */
#include "preload/handler.h"

#include "preload/raw.h"

/* The kernel's struct sigaction; libc's wrapper would add its own restorer and could be interposed. */
struct kernel_sigaction {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

#define SA_RESTORER_FLAG 0x04000000ul

#if defined(__x86_64__)
void handler_restore(void);
/* rt_sigreturn, in the very bytes that unwinders recognise as a signal frame. */
__asm__(".text\n"
	".p2align 4\n"
	"nop\n"
	".globl handler_restore\n"
	".hidden handler_restore\n"
	".type handler_restore, @function\n"
	"handler_restore:\n"
	"\tmovq $15, %rax\n"
	"\tsyscall\n"
	".size handler_restore, .-handler_restore\n");
#endif

bool handler_install(int sig, void (*handler)(int, siginfo_t *, void *), uint64_t mask, int flags)
{
	struct kernel_sigaction now = { 0 }, ours = {
		.handler = handler,
		.flags = (unsigned long)(flags | SA_SIGINFO | SA_ONSTACK),
		.mask = mask,
	};

#if defined(__x86_64__)
	ours.flags |= SA_RESTORER_FLAG;
	ours.restorer = handler_restore;
#endif
	return raw4(SYS_rt_sigaction, sig, NULL, &now, 8) == 0 && !now.handler &&
	       raw4(SYS_rt_sigaction, sig, &ours, NULL, 8) == 0;
}

bool handler_is(int sig, void (*handler)(int, siginfo_t *, void *))
{
	struct kernel_sigaction now = { 0 };

	return raw4(SYS_rt_sigaction, sig, NULL, &now, 8) == 0 && now.handler == handler;
}

void handler_default(int sig)
{
	struct kernel_sigaction plain = { 0 };

	raw4(SYS_rt_sigaction, sig, &plain, NULL, 8);
}

void handler_die_of(int sig)
{
	handler_default(sig);
	raw3(SYS_tgkill, raw1(SYS_getpid, 0), raw1(SYS_gettid, 0), sig);
}
