/* SPDX-License-Identifier: MIT */
/* handler.h - signal handlers of the recorder, set by the kernel's call: libc's would add its own restorer. */
#ifndef RINGSIDE_PRELOAD_HANDLER_H
#define RINGSIDE_PRELOAD_HANDLER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * handler_install - `handler` for `sig`, on the alternate stack if there is one, with the signals of `mask` blocked
 * meanwhile. False: the signal is not at its default, or the system refuses.
 */
bool handler_install(int sig, void (*handler)(int, siginfo_t *, void *), uint64_t mask, int flags);

/* handler_is - is `handler` what this process has for `sig`? A child of vfork has its own answer. */
bool handler_is(int sig, void (*handler)(int, siginfo_t *, void *));

/* handler_die_of - in a handler: `sig` was sent by somebody, and is to have its default effect once we return. */
void handler_die_of(int sig);

/* handler_default - the signal has its default effect again. */
void handler_default(int sig);

#endif
