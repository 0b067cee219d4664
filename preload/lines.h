/* SPDX-License-Identifier: MIT */
/*
 * lines.h - the GODEBUG-like lines on stderr, each one system call.
 *
 * schedtrace, heaptrace, stalltrace and deadlocktrace print at intervals: only when one of them is set does a helper
 * thread run (all signals blocked). locktrace and iotrace print as it happens, from the thread itself.
 * docs/man/ringside.5 explains the fields.
 */
#ifndef RINGSIDE_PRELOAD_LINES_H
#define RINGSIDE_PRELOAD_LINES_H

#include "preload/thread.h"

/* lines_begin - start the helper thread if a toggle asks for one; again in a child of fork. */
void lines_begin(void);

/* lines_span - one line for a wait of `record`'s length. */
void lines_span(enum rsd_wait kind, const struct rec_span *record, uint32_t tid, const struct regs *from);

#endif
