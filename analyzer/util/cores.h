/* SPDX-License-Identifier: MIT */
/* cores.h - how many threads help on this machine. */
#ifndef RINGSIDE_UTIL_CORES_H
#define RINGSIDE_UTIL_CORES_H

/* cores_to_spare - cores that this process may use beside the one of the thread that asks; 0: threads don't help. */
unsigned cores_to_spare(void);

#endif
