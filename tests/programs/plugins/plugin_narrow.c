/* SPDX-License-Identifier: MIT */
/* plugin_narrow.c - a function whose code equals plugin_wide's, but for the size of its frame. */
#define ROOM 256
#include "frame.h"
