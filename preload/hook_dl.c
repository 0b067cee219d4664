/* SPDX-License-Identifier: MIT */
/*
 * hook_dl.c - unloading. dlopen is not stood in front of: its caller decides where $ORIGIN leads, and a C wrapper
 * would be that caller. New modules are found by the first address seen in them.
 */
#include "preload/hook.h"
#include "preload/stacks.h"
#include "preload/thread.h"

EXPORT int dlclose(void *handle)
{
	int ret;

	HOOK_READY(dlclose);
	ret = real.dlclose(handle);
	if (!ret && life->state == LIFE_RECORDING)
		stacks_modules_changed();
	return ret;
}
