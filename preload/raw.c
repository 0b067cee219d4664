/* SPDX-License-Identifier: MIT */
#include "preload/raw.h"

uint64_t raw_mapped;
