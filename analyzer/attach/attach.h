/* SPDX-License-Identifier: MIT */
/*
 * attach.h - the stacks of a running process, recorded or not: each thread is stopped by ptrace, unwound by libdwfl,
 * and goes on.
 *
 * Rights:   those of a debugger; see ptrace(2) and /proc/sys/kernel/yama/ptrace_scope.
 * The process is stopped a thread at a time, for some ms each. Signals that arrive meanwhile are not lost.
 */
#ifndef RINGSIDE_ATTACH_H
#define RINGSIDE_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "analyzer/symbols/modules.h"
#include "analyzer/util/buf.h"

#define ATTACH_DEPTH 256u

struct attach_thread {
	pid_t tid;
	char name[17]; /* unsafe text */
	char state;    /* as in /proc/PID/stat: R, S, D, ... before it was stopped */
	uint64_t *pcs; /* innermost first; return addresses but for the first */
	size_t pcs_len;
	const char *error; /* static words when it could not be unwound; NULL: all is well */
};

struct attach {
	struct modules modules;
	struct attach_thread *threads;
	size_t threads_len, threads_cap;
	char *dump; /* path of the process's recording, which it has mapped; NULL: none */
};

/* attach_open - 0, or -errno with a sentence in *error. Release in any case. */
int attach_open(struct attach *a, pid_t pid, struct buf *error);
void attach_release(struct attach *a);

#endif
