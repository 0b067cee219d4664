/* SPDX-License-Identifier: MIT */
#include <sched.h>

#include "analyzer/util/cores.h"

unsigned cores_to_spare(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) ? 0 : (unsigned)CPU_COUNT(&set) - 1;
}
