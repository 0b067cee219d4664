/* SPDX-License-Identifier: MIT */
/* plugin_wide.c - a function whose code equals plugin_narrow's, but for the size of its frame. */
#define ROOM 1024
#include "frame.h"
