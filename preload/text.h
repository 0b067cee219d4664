/* SPDX-License-Identifier: MIT */
/*
 * text.h - small text work without libc: no allocation, no locale, no stdio.
 *
 * A struct text writes into a caller's buffer, always leaves room for the end, and cuts silently.
 */
#ifndef RINGSIDE_PRELOAD_TEXT_H
#define RINGSIDE_PRELOAD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *buf;
	size_t cap, len; /* len < cap; buf[len] is 0 */
};

struct text text_on(char *buf, size_t cap);
void text_str(struct text *t, const char *s);
void text_bytes(struct text *t, const char *s, size_t len);
void text_shown(struct text *t, const char *s, size_t len); /* for a terminal: what is no ASCII becomes ? */
void text_u64(struct text *t, uint64_t value);
void text_hex(struct text *t, uint64_t value);
void text_fixed(struct text *t, uint64_t value, uint64_t unit, unsigned decimals); /* value/unit, "12.3" */
void text_bytes_unit(struct text *t, uint64_t bytes);				   /* "12.3 MB" */
void text_duration(struct text *t, uint64_t ns);				   /* "12.3 ms" */

/* text_say - write "ringside: " and the text as one line to stderr, with one system call. */
void text_say(const char *line);

size_t text_len(const char *s);
bool text_same(const char *a, const char *b);
bool text_same_n(const char *a, size_t a_len, const char *b);
const char *text_basename(const char *path);

/*
 * text_match - a small regular expression: . * + ? ^ $ | [a-z] [^a-z] and \ quoting, no groups. Signs where they mean
 * nothing stand for themselves: an unclosed [, a \ at the end, a * with nothing before it.
 */
bool text_match(const char *pattern, const char *s);

#endif
