/* SPDX-License-Identifier: MIT */
/*
 * hook.h - the originals behind our wrappers.
 *
 * real.<name> is the next definition of <name> after ours: libc's, or that of another preloaded library. All are
 * looked up once, in hook_begin; before that the allocation functions resolve themselves on first use and
 * the others are reached through a wrapper that only forwards once they are known.
 */
#ifndef RINGSIDE_PRELOAD_HOOK_H
#define RINGSIDE_PRELOAD_HOOK_H

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>

#include "preload/compiler.h"

struct real {
#define HOOK(ret, name, params, version) ret(*name) params;
#define REAL(ret, name, params, version) ret(*name) params;
#include "preload/hooks.def"
};
extern struct real real HIDDEN;
extern long (*hook_next_syscall)(long n, ...); /* real.syscall, where assembly finds it */
/* Ours: the plain name may lead to another library's. */
void *hook_own_realloc(void *block, size_t size) HIDDEN;
/* NULL, or the realloc of an allocator that is loaded before us: then malloc and free are not ours either. */
extern void *(*hook_front_realloc)(void *block, size_t size)HIDDEN;

/* What fortified programs call, libc declares only in inline headers; what old ones call, it no longer declares. */
int __sigaction(int sig, const struct sigaction *act, struct sigaction *old);
sighandler_t bsd_signal(int sig, sighandler_t handler);
int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask, size_t size);
ssize_t __read_chk(int fd, void *buf, size_t n, size_t size);
ssize_t __pread_chk(int fd, void *buf, size_t n, off_t offset, size_t size);
ssize_t __pread64_chk(int fd, void *buf, size_t n, off64_t offset, size_t size);
ssize_t __recv_chk(int fd, void *buf, size_t n, size_t size, int flags);
ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t size, int flags, struct sockaddr *addr, socklen_t *len);
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);

#define EXPORT __attribute__((visibility("default"), noinline))

/* hook_begin - look all originals up. Once, from the constructor or the first call that needs one. */
void hook_begin(void);

/*
 * HOOK_READY - the first line of every wrapper outside the allocation family: something may call it before
 * our constructor ran (another library's IFUNC resolver or constructor).
 */
#define HOOK_READY(name)                                                                                               \
	do {                                                                                                           \
		if (unlikely(!real.name))                                                                              \
			hook_begin();                                                                                  \
	} while (0)

#endif
