/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/util/buf.h"

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

/* Room for `more` bytes and the NUL. */
static int reserve(struct buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 64;
	char *data;

	if (b->failed || more >= SIZE_MAX / 4 - b->len) {
		b->failed = true;
		return -ENOMEM;
	}
	if (b->len + more < b->cap)
		return 0;
	while (cap <= b->len + more)
		cap *= 2;
	data = realloc(b->data, cap);
	if (!data) {
		b->failed = true;
		return -ENOMEM;
	}
	b->data = data;
	b->cap = cap;
	return 0;
}

int buf_add(struct buf *b, const void *data, size_t len)
{
	if (reserve(b, len))
		return -ENOMEM;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int buf_add_char(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int buf_add_string(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int buf_vprintf(struct buf *b, const char *format, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0 || reserve(b, (size_t)len)) {
		b->failed = true;
		return -ENOMEM;
	}
	vsnprintf(b->data + b->len, (size_t)len + 1, format, args);
	b->len += (size_t)len;
	return 0;
}

int buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int ret;

	va_start(args, format);
	ret = buf_vprintf(b, format, args);
	va_end(args);
	return ret;
}

const char *buf_string(const struct buf *b)
{
	return b->data ? b->data : "";
}

static bool is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Decode one character; 0 bytes when it is malformed. */
static size_t utf8_decode(const char *s, size_t left, uint32_t *code)
{
	const unsigned char *u = (const unsigned char *)s;
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len;

	if (!left)
		return 0;
	if (u[0] < 0x80) {
		*code = u[0];
		return 1;
	}
	len = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
	if (u[0] < 0xc2 || u[0] > 0xf4 || left < len)
		return 0;
	*code = u[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if (!is_continuation(u[i]))
			return 0;
		*code = *code << 6 | (u[i] & 0x3f);
	}
	if (*code < least[len] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return len;
}

size_t utf8_length(const char *s, size_t left)
{
	uint32_t code;

	return utf8_decode(s, left, &code);
}

/* What a terminal might obey or what could make a name read as another one. */
static bool is_dangerous(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c || (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
	       (code >= 0xe0000 && code <= 0xe007f);
}

bool utf8_is_dangerous(const char *s, size_t len, uint32_t *code)
{
	return utf8_decode(s, len, code) == len && is_dangerous(*code);
}

/* What stands over the character before it, and what is two columns wide. */
static const struct range {
	uint32_t from, to;
	uint8_t columns;
} odd_widths[] = {
	{ 0x0300, 0x036f, 0 },	 { 0x0483, 0x0489, 0 },	  { 0x0591, 0x05bd, 0 },   { 0x0610, 0x061a, 0 },
	{ 0x064b, 0x065f, 0 },	 { 0x06d6, 0x06dc, 0 },	  { 0x0e31, 0x0e31, 0 },   { 0x0e34, 0x0e3a, 0 },
	{ 0x0e47, 0x0e4e, 0 },	 { 0x1100, 0x115f, 2 },	  { 0x1ab0, 0x1aff, 0 },   { 0x1dc0, 0x1dff, 0 },
	{ 0x20d0, 0x20ff, 0 },	 { 0x2e80, 0x303e, 2 },	  { 0x3041, 0xa4cf, 2 },   { 0xac00, 0xd7a3, 2 },
	{ 0xf900, 0xfaff, 2 },	 { 0xfe00, 0xfe0f, 0 },	  { 0xfe20, 0xfe2f, 0 },   { 0xfe30, 0xfe6f, 2 },
	{ 0xff01, 0xff60, 2 },	 { 0xffe0, 0xffe6, 2 },	  { 0x1f300, 0x1f64f, 2 }, { 0x1f680, 0x1f6ff, 2 },
	{ 0x1f900, 0x1f9ff, 2 }, { 0x20000, 0x3fffd, 2 }, { 0xe0100, 0xe01ef, 0 },
};

static size_t columns_of(uint32_t code)
{
	for (size_t i = 0; code >= odd_widths[0].from && i < sizeof(odd_widths) / sizeof(odd_widths[0]); i++)
		if (code >= odd_widths[i].from && code <= odd_widths[i].to)
			return odd_widths[i].columns;
	return 1;
}

/* The safe form of the first character of `s`: bytes used, its text in out (at most 17 bytes), its columns. */
static size_t safe_char(const char *s, size_t left, char out[20], size_t *columns)
{
	uint32_t code = 0;
	size_t len = utf8_decode(s, left, &code), used = len ? len : 1, at = 0;

	if (len && !is_dangerous(code)) {
		memcpy(out, s, len);
		out[len] = '\0';
		*columns = columns_of(code);
		return len;
	}
	if (len && (code == '\n' || code == '\t')) {
		at = (size_t)sprintf(out, "\\%c", code == '\n' ? 'n' : 't');
	} else {
		for (size_t i = 0; i < used; i++)
			at += (size_t)sprintf(out + at, "\\x%02x", (unsigned char)s[i]);
	}
	*columns = at;
	return used;
}

int buf_add_safe(struct buf *b, const char *text, size_t len)
{
	char out[20];
	size_t columns;

	for (size_t at = 0; at < len;) {
		at += safe_char(text + at, len - at, out, &columns);
		if (buf_add_string(b, out))
			return -ENOMEM;
	}
	return buf_add(b, "", 0); /* at least the NUL */
}

size_t safe_puts(const char *text, FILE *out)
{
	size_t len = text ? strlen(text) : 0, width = 0, columns;
	char shown[20];

	for (size_t at = 0; at < len; width += columns) {
		at += safe_char(text + at, len - at, shown, &columns);
		fputs(shown, out);
	}
	return width;
}

size_t safe_width(const char *text)
{
	size_t len = text ? strlen(text) : 0, width = 0, columns;
	char shown[20];

	for (size_t at = 0; at < len; width += columns)
		at += safe_char(text + at, len - at, shown, &columns);
	return width;
}
