/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "analyzer/symbols/sandbox.h"

#define MEMORY_MIN (UINT64_C(1) << 30)
#define WRITTEN_MAX (1u << 20) /* bytes: the vdso, into a file in memory */

/* ---- limits ---------------------------------------------------------------------------------------------------- */

/* Bytes of private writable memory there are already: a sanitizer has mapped terabytes before main. */
static uint64_t memory_used(void)
{
	unsigned long data = 0;
	FILE *in = fopen("/proc/self/statm", "re");

	if (!in || fscanf(in, "%*u %*u %*u %*u %*u %lu", &data) != 1)
		data = 0;
	if (in)
		fclose(in);
	return (uint64_t)data * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void lower(int which, uint64_t value)
{
	struct rlimit limit;

	if (getrlimit(which, &limit))
		return;
	if (value < limit.rlim_cur)
		limit.rlim_cur = value;
	if (value < limit.rlim_max)
		limit.rlim_max = value;
	setrlimit(which, &limit);
}

/* When memory is short this process should go, not the one that has the report. */
static void offer_to_be_killed(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1000", 4) < 0)
		errno = 0;
	if (fd >= 0)
		close(fd);
}

static void set_limits(void)
{
	uint64_t half = (uint64_t)sysconf(_SC_PHYS_PAGES) / 2 * (uint64_t)sysconf(_SC_PAGESIZE);

	lower(RLIMIT_DATA, memory_used() + (half > MEMORY_MIN ? half : MEMORY_MIN));
	lower(RLIMIT_CORE, 0);
	lower(RLIMIT_FSIZE, WRITTEN_MAX);
	offer_to_be_killed();
	prctl(PR_SET_DUMPABLE, 0);
}

/* stdin, stdout and stderr lead nowhere: a library that prints or aborts does it unheard. */
static void close_all(void)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd <= 2; fd++)
		if (null >= 0 && null != fd)
			dup2(null, fd);
	syscall(SYS_close_range, 3u, ~0u, 0u);
}

/* ---- system calls ---------------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define ARGUMENT(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (n)))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
/* Refused with an error, not with death: what a later libc tries first it can do without. */
#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), yes, no)
#define IF_ANY(bits, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (uint32_t)(bits), yes, no)
#define PERMIT(name) IF(SYS_##name, 0, 1), ALLOW
/* The call `name` unless argument n has one of these bits. */
#define PERMIT_WITHOUT(name, n, bits) IF(SYS_##name, 0, 4), ARGUMENT(n), IF_ANY(bits, 0, 1), REFUSE, ALLOW

/* The call `name` if argument n is this. */
#define PERMIT_FOR(name, n, value) IF(SYS_##name, 0, 4), ARGUMENT(n), IF(value, 1, 0), REFUSE, ALLOW

/* All that says more than "open this for reading". */
#define WRITING (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY))

static void filter_calls(void)
{
	const struct sock_filter permitted[] = {
#ifdef ARCH
		LOAD(arch),
		IF(ARCH, 1, 0),
		REFUSE,
		LOAD(nr),
		PERMIT(futex),
		PERMIT(pread64),
		PERMIT(read),
		PERMIT(lseek),
		PERMIT(fstat),
		PERMIT(newfstatat),
		PERMIT(close),
		PERMIT_WITHOUT(openat, 2, WRITING),
		PERMIT_WITHOUT(mmap, 2, PROT_EXEC),
		PERMIT_WITHOUT(mprotect, 2, PROT_EXEC),
		PERMIT(munmap),
		PERMIT(mremap),
		PERMIT(madvise),
		PERMIT(brk),
		PERMIT(readlinkat),
		PERMIT(faccessat),
		PERMIT(getcwd),
		PERMIT(fcntl),
		PERMIT(statx),
		PERMIT(getdents64),
		PERMIT(memfd_create),
		PERMIT(write),
		PERMIT(getrandom),
		PERMIT(clock_gettime),
		PERMIT(sysinfo),
		PERMIT(getpid),
		PERMIT(gettid),
		PERMIT_FOR(tgkill, 0, getpid()), /* abort() */
		PERMIT(rt_sigprocmask),
		PERMIT(rt_sigaction),
		PERMIT(rt_sigreturn),
		PERMIT(sched_yield),
		PERMIT(exit),
		PERMIT(exit_group),
#ifdef __x86_64__
		PERMIT_WITHOUT(open, 1, WRITING),
		PERMIT(stat),
		PERMIT(lstat),
		PERMIT(access),
		PERMIT(readlink),
#endif
		REFUSE,
#endif
	};
	const struct sock_fprog program = { .len = sizeof(permitted) / sizeof(permitted[0]),
					    .filter = (struct sock_filter *)(uintptr_t)permitted };

	if (program.len && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

void sandbox_enter(bool has_network)
{
	close_all();
	set_limits();
	if (!has_network)
		filter_calls();
}
