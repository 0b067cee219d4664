/* SPDX-License-Identifier: MIT */
/*
 * seccomp.c - children that give up nearly all system calls, by both modes and both calls, and then work as before.
 * Prints the same with and without recorder.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALLOW(n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (n), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

enum way { STRICT, FILTER, FILTER_ALL, REFUSED };

static void give_up(enum way way)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(SYS_write),
		ALLOW(SYS_exit),
		ALLOW(SYS_exit_group),
		ALLOW(SYS_rt_sigreturn),
		ALLOW(SYS_brk),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };
	long ret = 0;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (way == STRICT)
		ret = prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	else if (way == FILTER)
		ret = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
	else if (way == FILTER_ALL)
		ret = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
	else
		ret = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, ~0u, &filter);
	if (ret != (way == REFUSED ? -1 : 0))
		_exit(9);
}

static void work(void)
{
	static const char done[] = "worked\n";

	for (int i = 0; i < 20000; i++) {
		char *volatile block = malloc(16);

		memset(block, i, 16);
		block = realloc(block, 32);
		for (volatile int spin = 0; spin < 2000; spin++)
			;
		free(block);
	}
	if (write(1, done, sizeof(done) - 1) < 0)
		_exit(8);
}

int main(void)
{
	for (enum way way = STRICT; way <= REFUSED; way++) {
		int status;

		fflush(stdout);
		if (!fork()) {
			void *volatile block = malloc(40000); /* libc's own start takes calls that are gone later */

			free(block);
			give_up(way);
			work();
			syscall(SYS_exit, 3);
		}
		wait(&status);
		printf("way %d ended with %#x\n", way, status);
	}
	return 0;
}
