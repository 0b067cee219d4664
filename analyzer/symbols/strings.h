/* SPDX-License-Identifier: MIT */
/* strings.h - one copy of each text: equal texts are equal pointers. */
#ifndef RINGSIDE_STRINGS_H
#define RINGSIDE_STRINGS_H

#include <stddef.h>

#include "analyzer/util/map.h"

/* Ready when zeroed. */
struct strings {
	struct map by_hash; /* hash -> struct interned * */
};

/* strings_intern - the copy of `len` bytes of text, cut at the first NUL; lives as long as `s`. NULL without memory. */
const char *strings_intern(struct strings *s, const char *text, size_t len);
void strings_release(struct strings *s);

#endif
