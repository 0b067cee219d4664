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
	bool is_recording = life->state == LIFE_RECORDING;
	int ret;

	HOOK_READY(dlclose);
	/* Another thread may load something in the place of what is gone before we are told. */
	if (is_recording)
		stacks_modules_changing();
	ret = real.dlclose(handle);
	if (is_recording)
		stacks_modules_changed();
	return ret;
}
