/* SPDX-License-Identifier: MIT */
/* sandbox.h - what a process that reads hostile files may do, and take. */
#ifndef RINGSIDE_SANDBOX_H
#define RINGSIDE_SANDBOX_H

#include <stdbool.h>

/*
 * sandbox_enter - for the rest of this process's life, which ends with its parent's: no descriptor that was open, no
 * core dump, memory for half of the machine's at most; no file but for reading, no network, no other process, no new
 * code. What the kernel does not offer is left out.
 *
 * has_network: debug information is fetched from servers; then only the limits hold.
 */
void sandbox_enter(bool has_network);

#endif
