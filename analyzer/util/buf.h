/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a growing byte buffer, and the one place where foreign text is made safe for a terminal.
 *
 * A struct buf is ready for use when zeroed. `data` is NUL terminated whenever it is not NULL (the NUL is not
 * counted in `len`). When memory runs out the buffer keeps what it has and `failed` stays set, so a caller may
 * check once at the end.
 */
#ifndef RINGSIDE_UTIL_BUF_H
#define RINGSIDE_UTIL_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct buf {
	char *data;
	size_t len, cap;
	bool failed;
};

void buf_release(struct buf *b);
/* buf_clear - length 0, memory kept. */
void buf_clear(struct buf *b);

/* All return 0 or -ENOMEM. */
int buf_add(struct buf *b, const void *data, size_t len);
int buf_add_char(struct buf *b, char c);
int buf_add_string(struct buf *b, const char *s);
__attribute__((format(printf, 2, 3))) int buf_printf(struct buf *b, const char *format, ...);
int buf_vprintf(struct buf *b, const char *format, va_list args);

/* buf_string - the text so far, "" when nothing was added. Valid until the next change. */
const char *buf_string(const struct buf *b);

/*
 * buf_add_safe - append text from a dump, an ELF file or a source file so that a terminal can show it:
 * control bytes (ESC, C1 and DEL included), bidirectional overrides and bytes that are not UTF-8 become \xNN,
 * a newline \n and a tab \t.
 */
int buf_add_safe(struct buf *b, const char *text, size_t len);

/*
 * safe_puts - the same straight to a stream. NULL prints nothing.
 *
 * Returns:  the columns the text took: two for a wide character, none for a combining one.
 */
size_t safe_puts(const char *text, FILE *out);
/* safe_width - the columns safe_puts would take. */
size_t safe_width(const char *text);

/*
 * utf8_length - bytes of the well-formed UTF-8 character at `s` with `left` bytes, 0 when it is none (overlong
 * forms, surrogates and what is above U+10FFFF are none).
 */
size_t utf8_length(const char *s, size_t left);

/* utf8_is_dangerous - is the character at `s`, `len` bytes long, one that buf_add_safe would not show? */
bool utf8_is_dangerous(const char *s, size_t len, uint32_t *code);

#endif
