/* SPDX-License-Identifier: MIT */
/*
 * stop.h - SIGINT and SIGTERM ask the program to end; it then ends by itself, cleanly.
 *
 * The handler sets a flag and makes stop_fd() readable for ever (an eventfd that nobody reads), so that threads
 * which wait in poll learn of it without a race. Everyone else looks at the flag between two pieces of work.
 */
#ifndef DEMOS_COMMON_STOP_H
#define DEMOS_COMMON_STOP_H

/* Before any thread is created. Returns 0 or -errno. */
int stop_install(void);
int stop_requested(void);
/* What the handler does, for ordinary code. AS-Safe. */
void stop_request(void);
/* Readable once a stop was requested. Do not read from it. */
int stop_fd(void);
void stop_release(void);

#endif
