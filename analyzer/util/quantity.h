/* SPDX-License-Identifier: MIT */
/* quantity.h - numbers with units as people type them: 4k, 1.5m, 200ms, 12. */
#ifndef RINGSIDE_UTIL_QUANTITY_H
#define RINGSIDE_UTIL_QUANTITY_H

enum quantity {
	QUANTITY_COUNT, /* a plain number */
	QUANTITY_BYTES, /* b k m g t, also kb, KiB: powers of 1024; none: bytes */
	QUANTITY_NS,	/* ns us ms s min h; none: only for 0 */
};

/*
 * quantity_parse - a number of at least 0 at *text, which is moved behind it and its unit.
 *
 * Returns:  0, or -EINVAL: no number, or one whose unit is missing or of another kind. *text then stands at what is
 * wrong.
 */
int quantity_parse(const char **text, enum quantity kind, double *value);

/* quantity_words - "a size such as 4k or 1.5m", for messages. */
const char *quantity_words(enum quantity kind);

#endif
